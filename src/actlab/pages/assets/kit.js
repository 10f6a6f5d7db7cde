"use strict";

// What every page can do: read what is packed in it, keep its state in the address, save files.
(() => {
  // The address is #anchor?name=value&...; the anchor may be a tab or any part inside one.
  window.actlabState = {
    read: () => new URLSearchParams(location.hash.split("?")[1] ?? ""),
    write(name, value) {
      const anchor = location.hash.slice(1).split("?")[0];
      const state = window.actlabState.read();
      if (value === "" || value === null) state.delete(name);
      else state.set(name, value);
      const text = String(state);
      history.replaceState(null, "", `#${anchor}${text ? `?${text}` : ""}`);
    },
  };

  const opened = (window.actlabOpened ??= new Map());

  // The text of a packed part of the page, inflated once; "" where the page has no such part.
  // What is the same in every language stays open when the page is exchanged for another language's.
  window.actlabUnpacked = (name) => {
    if (!opened.has(name)) opened.set(name, inflate(document.getElementById(name)?.textContent));
    return opened.get(name);
  };

  async function inflate(packed) {
    if (!packed) return "";
    const bytes = Uint8Array.from(atob(packed), (letter) => letter.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Response(stream).text();
  }

  window.actlabSave = (name, content, type) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(content instanceof Blob ? content : new Blob([content], { type }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  };
})();
