"use strict";

// On a narrow screen a long part shows its beginning, until all of it is asked for.
(() => {
  const { words } = JSON.parse(document.getElementById("page-data").textContent);
  const narrow = window.matchMedia("(max-width: 600px)");
  const MOST = 210; // pixels; the style sheet's are fewer

  function look() {
    if (!narrow.matches) return;
    for (const part of document.querySelectorAll("[data-long]:not(.cut)")) {
      if (part.offsetParent && part.scrollHeight > MOST) cut(part);
    }
  }

  function cut(part) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "show-all";
    button.textContent = words.show_all;
    button.addEventListener("click", () => {
      part.classList.add("whole");
      button.remove();
    });
    part.classList.add("cut");
    part.after(button);
  }

  window.addEventListener("actlab:shown", look);
  narrow.addEventListener("change", look);
  look();
})();
