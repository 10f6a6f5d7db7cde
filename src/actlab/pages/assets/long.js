"use strict";

// On a narrow screen a long part shows its beginning, until all of it is asked for.
(() => {
  const { words } = JSON.parse(document.getElementById("page-data").textContent);
  for (const part of document.querySelectorAll("[data-long]")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "show-all";
    button.textContent = words.show_all;
    button.addEventListener("click", () => {
      part.classList.add("whole");
      button.remove();
    });
    part.after(button);
  }
})();
