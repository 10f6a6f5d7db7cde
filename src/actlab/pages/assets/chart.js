"use strict";

// Draws a figure as SVG: the part of Plotly's schema that the pages use, in the colours of the page.
// A figure has at most a few elements for each trace, however many points: marks are one path.
(() => {
  const NS = "http://www.w3.org/2000/svg";
  const SIZE = 13;
  const NEAR = 28;
  const DASHES = { dot: "1.5 3.5", dash: "7 4", dashdot: "7 3 1.5 3", longdash: "12 4", longdashdot: "12 3 1.5 3" };
  const ruler = document.createElement("canvas").getContext("2d");

  // A colour of the light theme becomes its name, so that a change of theme needs no drawing.
  function paint(colour) {
    const names = window.actlabColours ?? {};
    return names[colour] ? `var(--${names[colour]})` : colour ?? "none";
  }

  function element(name, attributes = {}, ...children) {
    const made = document.createElementNS(NS, name);
    for (const [key, value] of Object.entries(attributes)) {
      if (value !== undefined && value !== null) made.setAttribute(key, value);
    }
    made.append(...children);
    return made;
  }

  // Labels are text with <b>, <br> and three entities, and nothing else.
  const plain = (text) => String(text).replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
  const linesOf = (text) => String(text).split(/<br\/?>/).map((line) =>
    line.split(/<\/?b>/).map((part, place) => ({ text: plain(part), bold: place % 2 === 1 }))
      .filter(({ text: part }) => part));

  function widthOf(text, size = SIZE) {
    ruler.font = `${size}px ${getComputedStyle(document.body).fontFamily}`;
    return Math.max(0, ...linesOf(text).map((line) =>
      line.reduce((sum, part) => sum + ruler.measureText(part.text).width * (part.bold ? 1.08 : 1), 0)));
  }

  function textElement(text, x, y, { anchor = "middle", size = SIZE, colour, rotate, look } = {}) {
    const made = element("text", { x, y, "text-anchor": anchor, "font-size": size, fill: paint(colour), class: look,
      transform: rotate ? `rotate(${rotate} ${x} ${y})` : undefined });
    linesOf(text).forEach((line, row) => {
      const span = element("tspan", { x, dy: row ? 1.25 * size : undefined });
      for (const part of line) {
        span.append(part.bold ? element("tspan", { "font-weight": 700 }, part.text) : part.text);
      }
      made.append(span);
    });
    return made;
  }

  const tidy = (text) => text.replace("-", "−");
  const trimmed = (text) => (text.includes(".") && !text.includes("e") ? text.replace(/\.?0+$/, "") : text);

  // The formats of the page's labels: ".4~p", ".2%", ".3f", ".3~g", "d".
  function formatted(value, format = "") {
    if (typeof value !== "number") return plain(value ?? "–");
    const found = /^\.?(\d*)(~?)([fgpd%]?)$/.exec(format);
    const digits = Number(found?.[1] || 0);
    const trim = (text) => tidy(found?.[2] ? trimmed(text) : text);
    switch (found?.[3]) {
      case "f": return trim(value.toFixed(digits));
      case "%": return trim(`${(100 * value).toFixed(digits)}`) + "%";
      case "p": return trim(String(Number((100 * value).toPrecision(digits || 6)))) + "%";
      case "g": return tidy(String(Number(value.toPrecision(digits || 6))));
      case "d": return tidy(String(Math.round(value)));
      default: return tidy(String(Number(value.toPrecision(8))));
    }
  }

  const SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹";
  const power = (exponent) =>
    `10${exponent < 0 ? "⁻" : ""}${String(Math.abs(exponent)).replace(/\d/g, (digit) => SUPERSCRIPTS[digit])}`;

  function steps(low, high, count) {
    const rough = (high - low) / Math.max(count, 1);
    const ten = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map((part) => part * ten).find((part) => part >= rough * 0.999);
    const first = Math.ceil(low / step - 1e-9);
    return Array.from({ length: Math.max(Math.floor(high / step + 1e-9) - first + 1, 0) },
      (_, place) => Number(((first + place) * step).toPrecision(12)));
  }

  const isText = (values) => values.some((value) => typeof value === "string");

  // An axis: from values of the figure to pixels.
  class Axis {
    constructor(figure, id, zoomed) {
      this.id = id;
      this.letter = id[0];
      this.key = `${id[0]}axis${id.slice(1)}`;
      this.layout = figure.layout[this.key] ?? {};
      const mine = figure.data.filter((trace) => (trace[`${this.letter}axis`] ?? this.letter) === id);
      const values = mine.flatMap((trace) => trace[this.letter] ?? []);
      this.type = this.layout.type ?? (isText(values) ? "category" : "linear");
      this.domain = this.layout.domain ?? [0, 1];
      if (this.type === "category") this.names = [...new Set(values.map(String))];
      this.range = zoomed?.[this.key] ?? this.layout.range ?? this.automatic(mine);
    }

    automatic(traces) {
      if (this.names) {
        const ends = [-0.5, this.names.length - 0.5];
        return this.layout.autorange === "reversed" ? ends.reverse() : ends;
      }
      const along = (trace) => (trace.orientation === "h" ? "x" : "y");
      const all = traces.flatMap((trace) => {
        const error = trace[`error_${this.letter}`];
        const own = (trace[this.letter] ?? []).filter((value) => value !== null);
        const ends = error ? own.flatMap((value, place) =>
          [value + (error.array?.[place] ?? 0), value - (error.arrayminus?.[place] ?? 0)]) : [];
        return [...own, ...ends, ...(trace.type === "bar" && along(trace) === this.letter ? [0] : [])];
      }).map((value) => this.scaled(value)).filter(Number.isFinite);
      let low = all.reduce((a, b) => Math.min(a, b), Infinity);
      let high = all.reduce((a, b) => Math.max(a, b), -Infinity);
      if (!all.length) [low, high] = [0, 1];
      const bars = traces.some((trace) => trace.type === "bar");
      const across = bars && !traces.some((trace) => along(trace) === this.letter);
      const pad = across ? 0.5 : 0.05 * (high - low) || 0.5;
      const zero = this.layout.rangemode === "tozero" || (bars && !across && low >= 0);
      return [zero ? 0 : low - pad, high + pad];
    }

    scaled(value) {
      if (this.names) return typeof value === "string" ? this.names.indexOf(value) : value;
      return this.type === "log" ? Math.log10(value) : Number(value);
    }

    lay(start, length) {
      const [from, to] = this.domain;
      this.start = this.letter === "x" ? start + from * length : start + (1 - to) * length;
      this.length = (to - from) * length;
    }

    place(value) {
      const share = (this.scaled(value) - this.range[0]) / (this.range[1] - this.range[0]);
      return this.start + (this.letter === "x" ? share : 1 - share) * this.length;
    }

    inverse(pixel) {
      const share = (pixel - this.start) / this.length;
      return this.range[0] + (this.letter === "x" ? share : 1 - share) * (this.range[1] - this.range[0]);
    }

    get ends() {
      return [Math.min(...this.range), Math.max(...this.range)];
    }

    // [value, label] of each tick that the range holds.
    ticks(length) {
      const { tickvals, ticktext, tickformat, dtick, nticks } = this.layout;
      const [low, high] = this.ends;
      const inside = ([value]) => this.scaled(value) >= low - 1e-9 && this.scaled(value) <= high + 1e-9;
      if (tickvals) return tickvals.map((value, place) => [value, ticktext?.[place] ?? formatted(value, tickformat)]).filter(inside);
      if (this.names) return this.names.map((name) => [name, name]).filter(inside);
      const room = nticks ?? Math.max(2, Math.floor(length / (this.letter === "x" ? 85 : 42)));
      if (this.type === "log") return this.logarithmic(low, high, room).map((value) => [value, this.rate(value)]);
      const fixed = typeof dtick === "number" && (high - low) / dtick <= 3 * room;
      const values = fixed ? steps(low, high, (high - low) / dtick) : steps(low, high, room);
      const whole = tickformat === "d" ? values.filter(Number.isInteger) : values;
      return whole.map((value) => [value, formatted(value, tickformat)]);
    }

    logarithmic(low, high, room) {
      const powers = [];
      for (let at = Math.floor(low) - 1; at <= Math.ceil(high); at += 1) powers.push(at);
      const some = (parts) => powers.flatMap((at) => parts.map((part) => Number(`${part}e${at}`)))
        .filter((value) => Math.log10(value) >= low - 1e-9 && Math.log10(value) <= high + 1e-9);
      const fine = some([1, 2, 5]);
      if (fine.length >= 2 && fine.length <= room + 2) return fine;
      if (fine.length < 2) return steps(10 ** low, 10 ** high, room);
      const coarse = some([1]);
      const every = Math.ceil(coarse.length / Math.max(room, 1));
      return coarse.filter((_, place) => place % every === 0);
    }

    rate(value) {
      const exponent = Math.log10(value);
      const far = Math.abs(exponent) >= 5 || this.layout.exponentformat === "power";
      return far && Number.isInteger(Math.round(exponent * 1e9) / 1e9) ? power(Math.round(exponent))
        : formatted(value, this.layout.tickformat ?? ".6~g");
    }
  }

  const polygon = (points) => `M${points.map((point) => point.join(",")).join("L")}Z`;
  const around = (x, y, radius, corners, turn = 0, inner = 0) => {
    const count = inner ? 2 * corners : corners;
    return polygon(Array.from({ length: count }, (_, place) => {
      const angle = (2 * Math.PI * place) / count - Math.PI / 2 + turn;
      const length = inner && place % 2 ? inner * radius : radius;
      return [(x + length * Math.cos(angle)).toFixed(1), (y + length * Math.sin(angle)).toFixed(1)];
    }));
  };
  const SHAPES = {
    circle: (x, y, r) => `M${(x - r).toFixed(1)},${y.toFixed(1)}a${r},${r} 0 1,0 ${2 * r},0a${r},${r} 0 1,0 ${-2 * r},0`,
    square: (x, y, r) => polygon([[x - r, y - r], [x + r, y - r], [x + r, y + r], [x - r, y + r]]),
    diamond: (x, y, r) => around(x, y, 1.3 * r, 4),
    "triangle-up": (x, y, r) => around(x, y + 0.15 * r, 1.3 * r, 3),
    "triangle-down": (x, y, r) => around(x, y - 0.15 * r, 1.3 * r, 3, Math.PI),
    "triangle-left": (x, y, r) => around(x - 0.15 * r, y, 1.3 * r, 3, -Math.PI / 2),
    "triangle-right": (x, y, r) => around(x + 0.15 * r, y, 1.3 * r, 3, Math.PI / 2),
    cross: (x, y, r) => {
      const w = 0.4 * r;
      return polygon([[x - w, y - r], [x + w, y - r], [x + w, y - w], [x + r, y - w], [x + r, y + w], [x + w, y + w],
        [x + w, y + r], [x - w, y + r], [x - w, y + w], [x - r, y + w], [x - r, y - w], [x - w, y - w]]);
    },
    pentagon: (x, y, r) => around(x, y, 1.15 * r, 5),
    star: (x, y, r) => around(x, y, 1.4 * r, 5, 0, 0.45),
    hourglass: (x, y, r) => polygon([[x - r, y - r], [x + r, y - r], [x - r, y + r], [x + r, y + r]]),
    "line-ns": (x, y, r) => `M${x},${y - r}V${y + r}`,
    "x-thin": (x, y, r) => `M${x - r},${y - r}L${x + r},${y + r}M${x + r},${y - r}L${x - r},${y + r}`,
    x: (x, y, r) => `M${x - r},${y - r}L${x + r},${y + r}M${x + r},${y - r}L${x - r},${y + r}`,
  };
  const THIN = new Set(["line-ns", "x-thin", "x"]);

  function markPath(marker, at) {
    const symbol = marker.symbol ?? "circle";
    const open = symbol.endsWith("-open");
    const bare = symbol.replace("-open", "");
    const radius = (marker.size ?? 6) / 2;
    const thin = THIN.has(bare);
    const edge = thin ? Math.max(marker.line?.width ?? 0, 2) : marker.line?.width ?? 0;
    return element("path", {
      d: at.map(([x, y]) => (SHAPES[bare] ?? SHAPES.circle)(x, y, radius)).join(""),
      fill: open || thin ? "none" : paint(marker.color),
      stroke: open ? paint(marker.color) : edge ? paint(marker.line?.color ?? marker.color) : undefined,
      "stroke-width": open ? Math.max(edge, 1.8) : edge || undefined,
      opacity: marker.opacity,
    });
  }

  function linePath(points, shape) {
    let path = "", open = false, last = null;
    for (const point of points) {
      if (!point) { open = false; continue; }
      const [x, y] = point.map((value) => Number(value.toFixed(2)));
      if (!open) path += `M${x},${y}`;
      else if (shape === "hv") path += `H${x}V${y}`;
      else if (shape === "hvh") path += `H${(last[0] + x) / 2}V${y}H${x}`;
      else path += `L${x},${y}`;
      open = true;
      last = [x, y];
    }
    return path;
  }

  const isShown = (trace, hidden) => !hidden.has(trace.legendgroup || trace.name || "");

  function legendItems(figure) {
    const items = new Map();
    for (const trace of figure.data) {
      const key = trace.legendgroup || trace.name;
      if (trace.name && trace.showlegend !== false && !items.has(key)) items.set(key, { trace, name: trace.name });
    }
    for (const shape of figure.layout.shapes ?? []) {
      if (shape.showlegend) items.set(`shape ${shape.name}`, { shape, name: shape.name });
    }
    const wanted = figure.layout.showlegend ?? items.size > 1;
    return wanted ? [...items] : [];
  }

  function swatch({ trace, shape }, x, y) {
    const line = shape ? shape.line ?? {} : trace.line ?? {};
    if (shape?.type === "rect") return element("rect", { x, y: y - 6, width: 18, height: 12, fill: paint(shape.fillcolor) });
    if (trace?.type === "bar") return element("rect", { x: x + 3, y: y - 6, width: 12, height: 12, fill: paint(trace.marker.color) });
    const group = element("g");
    if (shape || trace.mode?.includes("lines")) {
      group.append(element("path", { d: `M${x},${y}h18`, stroke: paint(line.color), "stroke-width": line.width ?? 2,
        "stroke-dasharray": DASHES[line.dash] }));
    }
    if (trace?.mode?.includes("markers")) {
      const marker = { ...trace.marker, size: Math.min(trace.marker?.size ?? 8, 12) };
      group.append(markPath({ color: line.color, ...marker }, [[x + 9, y]]));
    }
    return group;
  }

  function legend(figure, width, hidden, redraw) {
    const group = element("g", { class: "legend" });
    let x = 0, row = 0;
    for (const [key, item] of legendItems(figure)) {
      const wide = 26 + widthOf(item.name) + 16;
      if (x && x + wide > width) [x, row] = [0, row + 1];
      const at = 12 + 21 * row;
      const entry = element("g", { opacity: item.trace && !isShown(item.trace, hidden) ? 0.35 : undefined },
        swatch(item, x, at), textElement(item.name, x + 25, at + 4.5, { anchor: "start", colour: "var(--ink)" }));
      if (item.trace) {
        entry.setAttribute("class", "toggle");
        entry.addEventListener("click", () => {
          if (hidden.has(key)) hidden.delete(key);
          else hidden.add(key);
          redraw();
        });
      }
      group.append(entry);
      x += wide;
    }
    return { group, height: group.childNodes.length ? 21 * (row + 1) + 8 : 0 };
  }

  const idsOf = (figure, letter) => {
    const ids = Object.keys(figure.layout).filter((key) => new RegExp(`^${letter}axis\\d*$`).test(key))
      .map((key) => key.replace("axis", ""));
    return ids.length ? ids : [letter];
  };

  function drawing(host, { figure, zoomed, hidden, redraw, paper }) {
    const width = paper ?? Math.max(host.clientWidth, 120);
    const height = parseFloat(host.style.height) || host.clientHeight || 320;
    const traces = figure.data.filter((trace) => isShown(trace, hidden));
    const axes = {};
    for (const letter of ["x", "y"]) {
      for (const id of idsOf(figure, letter)) axes[id] = new Axis(figure, id, zoomed);
    }
    for (const one of Object.values(axes)) {
      const leader = axes[one.layout.matches];
      if (leader && zoomed?.[leader.key]) one.range = leader.range;
    }
    const base = figure.layout.margin ?? {};
    const { group: words, height: above } = legend(figure, width - 8, hidden, redraw);
    const xs = Object.values(axes).filter((one) => one.letter === "x");
    const ys = Object.values(axes).filter((one) => one.letter === "y");
    const isDrawn = (one) => one.layout.visible !== false && one.layout.showticklabels !== false;
    const size = (one) => one.layout.tickfont?.size ?? 12;
    const wide = (one) => Math.max(0, ...[0.45, 0.65, 0.8].flatMap((share) =>
      one.ticks(share * height * (one.domain[1] - one.domain[0])).map(([, label]) => widthOf(label, size(one)))));
    const outer = (one) => (axes[one.layout.anchor ?? "x"]?.domain[0] ?? 0) < 0.02 || one.domain[1] < 0.1;
    const left = Math.max(base.l ?? 0, 8, ...ys.filter((one) => isDrawn(one) && outer(one))
      .map((one) => wide(one) + 12 + (one.layout.title?.text ? 20 : 0)));
    const scale = figure.data.find((trace) => trace.type === "heatmap" && trace.showscale !== false);
    const ends = figure.data.filter((trace) => trace.meta?.label);
    const right = Math.max(base.r ?? 0, 16, scale ? 68 : 0,
      ...ends.map((trace) => widthOf(trace.meta.label) + 12));
    const inner = width - left - right;
    const angled = (one) => {
      if (one.layout.tickangle) return one.layout.tickangle;
      const labels = one.ticks(inner).map(([, label]) => widthOf(label, size(one)) + 10);
      return one.names && Math.max(0, ...labels) > (inner * (one.domain[1] - one.domain[0])) / labels.length ? -35 : 0;
    };
    const tall = (one) => {
      const turn = angled(one);
      const longest = Math.max(0, ...one.ticks(inner).map(([, label]) => widthOf(label, size(one))));
      const labels = turn ? longest * Math.abs(Math.sin((turn * Math.PI) / 180)) + 16 : 20;
      return labels + (one.layout.title?.text ? 22 : 2);
    };
    const tops = xs.filter((one) => isDrawn(one) && one.layout.side === "top").map(tall);
    const bottoms = xs.filter((one) => isDrawn(one) && one.layout.side !== "top" ).map(tall);
    const top = Math.max(base.t ?? 0, 8) + above + Math.max(0, ...tops);
    const bottom = Math.max(base.b ?? 0, 8, ...bottoms);
    for (const one of xs) one.lay(left, inner);
    for (const one of ys) one.lay(top, height - top - bottom);

    const svg = element("svg", { class: "drawing", width, height, viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" });
    const grids = element("g"), under = element("g"), marks = element("g"), over = element("g");
    words.setAttribute("transform", `translate(4 ${Math.max(base.t ?? 0, 8) - 6})`);
    svg.append(grids, under, marks, over, words);
    const points = [];

    const partner = (one) => axes[one.layout.anchor] ??
      axes[(one.letter === "x" ? "y" : "x") + one.id.slice(1)] ?? axes[one.letter === "x" ? "y" : "x"];
    for (const one of [...xs, ...ys]) axisLines(one, partner(one));

    function axisLines(one, other) {
      const { layout } = one;
      if (layout.visible === false) return;
      const horizontal = one.letter === "x";
      const from = other.start, to = other.start + other.length;
      const atTop = layout.side === "top";
      const edge = horizontal ? (atTop ? from : to) : from;
      const turn = horizontal ? angled(one) : 0;
      for (const [value, label] of one.ticks(one.length)) {
        const at = one.place(value);
        if (layout.showgrid !== false) {
          grids.append(element("path", { d: horizontal ? `M${at},${from}V${to}` : `M${from},${at}H${to}`, stroke: paint(layout.gridcolor) }));
        }
        if (layout.showticklabels === false) continue;
        const font = { size: size(one), colour: layout.tickfont?.color ?? "var(--muted)" };
        over.append(horizontal
          ? textElement(label, at, edge + (atTop ? -8 : 16), turn ? { ...font, anchor: atTop ? "start" : "end", rotate: turn } : font)
          : textElement(label, edge - 8, at + 4, { ...font, anchor: "end" }));
      }
      if (layout.zeroline && one.type === "linear" && one.ends[0] <= 0 && one.ends[1] >= 0) {
        const at = one.place(0);
        grids.append(element("path", { d: horizontal ? `M${at},${from}V${to}` : `M${from},${at}H${to}`,
          stroke: paint(layout.zerolinecolor), "stroke-width": layout.zerolinewidth ?? 1 }));
      }
      if (layout.showline !== false) {
        grids.append(element("path", { stroke: paint(layout.linecolor ?? "var(--line)"),
          d: horizontal ? `M${one.start},${edge}h${one.length}` : `M${edge},${one.start}v${one.length}` }));
      }
      const title = layout.title?.text;
      if (!title) return;
      const colour = layout.title.font?.color ?? "var(--muted)";
      const middle = one.start + one.length / 2;
      over.append(horizontal
        ? textElement(title, middle, atTop ? above + 14 + Math.max(base.t ?? 0, 8) : height - 6, { colour })
        : textElement(title, 12, middle, { colour, rotate: -90 }));
    }

    const clip = `clip-${host.id}-`;
    const clips = new Map();
    function clipped(x, y) {
      const id = `${clip}${x.id}${y.id}`;
      if (!clips.has(id)) {
        const group = element("g", { "clip-path": `url(#${id})` });
        clips.set(id, group);
        svg.prepend(element("clipPath", { id }, element("rect",
          { x: x.start - 7, y: y.start - 7, width: Math.max(x.length + 14, 0), height: Math.max(y.length + 14, 0) })));
        marks.append(group);
      }
      return clips.get(id);
    }

    function at(value, reference, letter) {
      if (reference === "paper") {
        return letter === "x" ? left + value * inner : top + (1 - value) * (height - top - bottom);
      }
      const one = axes[(reference ?? letter).split(" ")[0]];
      if (reference?.endsWith("domain")) return letter === "x" ? one.start + value * one.length : one.start + (1 - value) * one.length;
      return one.place(value);
    }

    for (const shape of figure.layout.shapes ?? []) {
      const x = [shape.x0, shape.x1].map((value) => at(value, shape.xref, "x"));
      let y = shape.ysizemode === "pixel"
        ? [shape.y0, shape.y1].map((pixels) => at(shape.yanchor, shape.yref, "y") - pixels)
        : [shape.y0, shape.y1].map((value) => at(value, shape.yref, "y"));
      const near = ([a, b], one) => [a, b].map((value) => Math.min(Math.max(value, one.start - 9999), one.start + 9999));
      y = near(y, ys[0]);
      const outside = !["paper", undefined].includes(shape.xref) || shape.xref === undefined;
      const xAxis = axes[(shape.xref ?? "x").split(" ")[0]];
      const kept = outside && xAxis && shape.ysizemode !== "pixel"
        ? x.map((value) => Math.min(Math.max(value, xAxis.start), xAxis.start + xAxis.length)) : x;
      if (outside && xAxis && kept[0] === kept[1] && x[0] !== kept[0]) continue;
      const yAxis = axes[(shape.yref ?? "y").split(" ")[0]];
      const high = shape.yref === "paper" || !yAxis ? y
        : y.map((value) => Math.min(Math.max(value, yAxis.start - (shape.ysizemode === "pixel" ? 999 : 0)), yAxis.start + yAxis.length));
      const layer = shape.layer === "below" ? under : over;
      const line = { stroke: shape.line?.width === 0 ? undefined : paint(shape.line?.color), "stroke-width": shape.line?.width,
        "stroke-dasharray": DASHES[shape.line?.dash] };
      layer.append(shape.type === "rect"
        ? element("rect", { x: Math.min(...kept), y: Math.min(...high), width: Math.abs(kept[1] - kept[0]),
          height: Math.abs(high[1] - high[0]), fill: paint(shape.fillcolor), ...line })
        : element("path", { d: `M${kept[0]},${high[0]}L${kept[1]},${high[1]}`, ...line }));
    }

    const bars = traces.filter((trace) => trace.type === "bar");
    const labels = [];
    for (const trace of traces) {
      const x = axes[trace.xaxis ?? "x"], y = axes[trace.yaxis ?? "y"];
      if (trace.type === "heatmap") heat(trace, x, y);
      else if (trace.type === "bar") bar(trace, x, y);
      else scatter(trace, x, y);
    }

    function scatter(trace, x, y) {
      const mode = trace.mode ?? "lines";
      const inside = clipped(x, y);
      const placed = (trace.x ?? []).map((value, place) => {
        const other = trace.y[place];
        if (value === null || other === null || value === undefined || other === undefined) return null;
        const found = [x.place(value), y.place(other)];
        return found.every(Number.isFinite) ? found.map((pixel) => Math.min(Math.max(pixel, -4000), 6000)) : null;
      });
      if (mode.includes("lines")) {
        const path = linePath(placed, trace.line?.shape);
        if (trace.fill === "tozeroy" && placed.some(Boolean)) {
          const known = placed.filter(Boolean), floor = y.place(0);
          inside.append(element("path", { d: `${linePath(known, trace.line?.shape)}V${floor}H${known[0][0]}Z`,
            fill: paint(trace.line?.color), opacity: 0.13 }));
        }
        inside.append(element("path", { d: path, fill: "none", stroke: paint(trace.line?.color), "stroke-width": trace.line?.width ?? 2,
          "stroke-dasharray": DASHES[trace.line?.dash], "stroke-linejoin": "round", opacity: trace.opacity }));
      }
      for (const letter of ["x", "y"]) {
        const error = trace[`error_${letter}`];
        if (!error) continue;
        const along = letter === "x" ? x : y;
        const path = placed.map((point, place) => {
          if (!point) return "";
          const value = trace[letter][place];
          const [low, high] = [value - (error.arrayminus?.[place] ?? error.array?.[place] ?? 0), value + (error.array?.[place] ?? 0)]
            .map((end) => along.place(end));
          if (!Number.isFinite(low) || !Number.isFinite(high)) return "";
          const cap = error.width ?? 4;
          return letter === "x"
            ? `M${low},${point[1]}H${high}M${low},${point[1] - cap}v${2 * cap}M${high},${point[1] - cap}v${2 * cap}`
            : `M${point[0]},${low}V${high}M${point[0] - cap},${low}h${2 * cap}M${point[0] - cap},${high}h${2 * cap}`;
        }).join("");
        if (path) inside.append(element("path", { d: path, fill: "none", stroke: paint(error.color), "stroke-width": error.thickness ?? 2 }));
      }
      if (mode === "markers") edges(trace, placed, x, y, inside);
      if (mode.includes("markers")) {
        const kept = placed.filter((point) => point && !point.edge);
        if (kept.length) inside.append(markPath({ color: trace.line?.color, ...trace.marker }, kept));
      }
      if (mode.includes("text")) {
        placed.forEach((point, place) => point && inside.append(textElement(trace.text[place], point[0], point[1] + 4, { colour: "var(--ink)" })));
      }
      if (trace.hoverinfo !== "skip") {
        placed.forEach((point, place) => point && points.push({ x: point[0], y: point[1], trace, place,
          seen: point[0] >= x.start - 7 && point[0] <= x.start + x.length + 7 && point[1] >= y.start - 7 && point[1] <= y.start + y.length + 7 }));
      }
      if (trace.meta?.label) {
        const last = placed.findLast((point) => point && point[1] >= y.start && point[1] <= y.start + y.length);
        if (last) labels.push({ text: trace.meta.label, x: last[0], y: last[1], colour: trace.line?.color });
      }
    }

    // A mark outside of what is shown becomes an arrow at the edge that it lies beyond.
    function edges(trace, placed, x, y, inside) {
      if (trace.meta?.group) return;
      const beyond = { "triangle-left": [], "triangle-right": [], "triangle-up": [], "triangle-down": [] };
      for (const point of placed.filter(Boolean)) {
        const [left, right, over, under] = [x.start - 1, x.start + x.length + 1, y.start - 1, y.start + y.length + 1];
        const side = point[0] < left ? "triangle-left" : point[0] > right ? "triangle-right"
          : point[1] < over ? "triangle-up" : point[1] > under ? "triangle-down" : "";
        if (!side) continue;
        point.edge = true;
        point[0] = Math.min(Math.max(point[0], left + 4), right - 4);
        point[1] = Math.min(Math.max(point[1], over + 4), under - 4);
        beyond[side].push(point);
      }
      for (const [symbol, points] of Object.entries(beyond)) {
        if (points.length) inside.append(markPath({ symbol, size: 6, color: trace.marker?.color, opacity: 0.8 }, points));
      }
    }

    // Labels at the ends of lines, moved apart where two would touch.
    labels.sort((one, two) => one.y - two.y).forEach((label, place) => {
      const before = labels[place - 1];
      label.at = Math.max(label.y, before ? before.at + 15 : top + 4);
    });
    for (let place = labels.length - 1; place >= 0; place -= 1) {
      const next = labels[place + 1];
      labels[place].at = Math.min(labels[place].at, next ? next.at - 15 : height - bottom);
    }
    for (const { text, x, at: y, colour } of labels) {
      over.append(textElement(text, x + 8, y + 4, { anchor: "start", colour, look: "end" }));
    }

    function bar(trace, x, y) {
      const flat = trace.orientation === "h";
      const across = flat ? y : x, along = flat ? x : y;
      const mine = bars.filter((one) => (one.xaxis ?? "x") === x.id && (one.yaxis ?? "y") === y.id);
      const unit = Math.abs(across.length / (across.range[1] - across.range[0]));
      const gap = figure.layout.bargap ?? 0.2;
      const given = typeof trace.width === "number" ? trace.width : null;
      const thick = given ? given * unit * 0.96 : (unit * (1 - gap)) / mine.length;
      const shift = given ? 0 : (mine.indexOf(trace) - (mine.length - 1) / 2) * thick;
      const zero = along.place(along.type === "log" ? 10 ** along.range[0] : 0);
      const inside = clipped(x, y);
      const path = trace.x.map((_, place) => {
        const value = trace[flat ? "x" : "y"][place];
        if (value === null) return "";
        const middle = across.place(trace[flat ? "y" : "x"][place]) + shift * (flat ? -1 : 1);
        const end = along.place(value);
        points.push({ x: flat ? (zero + end) / 2 : middle, y: flat ? middle : (zero + end) / 2, trace, place, seen: true,
          box: flat ? [Math.min(zero, end), middle - thick / 2, Math.abs(end - zero), thick]
            : [middle - thick / 2, Math.min(zero, end), thick, Math.abs(end - zero)] });
        return flat ? `M${zero},${middle - thick / 2 + 0.5}H${end}v${thick - 1}H${zero}Z` : `M${middle - thick / 2 + 0.5},${zero}V${end}h${thick - 1}V${zero}Z`;
      }).join("");
      inside.append(element("path", { d: path, fill: paint(trace.marker?.color), opacity: trace.marker?.opacity ?? trace.opacity }));
    }

    function heat(trace, x, y) {
      const all = trace.z.flat().filter((value) => value !== null);
      const low = trace.zmin ?? Math.min(...all), high = trace.zmax ?? Math.max(...all);
      const colours = trace.colorscale.map(([, colour]) => colour);
      const colourOf = (value) => {
        const share = high > low ? Math.min(Math.max((value - low) / (high - low), 0), 1) : 0.5;
        return colours[Math.round(share * (colours.length - 1))];
      };
      const rows = trace.y ?? trace.z.map((_, place) => place), columns = trace.x ?? trace.z[0].map((_, place) => place);
      const step = (one, names) => Math.abs(one.length / (one.range[1] - one.range[0])) * (names.length > 1 && !one.names
        ? Math.abs(one.scaled(names[1]) - one.scaled(names[0])) : 1);
      const [w, h] = [step(x, columns), step(y, rows)];
      const inside = clipped(x, y);
      trace.z.forEach((values, row) => values.forEach((value, column) => {
        const middle = [x.place(columns[column]), y.place(rows[row])];
        if (value === null) return;
        const gaps = [(trace.xgap ?? 0), (trace.ygap ?? 0)];
        const box = [middle[0] - w / 2 + gaps[0] / 2, middle[1] - h / 2 + gaps[1] / 2, w - gaps[0], h - gaps[1]];
        inside.append(element("rect", { x: box[0], y: box[1], width: Math.max(box[2], 0), height: Math.max(box[3], 0), fill: paint(colourOf(value)), "shape-rendering": "crispEdges" }));
        const text = trace.texttemplate ? trace.text?.[row]?.[column] : "";
        if (text) {
          const lines = linesOf(text).length, font = trace.textfont?.size ?? 12;
          if (widthOf(text, font) <= w) inside.append(textElement(text, middle[0], middle[1] + 4 - (lines - 1) * 0.62 * font, { size: font, colour: "var(--ink)" }));
        }
        points.push({ x: middle[0], y: middle[1], trace, place: column, row, box, seen: true,
          values: { x: columns[column], y: rows[row], z: value, text: trace.text?.[row]?.[column], customdata: trace.customdata?.[row]?.[column] } });
      }));
      if (trace.showscale === false || !(high > low)) return;
      const tallness = y.length, part = tallness / colours.length;
      colours.forEach((colour, place) => over.append(element("rect", { x: width - right + 12, width: 10,
        y: y.start + tallness - (place + 1) * part, height: part + 0.5, fill: paint(colour) })));
      for (const [value, edge] of [[high, y.start + 10], [low, y.start + tallness]]) {
        over.append(textElement(formatted(value, trace.colorbar?.tickformat ?? ".3~g"), width - right + 26, edge, { anchor: "start", size: 11, colour: "var(--muted)" }));
      }
    }

    for (const note of figure.layout.annotations ?? []) {
      const font = note.font?.size ?? 12;
      const lines = linesOf(note.text).length;
      const x = at(note.x, note.xref, "x") + (note.xshift ?? 0);
      const y = at(note.y, note.yref, "y") - (note.yshift ?? 0);
      if (!Number.isFinite(x) || !Number.isFinite(y)) continue;
      const tallness = 1.25 * font * (lines - 1);
      const first = note.yanchor === "bottom" ? y - tallness - 3 : note.yanchor === "top" ? y + font : y - tallness / 2 + 0.35 * font;
      const anchor = { left: "start", right: "end" }[note.xanchor] ?? "middle";
      if (note.bgcolor) {
        const wideness = widthOf(note.text, font) + 6;
        const from = anchor === "start" ? x - 3 : anchor === "end" ? x - wideness + 3 : x - wideness / 2;
        over.append(element("rect", { x: from, y: first - font, width: wideness, height: tallness + 1.35 * font, fill: paint(note.bgcolor) }));
      }
      over.append(textElement(note.text, x, first, { anchor, size: font, colour: note.font?.color ?? "var(--ink)" }));
    }
    return { svg, points, axes };
  }

  // What a point says: the template with %{name} and %{name:format} filled in.
  function sayingOf({ trace, place, values }) {
    const known = values ?? { x: trace.x[place], y: trace.y[place], text: trace.text?.[place], customdata: trace.customdata?.[place] };
    const template = (trace.hovertemplate ?? `${trace.name ? `${trace.name}: ` : ""}%{y}`).replace(/<extra>.*<\/extra>/, "");
    return template.replace(/%\{(\w+)(?::([^}]*))?\}/g, (_, name, format) => {
      const value = known[name];
      return typeof value === "number" ? formatted(value, format) : String(value ?? "");
    });
  }

  let tip = null;
  function showTip(texts, x, y) {
    if (!tip) {
      tip = document.createElement("div");
      tip.className = "tip";
      document.body.append(tip);
    }
    tip.replaceChildren(...texts.flatMap((text, row) => linesOf(text).map((line, inner) => {
      const made = document.createElement("div");
      if (row && !inner) made.className = "apart";
      for (const part of line) {
        const span = document.createElement(part.bold ? "b" : "span");
        span.textContent = part.text;
        made.append(span);
      }
      return made;
    })));
    tip.hidden = false;
    const box = tip.getBoundingClientRect();
    tip.style.left = `${Math.min(Math.max(x + 14, 4), window.innerWidth - box.width - 4)}px`;
    tip.style.top = `${y + box.height + 24 > window.innerHeight ? y - box.height - 12 : y + 14}px`;
  }
  const hideTip = () => { if (tip) tip.hidden = true; };

  function nearest(points, x, y) {
    let found = null, least = NEAR * NEAR;
    for (const point of points) {
      if (!point.seen) continue;
      const box = point.box;
      const inside = box && x >= box[0] && x <= box[0] + box[2] && y >= box[1] && y <= box[1] + box[3];
      const far = inside ? -1 : (point.x - x) ** 2 + (point.y - y) ** 2;
      if (far < least && (!box || inside)) [found, least] = [point, far];
    }
    return found;
  }

  // The points of every line at the place that is nearest to x.
  function together(points, x) {
    const best = new Map();
    for (const point of points) {
      const known = best.get(point.trace);
      if (point.trace.mode === "lines" && (!known || Math.abs(point.x - x) < Math.abs(known.x - x))) best.set(point.trace, point);
    }
    return [...best.values()];
  }

  function listen(host) {
    const state = host.actlab;
    const here = (event) => {
      const box = host.getBoundingClientRect();
      return [event.clientX - box.left, event.clientY - box.top];
    };
    let from = null, frame = null;
    host.addEventListener("pointermove", (event) => {
      const [x, y] = here(event);
      if (from) {
        frame ??= state.svg.appendChild(element("rect", { fill: "var(--accent)", opacity: 0.15 }));
        const [a, b] = [Math.min(from[0], x), Math.min(from[1], y)];
        for (const [name, value] of Object.entries({ x: a, y: b, width: Math.abs(x - from[0]), height: Math.abs(y - from[1]) })) frame.setAttribute(name, value);
        return;
      }
      if (state.figure.layout.hovermode === "x unified") {
        const found = together(state.points, x);
        if (!found.length) return;
        const place = formatted(found[0].trace.x[found[0].place], ".3~g");
        showTip([`<b>x = ${place}</b>`, ...found.map(({ trace, place: index }) => `${trace.name}: ${formatted(trace.y[index], ".4~g")}`)], event.clientX, event.clientY);
        return;
      }
      const point = nearest(state.points, x, y);
      if (point) showTip([sayingOf(point)], event.clientX, event.clientY);
      else hideTip();
    });
    host.addEventListener("pointerleave", hideTip);
    host.addEventListener("click", (event) => {
      const point = nearest(state.points, ...here(event));
      if (point) host.dispatchEvent(new CustomEvent("actlab:point", { bubbles: true, detail: point }));
    });
    host.addEventListener("pointerdown", (event) => {
      if (event.pointerType === "mouse" && event.button === 0) from = here(event);
    });
    window.addEventListener("pointerup", (event) => {
      if (!from) return;
      const start = from, end = here(event);
      from = null;
      frame?.remove();
      frame = null;
      if (Math.abs(end[0] - start[0]) < 12 || Math.abs(end[1] - start[1]) < 12) return;
      for (const one of Object.values(state.axes)) {
        if (one.layout.fixedrange || one.names) continue;
        const side = one.letter === "x" ? 0 : 1;
        const [low, high] = [start[side], end[side]].map((pixel) => Math.min(Math.max(pixel, one.start), one.start + one.length));
        if (Math.abs(high - low) < 4) continue;
        const ends = [one.inverse(low), one.inverse(high)].sort((a, b) => a - b);
        state.zoomed[one.key] = one.range[0] > one.range[1] ? ends.reverse() : ends;
      }
      state.redraw();
    });
    host.addEventListener("dblclick", () => {
      state.zoomed = {};
      state.redraw();
    });
    if (window.ResizeObserver) {
      new ResizeObserver(() => {
        if (host.clientWidth && Math.abs(host.clientWidth - state.width) > 1 && !state.paper) state.redraw();
      }).observe(host);
    }
  }

  // Draws a figure into an element, or anew what has changed of it.
  // `paper` is a width in pixels in place of the element's.
  function draw(host, figure, { paper = null } = {}) {
    const known = Boolean(host.actlab);
    const state = host.actlab ??= { zoomed: {}, hidden: new Set() };
    Object.assign(state, { figure, layout: figure.layout, data: figure.data, paper });
    state.redraw = () => {
      const made = drawing(host, state);
      Object.assign(state, made, { width: host.clientWidth });
      host.replaceChildren(made.svg);
    };
    state.redraw();
    if (!known) listen(host);
  }

  // A picture of its own: every colour and font as it is shown now.
  const STYLED = ["fill", "stroke", "stroke-width", "stroke-dasharray", "opacity", "font-family", "font-size", "font-weight", "text-anchor"];
  function standalone(svg) {
    const copy = svg.cloneNode(true);
    const sources = [svg, ...svg.querySelectorAll("*")], copies = [copy, ...copy.querySelectorAll("*")];
    sources.forEach((source, place) => {
      const style = getComputedStyle(source);
      for (const name of STYLED) {
        const value = style.getPropertyValue(name);
        if (value && !(name === "opacity" && value === "1")) copies[place].setAttribute(name, value);
      }
      copies[place].removeAttribute("class");
      copies[place].removeAttribute("style");
    });
    const { width, height } = svg.getBoundingClientRect();
    copy.setAttribute("xmlns", NS);
    copy.setAttribute("width", width);
    copy.setAttribute("height", height);
    const surface = getComputedStyle(document.documentElement).getPropertyValue("--surface").trim();
    copy.prepend(element("rect", { width: "100%", height: "100%", fill: surface }));
    return new XMLSerializer().serializeToString(copy);
  }

  window.actlabChart = { draw, standalone, element, textElement, hideTip, showTip };
})();
