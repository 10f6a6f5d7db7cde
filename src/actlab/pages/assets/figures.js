"use strict";

// Draws the page's figures once they can be seen, and keeps them in step with theme, views and width.
(() => {
  const page = JSON.parse(document.getElementById("page-data").textContent);
  const root = document.documentElement;
  const darkScheme = window.matchMedia("(prefers-color-scheme: dark)");
  const coarsePointer = window.matchMedia("(pointer: coarse)");
  const chosen = {};
  const config = {
    displaylogo: false,
    responsive: true,
    locale: page.language,
    modeBarButtons: [["toImage", "zoom2d", "pan2d", "resetScale2d"]],
  };
  const isDark = () => (root.dataset.theme ?? (darkScheme.matches ? "dark" : "light")) === "dark";

  // Plotly lies in the page as text: it becomes code when the first figure is to be seen.
  function loadPlotly() {
    if (window.Plotly) return;
    const script = document.createElement("script");
    script.textContent = document.getElementById("plotly-source").textContent;
    document.head.append(script);
    Plotly.register({
      moduleType: "locale",
      name: page.language,
      dictionary: page.words.modebar,
      format: {},
    });
  }

  // A dark figure is the light one with every colour exchanged for its namesake.
  function coloured(figure, dark) {
    if (!dark) return figure;
    const text = JSON.stringify(figure).replace(/#[0-9a-f]{6}/g, (found) => page.dark[found] ?? found);
    return JSON.parse(text);
  }

  // Views name parts of a layout by paths such as "yaxis.range".
  function place(target, path, value) {
    const keys = path.split(".");
    const last = keys.pop();
    const parent = keys.reduce((part, key) => (part[key] ??= {}), target);
    parent[last] = value;
  }

  function draw(name, dark, width) {
    const { data, layout, views } = structuredClone(coloured(page.figures[name], dark));
    const view = views[chosen[name] ?? 0];
    if (view) {
      for (const [path, value] of Object.entries(view.layout)) place(layout, path, value);
      for (const [path, value] of Object.entries(view.trace)) place(data[0], path, value);
    }
    if (coarsePointer.matches) layout.dragmode = false;
    if (width) Object.assign(layout, { width, autosize: false });
    return Plotly.react(`plot-${name}`, data, layout, config);
  }

  const isShown = (name) => document.getElementById(`plot-${name}`)?.offsetParent != null;

  // The root element tells which colours the figures in sight have been drawn in.
  async function drawShown(dark = isDark(), width = null) {
    const names = Object.keys(page.figures).filter((name) => width || isShown(name));
    if (names.length) loadPlotly();
    for (const name of names) {
      await draw(name, dark, width);
      await new Promise((resolve) => { width ? resolve() : setTimeout(resolve); });
    }
    root.dataset.drawn = dark ? "dark" : "light";
  }

  function choose(button) {
    const { figure, view } = button.dataset;
    chosen[figure] = Number(view);
    for (const other of button.parentElement.children) {
      other.setAttribute("aria-pressed", String(other === button));
    }
    const { layout, trace } = page.figures[figure].views[chosen[figure]];
    return Plotly.update(`plot-${figure}`, trace, layout, [0]);
  }

  for (const button of document.querySelectorAll(".views button")) {
    button.addEventListener("click", () => choose(button));
  }
  darkScheme.addEventListener("change", () => drawShown());
  window.addEventListener("actlab:shown", () => drawShown());
  window.addEventListener("beforeprint", () => drawShown(false, 640));
  window.addEventListener("afterprint", () => drawShown());
  // For the margin's slider, which changes figures and has them drawn again.
  window.actlabFigures = {
    figures: page.figures,
    redraw: (name) => (window.Plotly && isShown(name) ? draw(name, isDark()) : null),
  };
  drawShown();
})();
