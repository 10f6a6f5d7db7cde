"use strict";

// Parallel coordinates of the trials in the table. A range that is dragged on an axis filters both;
// the address keeps the ranges.
(() => {
  const host = document.getElementById("plot-parallel");
  if (!host) return;
  const { element, textElement } = window.actlabChart;
  const { axes: named } = JSON.parse(document.getElementById("page-data").textContent).parallel;
  const table = document.getElementById("trials-table");
  const rows = [...table.tBodies[0].rows];
  const form = document.querySelector("[data-filters=trials-table]");
  const state = window.actlabState;
  const [TOP, BOTTOM, SIDE] = [34, 26, 70];
  const ranges = new Map();
  let drawn = 0;

  const valueOf = (row, column) => {
    const cell = row.cells[column];
    const text = cell.dataset.value ?? cell.textContent.trim();
    return text === "" || Number.isNaN(Number(text)) ? text : Number(text);
  };

  const axes = named.map(({ column, title, kind, worst }) => {
    const values = rows.map((row) => valueOf(row, column));
    if (kind === "name") {
      const names = [...new Set(values)];
      return { column, title, kind, names, share: (value) => (names.length > 1 ? names.indexOf(value) / (names.length - 1) : 0.5) };
    }
    const scaled = (value) => (kind === "log" ? Math.log10(value) : value);
    const known = values.filter((value) => typeof value === "number").map(scaled).filter(Number.isFinite);
    // A few very bad results would press all others together: they stand at the axis' end.
    const sorted = known.toSorted((a, b) => a - b);
    const tenth = Math.floor(sorted.length / 10);
    const low = sorted[worst === "low" ? tenth : 0], high = sorted.at(worst === "high" ? -1 - tenth : -1);
    const share = (value) => (high > low ? Math.min(Math.max((scaled(value) - low) / (high - low), 0), 1) : 0.5);
    return { column, title, kind, low, high, share: (value) => (typeof value === "number" ? share(value) : null) };
  });

  // A range is two shares of the axis, from its low end to its high one.
  const isKept = (row) => [...ranges].every(([place, [from, to]]) => {
    const share = axes[place].share(valueOf(row, axes[place].column));
    return share !== null && share >= from - 1e-6 && share <= to + 1e-6;
  });

  function labelOf(axis, share) {
    if (axis.kind === "name") return axis.names[Math.round(share * (axis.names.length - 1))];
    const value = axis.low + share * (axis.high - axis.low);
    if (axis.kind === "log") return String(Number((10 ** value).toPrecision(2)));
    return axis.kind === "percent" ? `${Number((100 * value).toPrecision(4))}%` : String(Number(value.toPrecision(3)));
  }

  function draw() {
    const width = host.clientWidth, height = parseFloat(host.style.height);
    if (!width) return;
    drawn = width;
    const svg = element("svg", { class: "drawing", width, height, viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" });
    const x = (place) => SIDE + (place * (width - 2 * SIDE)) / (axes.length - 1);
    const y = (share) => TOP + (1 - share) * (height - TOP - BOTTOM);
    const last = axes.length - 1;
    const lines = { kept: "", far: "", best: "" };
    for (const row of rows) {
      const shares = axes.map((axis) => axis.share(valueOf(row, axis.column)));
      const path = shares.map((share, place) => (share === null ? "" : `${place && shares[place - 1] !== null ? "L" : "M"}${x(place).toFixed(1)},${y(share).toFixed(1)}`)).join("");
      const shown = !row.hidden && isKept(row);
      lines[row.classList.contains("best") && shown ? "best" : shown ? "kept" : "far"] += path;
    }
    svg.append(
      element("path", { d: lines.far, fill: "none", stroke: "var(--muted)", opacity: 0.12 }),
      element("path", { d: lines.kept, fill: "none", stroke: "var(--series0)", opacity: rows.length > 200 ? 0.25 : 0.55, "stroke-width": 1.3 }),
      element("path", { d: lines.best, fill: "none", stroke: "var(--series1)", "stroke-width": 2.5 }));
    axes.forEach((axis, place) => {
      svg.append(element("path", { d: `M${x(place)},${TOP}V${height - BOTTOM}`, stroke: "var(--ink)", "stroke-width": 1.2 }));
      svg.append(textElement(axis.title, x(place), 14, { colour: "var(--ink)", size: 12, anchor: "middle" }));
      const ticks = axis.kind === "name" ? axis.names.map((_, index) => (axis.names.length > 1 ? index / (axis.names.length - 1) : 0.5)) : [0, 0.25, 0.5, 0.75, 1];
      for (const share of ticks) {
        const right = place === last;
        svg.append(textElement(labelOf(axis, share), x(place) + (right ? -6 : 6), y(share) + 4, { size: 11, colour: "var(--muted)", anchor: right ? "end" : "start", look: "halo" }));
      }
      const range = ranges.get(place);
      if (range) svg.append(element("rect", { x: x(place) - 7, width: 14, y: y(range[1]) - 3, height: y(range[0]) - y(range[1]) + 6, fill: "var(--accent)", opacity: 0.35, rx: 3 }));
    });
    host.replaceChildren(svg);
  }

  function apply() {
    for (const row of rows) row.classList.toggle("outside", !isKept(row));
    state.write("between", [...ranges].map(([place, [from, to]]) => `${place}:${from.toFixed(3)}:${to.toFixed(3)}`).join(" "));
    form?.dispatchEvent(new Event("input")); // which counts the rows, and has this drawn
  }

  let drag = null;
  const shareAt = (event) => {
    const box = host.getBoundingClientRect();
    const share = 1 - (event.clientY - box.top - TOP) / (box.height - TOP - BOTTOM);
    return Math.min(Math.max(share, 0), 1);
  };
  host.addEventListener("pointerdown", (event) => {
    const across = event.clientX - host.getBoundingClientRect().left;
    const step = (host.clientWidth - 2 * SIDE) / (axes.length - 1);
    const place = Math.round((across - SIDE) / step);
    if (!axes[place] || Math.abs(across - SIDE - place * step) > 22) return;
    drag = { place, from: shareAt(event) };
    host.setPointerCapture(event.pointerId);
  });
  host.addEventListener("pointermove", (event) => {
    if (!drag) return;
    const to = shareAt(event);
    if (Math.abs(to - drag.from) < 0.02) return;
    ranges.set(drag.place, [Math.min(drag.from, to), Math.max(drag.from, to)]);
    draw();
  });
  host.addEventListener("pointerup", (event) => {
    if (!drag) return;
    if (Math.abs(shareAt(event) - drag.from) < 0.02) ranges.delete(drag.place);
    drag = null;
    apply();
  });

  for (const part of (state.read().get("between") ?? "").split(" ").filter(Boolean)) {
    const [place, from, to] = part.split(":").map(Number);
    if (axes[place] && from <= to) ranges.set(place, [from, to]);
  }
  window.addEventListener("actlab:shown", () => { if (host.clientWidth !== drawn) draw(); });
  form?.addEventListener("input", draw);
  if (window.ResizeObserver) new ResizeObserver(() => { if (host.clientWidth !== drawn) draw(); }).observe(host);
  if (ranges.size) apply();
  else draw();
})();
