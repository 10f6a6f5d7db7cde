"use strict";

// Asks once a second whether the run has changed, and exchanges what it changes when it has.
(() => {
  const EVERY = 1000, PATIENCE = 5;
  let failed = 0;
  async function look() {
    const live = document.getElementById("live");
    try {
      const state = await (await fetch(live.dataset.state)).json();
      if (state.version !== live.dataset.version) {
        const text = await (await fetch(location.href)).text();
        const page = new DOMParser().parseFromString(text, "text/html");
        for (const part of ["facts", "live", "files"]) {
          const fresh = page.getElementById(part);
          if (fresh) document.getElementById(part).replaceWith(fresh);
        }
      }
      failed = 0;
    } catch {
      failed += 1; // the server has ended, or the folder is being written
    }
    document.getElementById("ended").hidden = failed < PATIENCE;
    if (failed < PATIENCE) setTimeout(look, EVERY);
  }
  if (document.getElementById("live")) setTimeout(look, EVERY);
})();
