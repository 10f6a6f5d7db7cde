"use strict";

// Tabs whose state is in the address, and the switches of theme and language.
(() => {
  const root = document.documentElement;
  const tabs = [...document.querySelectorAll(".tab")];
  const links = [...document.querySelectorAll(".tabs a")];

  function open(moves) {
    const anchor = decodeURIComponent(location.hash.slice(1).split("?")[0]);
    const target = anchor ? document.getElementById(anchor) : null;
    const tab = target?.closest(".tab") ?? tabs[0];
    if (target?.tagName === "DETAILS") target.open = true;
    for (const other of tabs) other.classList.toggle("current", other === tab);
    for (const link of links) {
      if (link.hash === `#${tab.id}`) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    if (moves) {
      if (target && target !== tab) target.scrollIntoView();
      else window.scrollTo(0, 0);
    }
    delete root.dataset.drawn;
    window.dispatchEvent(new Event("actlab:shown"));
  }

  document.querySelector("[data-theme-switch]")?.addEventListener("click", () => {
    const system = window.matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
    const now = root.dataset.theme ?? system;
    root.dataset.theme = window.actlabTheme = now === "dark" ? "light" : "dark";
  });
  // On a narrow screen a row says only as much as fits, until it is tapped.
  for (const row of document.querySelectorAll(".lanes tbody tr")) {
    row.addEventListener("click", () => row.classList.toggle("open"));
  }
  if (window.actlabTheme) root.dataset.theme = window.actlabTheme;

  // The page in the other language lies packed in this one; from there, this one is loaded again.
  document.querySelector("[data-language-switch]")?.addEventListener("click", async () => {
    const other = await window.actlabUnpacked("other-language");
    if (!other) {
      location.reload();
      return;
    }
    const kept = "trial-curves", curves = await window.actlabUnpacked(kept);
    window.actlabOpened = new Map([[kept, curves]]);
    document.open();
    document.write(other);
    document.close();
  });
  window.addEventListener("hashchange", () => open(true));
  open(Boolean(location.hash));
})();
