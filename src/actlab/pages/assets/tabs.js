"use strict";

// Tabs whose state is in the address, the theme switch, and downloads of what the page shows.
(() => {
  const root = document.documentElement;
  const tabs = [...document.querySelectorAll(".tab")];
  const links = [...document.querySelectorAll(".tabs a")];

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

  function open(moves) {
    const anchor = decodeURIComponent(location.hash.slice(1).split("?")[0]);
    const target = anchor ? document.getElementById(anchor) : null;
    const tab = target?.closest(".tab") ?? tabs[0];
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

  function save(name, text, type) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

  // Cells that begin like a formula get an apostrophe, so that no spreadsheet runs them.
  function csvOf(table) {
    const cell = (part) => {
      const text = (part.dataset.value ?? part.textContent).replace(/\s+/g, " ").trim();
      const safe = /^[=+@\t]/.test(text) || /^-[^\d.]/.test(text) ? `'${text}` : text;
      return `"${safe.replaceAll('"', '""')}"`;
    };
    return [...table.rows].map((row) => [...row.cells].map(cell).join(",")).join("\r\n") + "\r\n";
  }

  for (const button of document.querySelectorAll("[data-csv]")) {
    button.addEventListener("click", () => {
      const name = button.dataset.csv;
      save(`${name}.csv`, csvOf(document.getElementById(name)), "text/csv");
    });
  }
  for (const button of document.querySelectorAll("[data-svg]")) {
    button.addEventListener("click", async () => {
      const name = button.dataset.svg;
      const address = await Plotly.toImage(`plot-${name}`, { format: "svg", width: 900, height: 500 });
      save(`${name}.svg`, decodeURIComponent(address.slice(address.indexOf(",") + 1)), "image/svg+xml");
    });
  }
  document.querySelector("[data-theme-switch]")?.addEventListener("click", () => {
    const system = window.matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
    const now = root.dataset.theme ?? system;
    root.dataset.theme = now === "dark" ? "light" : "dark";
    window.dispatchEvent(new Event("actlab:shown"));
  });
  window.addEventListener("hashchange", () => open(true));
  root.dataset.tabs = "";
  open(Boolean(location.hash));
})();
