"use strict";

// Asks once a second whether the run has changed, and exchanges the live part when it has.
(() => {
  const EVERY = 1000;
  async function look() {
    const live = document.getElementById("live");
    try {
      const state = await (await fetch(live.dataset.state)).json();
      if (state.version !== live.dataset.version) {
        const text = await (await fetch(location.href)).text();
        const fresh = new DOMParser().parseFromString(text, "text/html").getElementById("live");
        if (fresh) live.replaceWith(fresh);
      }
    } catch {
      // The server has ended, or the folder is being written: ask again.
    }
    setTimeout(look, EVERY);
  }
  if (document.getElementById("live")) setTimeout(look, EVERY);
})();
