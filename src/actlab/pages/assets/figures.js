"use strict";

// Draws the page's figures once they can be seen, and keeps them in step with their views.
(() => {
  const root = document.documentElement;
  const chosen = {};
  const said = document.querySelectorAll(".cautions, .why"), wasOpen = new Map();
  let figures = {};
  const PAPER = 680, HALF = 460; // widths in pixels that are drawn for the paper's, and for half of it
  window.actlabColours = JSON.parse(document.getElementById("page-data").textContent).colours;

  // Views name parts of a layout by paths such as "yaxis.range".
  function place(target, path, value) {
    const keys = path.split(".");
    const last = keys.pop();
    const parent = keys.reduce((part, key) => (part[key] ??= {}), target);
    parent[last] = value;
  }

  function draw(name, options) {
    const { data, layout, views } = structuredClone(figures[name]);
    const view = views[chosen[name] ?? 0];
    if (view) {
      for (const [path, value] of Object.entries(view.layout)) place(layout, path, value);
      for (const [path, value] of Object.entries(view.trace)) place(data[0], path, value);
    }
    window.actlabChart.draw(document.getElementById(`plot-${name}`), { data, layout }, options);
  }

  // The figures lie packed in the page until one of them is to be seen, or changed.
  let loading = null;
  const loaded = () => (loading ??= window.actlabUnpacked("page-figures").then((text) => {
    figures = JSON.parse(text || "{}");
    return figures;
  }));
  const anyInSight = () => [...document.querySelectorAll(".plot")].some((plot) => plot.offsetParent != null);
  const isShown = (name) => document.getElementById(`plot-${name}`)?.offsetParent != null;
  const rest = () => new Promise((resolve) => { setTimeout(resolve); });
  const done = new Set();

  // One figure at a time, so that no task is long; each is drawn once.
  async function drawShown() {
    if (anyInSight()) await loaded();
    for (const name of Object.keys(figures)) {
      if (done.has(name) || !isShown(name)) continue;
      done.add(name);
      draw(name);
      await rest();
    }
    root.dataset.drawn = "";
  }

  // On paper every figure is there, two in a row where they stand side by side, and what is said
  // before and about the answer is open.
  function drawAll() {
    for (const name of Object.keys(figures)) {
      const plot = document.getElementById(`plot-${name}`);
      if (plot) draw(name, { paper: plot.closest(".columns > :not(:only-child)") ? HALF : PAPER });
    }
    for (const part of said) {
      wasOpen.set(part, part.open);
      part.open = true;
    }
  }

  function drawAgain() {
    for (const name of done) if (isShown(name)) draw(name);
    for (const part of said) part.open = wasOpen.get(part);
  }

  function choose(button) {
    const { figure, view } = button.dataset;
    chosen[figure] = Number(view);
    for (const other of button.parentElement.children) {
      other.setAttribute("aria-pressed", String(other === button));
    }
    document.getElementById(`plot-${figure}`).actlab.zoomed = {};
    draw(figure);
  }

  for (const button of document.querySelectorAll(".views button")) {
    button.addEventListener("click", () => choose(button));
  }
  window.addEventListener("actlab:shown", () => drawShown());
  window.addEventListener("beforeprint", drawAll);
  window.addEventListener("afterprint", drawAgain);
  // For the margin's slider, which changes figures: they are drawn again, those out of sight later.
  window.actlabFigures = {
    loaded,
    redraw: (name) => {
      if (!done.has(name)) return;
      if (isShown(name)) draw(name);
      else done.delete(name);
    },
  };
  drawShown();
  // Printing waits for nothing but the page: a frame that is still written holds its load event
  // until the figures are read.
  const unfinished = document.createElement("iframe");
  unfinished.hidden = true;
  document.body.append(unfinished);
  unfinished.contentDocument.open();
  loaded().finally(() => {
    unfinished.contentDocument.close();
    unfinished.remove();
  });
})();
