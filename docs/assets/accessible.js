// What the theme makes while a page is open: a search without a name, bars of code without one, and
// tables that scroll but cannot be reached by keyboard.
(() => {
  function mend() {
    for (const dialog of document.querySelectorAll(".md-search[role=dialog]:not([aria-label])")) {
      dialog.setAttribute("aria-label", dialog.querySelector("input")?.placeholder || "Search");
    }
    for (const [place, bar] of document.querySelectorAll("nav.md-code__nav").entries()) {
      const label = `${bar.querySelector("button")?.title || "Code"} ${place + 1}`;
      if (bar.getAttribute("aria-label") !== label) bar.setAttribute("aria-label", label);
    }
    for (const table of document.querySelectorAll(".md-typeset__scrollwrap:not([tabindex])")) table.tabIndex = 0;
  }
  mend();
  new MutationObserver(mend).observe(document.body, { childList: true, subtree: true });
})();
