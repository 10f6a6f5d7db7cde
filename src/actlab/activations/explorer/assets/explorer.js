// What is chosen, in which slot (a colour and a line style), with which parameters. Everything that
// draws listens here; the choice is kept in the address, so that a view can be shared.

const PAGE = JSON.parse(document.getElementById("page-data").textContent);
const WORDS = PAGE.words;
const DASHES = ["solid", "dash", "dot", "dashdot", "longdash", "longdashdot"];

const USUAL_GAIN = String(Math.SQRT2);
const state = {chosen: [], half: 5, mean: 0, spread: 1, difference: false, logarithmic: false, gain: USUAL_GAIN};
const listeners = [];

function say(text, values) {
  return text.replace(/\{(\w+)\}/g, (_, key) => values[key]);
}

function known(name) {
  return PAGE.functions[name] ?? (name.startsWith("=") ? pasted(name.slice(1)) : undefined);
}

// A formula that was typed in becomes a function of the page; its name is "=" and its text.
function pasted(text) {
  const name = `=${text}`;
  const formula = readFormula(text);
  FORMULAS[name] = formula;
  PAGE.functions[name] = {
    sliders: formula.parameters.map((parameter) => ({name: parameter, default: 1, low: -5, high: 5})),
    kinks: [], minimum: null, aliases: [], exact: {mean: null},
  };
  return PAGE.functions[name];
}

const label = (entry) => entry.name.replace(/^=/, "");

function defaults(name) {
  return Object.fromEntries(PAGE.functions[name].sliders.map((s) => [s.name, s.default]));
}

function isDefault(entry) {
  return PAGE.functions[entry.name].sliders.every((s) => entry.parameters[s.name] === s.default);
}

function find(name) {
  return state.chosen.find((entry) => entry.name === name);
}

function changed(what) {
  for (const listener of listeners) listener(what);
  remember();
}

// Returns a sentence that says why not, or "" where it was added.
function add(name) {
  if (find(name)) return say(WORDS.present, {name});
  if (state.chosen.length >= PAGE.most) return WORDS.full;
  const taken = new Set(state.chosen.map((entry) => entry.slot));
  const slot = [...Array(PAGE.most).keys()].find((free) => !taken.has(free));
  state.chosen.push({name, slot, parameters: defaults(name)});
  changed("choice");
  return "";
}

function remove(name) {
  state.chosen = state.chosen.filter((entry) => entry.name !== name);
  changed("choice");
}

function setParameter(name, parameter, value) {
  const slider = PAGE.functions[name].sliders.find((s) => s.name === parameter);
  if (!Number.isFinite(value)) return;
  find(name).parameters[parameter] = Math.min(Math.max(value, slider.low), slider.high);
  changed("parameters");
}

function reset(name) {
  find(name).parameters = defaults(name);
  changed("parameters");
}

function colour(slot) {
  return `var(--series${slot})`;
}

const SETTINGS = {mean: Number, spread: Number, gain: String, minus: Boolean};

function remember() {
  const parts = state.chosen.map((entry) => {
    const moved = PAGE.functions[entry.name].sliders
      .filter((s) => entry.parameters[s.name] !== s.default)
      .map((s) => `${s.name}=${entry.parameters[s.name]}`);
    return [encodeURIComponent(entry.name), ...moved].join(":");
  });
  const settings = new URLSearchParams();
  if (state.mean !== 0) settings.set("mean", state.mean);
  if (state.spread !== 1) settings.set("spread", state.spread);
  if (state.gain !== USUAL_GAIN) settings.set("gain", state.gain);
  if (state.difference) settings.set("minus", "1");
  const text = String(settings);
  history.replaceState(null, "", `#${parts.join(",")}${text ? `?${text}` : ""}`);
}

function recall() {
  const [names, settings] = location.hash.slice(1).split("?");
  const asked = new URLSearchParams(settings ?? "");
  for (const [name, read] of Object.entries(SETTINGS)) {
    if (!asked.has(name)) continue;
    const value = read(asked.get(name));
    if (!Number.isNaN(value)) state[name === "minus" ? "difference" : name] = value;
  }
  if (!(state.spread > 0 && state.spread <= 5)) state.spread = 1;
  if (!(Math.abs(state.mean) <= 5)) state.mean = 0;
  const wanted = names.split(",").filter(Boolean).map((part) => part.split(":"))
    .map(([name, ...moved]) => [decodeURIComponent(name), ...moved.map(decodeURIComponent)])
    .filter(([name]) => isReadable(name));
  for (const [name] of wanted.length ? wanted : PAGE.chosen.map((chosen) => [chosen])) add(name);
  for (const [name, ...moved] of wanted) {
    for (const [parameter, value] of moved.map((text) => text.split("="))) {
      const isKnown = PAGE.functions[name].sliders.some((s) => s.name === parameter);
      if (isKnown && find(name)) setParameter(name, parameter, Number(value));
    }
  }
}

function isReadable(name) {
  try {
    return Boolean(known(name));
  } catch (fault) {
    if (fault instanceof FormulaFault) return false;
    throw fault;
  }
}

// The name that looks most like what was typed: the fewest letters changed, added, left out or
// swapped with their neighbour.
function nearest(given) {
  const distance = (a, b) => {
    const table = [[...Array(b.length + 1).keys()]];
    for (let i = 1; i <= a.length; i++) {
      table[i] = [i];
      for (let j = 1; j <= b.length; j++) {
        const changed = table[i - 1][j - 1] + (a[i - 1] !== b[j - 1]);
        const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
        table[i][j] = Math.min(table[i - 1][j] + 1, table[i][j - 1] + 1, changed,
          swapped ? table[i - 2][j - 2] + 1 : Infinity);
      }
    }
    return table[a.length][b.length];
  };
  const ranked = Object.keys(PAGE.functions).filter((name) => !name.startsWith("=")).map((name) => [distance(given, name), name]);
  const [steps, name] = ranked.reduce((best, pair) => (pair[0] < best[0] ? pair : best));
  return steps <= Math.max(2, given.length / 2) ? name : null;
}

function resolve(given) {
  if (PAGE.functions[given] && !given.startsWith("=")) return given;
  return Object.keys(PAGE.functions).find((name) => PAGE.functions[name].aliases.includes(given));
}

// The pictures.

function axis(title, extra) {
  return {title: {text: title}, gridcolor: "var(--grid)", zerolinecolor: "var(--line)", linecolor: "var(--line)",
    zerolinewidth: 1.5, zeroline: true, tickfont: {color: "var(--muted)"}, ...extra};
}

function drawChart(id, data, extra) {
  const layout = {showlegend: false, hovermode: "x unified", ...extra};
  actlabChart.draw(document.getElementById(`plot-${id}`), {data, layout});
}

// A line that lies on top does not hide those under it: the first is the widest.
function line(entry, extra) {
  const place = state.chosen.indexOf(entry);
  return {name: label(entry), mode: "lines", meta: {label: label(entry)},
    line: {color: colour(entry.slot), width: 2 + 0.9 * Math.max(state.chosen.length - 1 - place, 0), dash: DASHES[entry.slot]},
    ...extra};
}

function marker(entry, symbol, extra) {
  return {mode: "markers", showlegend: false, hoverinfo: "skip",
    marker: {symbol, size: 9, color: colour(entry.slot)}, ...extra};
}

// Points from -half to half, and both sides of each place where the catalogue knows a kink.
function grid(entry, half) {
  const even = Array.from({length: 801}, (_, i) => half * (i / 400 - 1));
  const moved = isDefault(entry) ? PAGE.functions[entry.name].kinks : [];
  const sides = moved.flatMap((x) => [x - 1e-9, x + 1e-9]).filter((x) => Math.abs(x) <= half);
  return even.concat(sides).sort((a, b) => a - b);
}

// Null between two points where the curve jumps, so that no upright line is drawn.
function broken(xs, ys) {
  const x = [], y = [];
  xs.forEach((place, i) => {
    if (i > 0 && place - xs[i - 1] < 1e-8 && Math.abs(ys[i] - ys[i - 1]) > 1e-6) {
      x.push(place);
      y.push(null);
    }
    x.push(place);
    y.push(ys[i]);
  });
  return {x, y};
}

function curves(entry, base) {
  const formula = FORMULAS[entry.name], xs = grid(entry, state.half);
  const of = (kind) => xs.map((x) => {
    const own = formula[kind](x + 1e-13, entry.parameters);
    return base ? own - FORMULAS[base.name][kind](x + 1e-13, base.parameters) : own;
  });
  return {value: broken(xs, of("value")), slope: broken(xs, of("slope"))};
}

function limits(ys, cap) {
  const finite = ys.filter((y) => y !== null && Number.isFinite(y));
  const low = Math.max(Math.min(0, ...finite), -cap), high = Math.min(Math.max(0, ...finite), cap);
  const margin = 0.08 * Math.max(high - low, state.difference ? 1e-6 : 0.2);
  return [low - margin, high + margin];
}

function drawValue(drawn, base) {
  const traces = drawn.map(({entry, value}) => line(entry, value));
  for (const {entry} of base ? [] : drawn) {
    const facts = PAGE.functions[entry.name], formula = FORMULAS[entry.name];
    if (!isDefault(entry)) continue;
    if (facts.minimum && Math.abs(facts.minimum[0]) <= state.half) {
      traces.push(marker(entry, "circle", {x: [facts.minimum[0]], y: [facts.minimum[1]],
        name: `${entry.name}: ${WORDS.minimum}`}));
    }
    const kinks = facts.kinks.filter((x) => Math.abs(x) <= state.half);
    if (kinks.length) {
      traces.push(marker(entry, "diamond-open", {x: kinks.flatMap((x) => [x, x]),
        y: kinks.flatMap((x) => [-1e-9, 1e-9].map((side) => formula.value(x + side, entry.parameters))),
        name: `${entry.name}: ${WORDS.kink}`}));
    }
  }
  const all = drawn.flatMap(({value}) => value.y);
  drawChart("value", traces, {xaxis: axis("x", {range: [-state.half, state.half]}),
    yaxis: axis(base ? say(WORDS.minus, {name: "f", other: label(base)}) : "", {range: limits(all, 1.15 * state.half)})});
}

function drawSlope(drawn, base) {
  const logarithmic = state.logarithmic && !base;
  const shownSlope = ({x, y}) => ({x, y: logarithmic ? y.map((value) => (value ? Math.abs(value) : null)) : y});
  const all = drawn.flatMap(({slope}) => slope.y);
  drawChart("slope", drawn.map(({entry, slope}) => line(entry, shownSlope(slope))), {
    xaxis: axis("x", {range: [-state.half, state.half]}),
    yaxis: logarithmic ? axis("|f′|", {type: "log", exponentformat: "power", range: [-4, 1]})
      : axis(base ? say(WORDS.minus, {name: "f′", other: label(base)}) : "", {range: limits(all, 8)})});
}

const LAYERS = 30;

function drawDepth() {
  const gain = state.gain === "own" ? "own" : Number(state.gain);
  const found = state.chosen.map((entry) => ({entry, ...throughDepth(FORMULAS[entry.name], entry.parameters, LAYERS, gain)}));
  for (const kind of ["signal", "gradient"]) {
    const x = Array.from({length: LAYERS + 1}, (_, layer) => layer);
    const traces = found.map(({entry, [kind]: y}) => line(entry, {x, y: y.map((size) => (size > 1e-12 && size < 1e12 ? size : null))}));
    const sizes = traces.flatMap(({y}) => y).filter((size) => size !== null).map(Math.log10);
    const ends = [Math.min(-1, ...sizes), Math.max(1, ...sizes)];
    drawChart(kind, traces, {xaxis: axis(WORDS.layer, {range: [0, LAYERS]}),
      yaxis: axis("", {type: "log", exponentformat: "power", range: [Math.max(ends[0], -8) - 0.1, Math.min(ends[1], 8) + 0.1]})});
  }
}

function drawOutcome(drawn) {
  const usual = drawn.map(({entry}) => usualOutput(FORMULAS[entry.name], entry.parameters, state.mean, state.spread));
  const low = Math.max(Math.min(-1.5, ...usual.map(([a]) => a)), -6);
  const high = Math.min(Math.max(1.5, ...usual.map(([, b]) => b)), 6);
  const room = 0.06 * (high - low);
  // Bins of a round width with an edge at 0, where many functions end.
  const power = 10 ** Math.floor(Math.log10((high - low) / 100));
  const width = [5, 2, 1].map((digit) => digit * power).find((w) => w <= (high - low) / 100);
  const start = Math.floor((low - room) / width) * width;
  const end = Math.ceil((high + room) / width) * width;
  const bins = Math.round((end - start) / width);
  const xs = Array.from({length: 200}, (_, i) => start + (end - start) * i / 199);
  const normal = (x) => Math.exp(-(((x - state.mean) / state.spread) ** 2) / 2) / state.spread / Math.sqrt(2 * Math.PI);
  const traces = [{x: xs, y: xs.map(normal), mode: "lines", name: WORDS.input, hoverinfo: "skip",
    line: {color: "var(--muted)", width: 1.2, dash: "dot"}}];
  const pins = [], annotations = [], clipped = [];
  let peak = 0.5;
  for (const {entry} of drawn) {
    const {pins: own, density, edges} =
      outcome(FORMULAS[entry.name], entry.parameters, start, end, bins, state.mean, state.spread);
    const sorted = [...density].sort((a, b) => a - b);
    peak = Math.max(peak, Math.min(sorted[Math.floor(0.97 * bins)] * 1.4, 4));
    traces.push({name: label(entry), mode: "lines", hoverinfo: "skip", x: edges.map((x) => x + width / 2), y: density,
      line: {color: colour(entry.slot), width: 2, shape: "hvh"}, fill: "tozeroy"});
    const over = edges.map((x, i) => [x + width / 2, density[i]]).filter(([, y]) => y > 1.08 * peak);
    if (over.length) clipped.push({entry, x: over.map(([x]) => x)});
    pins.push(...own.map((pin) => ({...pin, entry})));
  }
  const top = 1.08 * peak;
  const notes = pins.filter(({value}) => value >= start && value <= end)
    .sort((a, b) => a.value - b.value).slice(0, 12).map((pin, i) => ({...pin, level: i % 3}));
  for (const {value, share, entry, level} of notes) {
    const height = top * (0.94 - 0.09 * level);
    const left = value > (start + end) / 2;
    traces.push({x: [value, value], y: [0, height], mode: "lines", name: label(entry),
      line: {color: colour(entry.slot), width: 2.5}, hoverinfo: "skip"},
    marker(entry, "circle", {x: [value], y: [height]}));
    annotations.push({x: value, y: height, text: `${label(entry)}: ${shownShare(share)}`,
      showarrow: false, xanchor: left ? "right" : "left", xshift: left ? -9 : 9,
      font: {color: colour(entry.slot), size: 13}});
  }
  // A density that goes on above the picture has an arrow there.
  for (const {entry, x} of clipped) traces.push(marker(entry, "triangle-up", {x: [x[0]], y: [0.98 * top]}));
  drawChart("outcome", traces, {hovermode: "closest", annotations, xaxis: axis("f(X)", {range: [start, end]}),
    yaxis: axis(WORDS.density, {range: [0, top]})});
}

function drawCharts() {
  const base = state.difference && state.chosen.length > 1 ? state.chosen[0] : null;
  const drawn = state.chosen.map((entry) => ({entry, ...curves(entry, base)}));
  drawValue(drawn, base);
  drawSlope(drawn, base);
  drawOutcome(drawn);
  drawDepth();
}

// The chosen functions as chips and as cards with their sliders and figures.

const chips = document.getElementById("chosen");
const cards = document.getElementById("cards");

function chip(entry) {
  const item = document.createElement("li");
  item.dataset.name = entry.name;
  const swatch = document.createElement("span");
  swatch.className = `swatch dash${entry.slot}`;
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "×";
  button.setAttribute("aria-label", say(WORDS.removeNamed, {name: entry.name}));
  button.addEventListener("click", () => {
    remove(entry.name);
    document.getElementById("add-name").focus();
  });
  item.append(swatch, label(entry), button);
  item.style.setProperty("--own", colour(entry.slot));
  return item;
}

function card(entry) {
  const template = document.getElementById(entry.name.startsWith("=") ? "card-pasted" : `card-${entry.name}`);
  const element = template.content.firstElementChild.cloneNode(true);
  if (entry.name.startsWith("=")) fillPasted(entry, element);
  element.style.setProperty("--own", colour(entry.slot));
  for (const input of element.querySelectorAll("input[data-parameter]")) {
    const event = input.type === "range" ? "input" : "change";
    input.addEventListener(event, () =>
      setParameter(entry.name, input.dataset.parameter, input.valueAsNumber));
  }
  const button = element.querySelector("[data-reset]");
  if (button) button.addEventListener("click", () => reset(entry.name));
  for (const copy of element.querySelectorAll("[data-copy]")) {
    const label = copy.textContent;
    copy.addEventListener("click", async () => {
      await copied(copy.dataset.copy);
      copy.textContent = WORDS.copied;
      setTimeout(() => { copy.textContent = label; }, 1500);
    });
  }
  return element;
}

// The card of a typed formula: its text, and a slider for each name in it.
function fillPasted(entry, element) {
  element.dataset.name = entry.name;
  element.querySelector(".formula code").textContent = label(entry);
  const box = element.querySelector(".sliders");
  for (const {name, low, high, default: value} of PAGE.functions[entry.name].sliders) {
    const row = box.querySelector("template").content.firstElementChild.cloneNode(true);
    const [slider, number] = row.querySelectorAll("input");
    slider.id = `pasted-${entry.slot}-${name}`;
    row.querySelector("label").htmlFor = slider.id;
    row.querySelector("label").textContent = name;
    number.setAttribute("aria-label", name);
    for (const input of [slider, number]) Object.assign(input, {min: low, max: high, value});
    for (const input of [slider, number]) input.dataset.parameter = name;
    box.append(row);
  }
}

// A page from a file may have no clipboard of its own: then the old way, through a selection.
async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const field = document.createElement("textarea");
    field.value = text;
    document.body.append(field);
    field.select();
    document.execCommand("copy");
    field.remove();
  }
}

function fill(entry, element) {
  for (const input of element.querySelectorAll("input[data-parameter]")) {
    const value = String(entry.parameters[input.dataset.parameter]);
    if (input.value !== value && input !== document.activeElement) input.value = value;
    if (input.type === "range") input.value = value;
  }
  const exact = PAGE.functions[entry.name].exact;
  const own = isDefault(entry) && exact.mean !== null && state.mean === 0 && state.spread === 1;
  const figures = own ? exact : normalFigures(FORMULAS[entry.name], entry.parameters, state.mean, state.spread);
  const texts = {
    mean: shown(figures.mean),
    deviation: shown(Math.sqrt(Math.max(figures.second - figures.mean ** 2, 0))),
    slope: shown(figures.slope),
    flat: shownShare(figures.flat),
    gain: shown(1 / Math.sqrt(figures.second)),
    gainBack: shown(1 / Math.sqrt(figures.slopeSecond)),
  };
  for (const [name, text] of Object.entries(texts)) {
    element.querySelector(`[data-figure="${name}"]`).textContent = text;
  }
  element.querySelector("[data-origin]").textContent = own ? "" : WORDS.computed;
}

function drawChoice() {
  chips.replaceChildren(...state.chosen.map(chip));
  cards.replaceChildren(...state.chosen.map(card));
  if (!state.chosen.length) {
    const empty = document.createElement("p");
    empty.className = "note";
    empty.textContent = WORDS.nothing;
    cards.append(empty);
  }
}

function drawFigures() {
  for (const entry of state.chosen) {
    fill(entry, cards.children[state.chosen.indexOf(entry)]);
  }
}

// Sorting and filtering the table of facts, and choosing from it.

const body = document.querySelector("#facts tbody");
const rows = [...body.rows];

function sortKey(row, column) {
  const text = row.cells[column].dataset.key;
  if (text === "inf") return Infinity;
  if (text === "-inf") return -Infinity;
  return text !== "" && Number.isFinite(Number(text)) ? Number(text) : text;
}

function sortBy(button) {
  const column = Number(button.dataset.column), heading = button.closest("th");
  const falling = heading.getAttribute("aria-sort") === "ascending";
  for (const other of document.querySelectorAll("#facts thead th")) other.removeAttribute("aria-sort");
  heading.setAttribute("aria-sort", falling ? "descending" : "ascending");
  const sign = falling ? -1 : 1;
  rows.sort((left, right) => {
    const a = sortKey(left, column), b = sortKey(right, column);
    if (a === "" || b === "") return (a === "") - (b === "");
    if (typeof a === "number" && typeof b === "number") return a === b ? 0 : sign * (a < b ? -1 : 1);
    return sign * String(a).localeCompare(String(b));
  });
  body.append(...rows);
}

function matches(row, filter) {
  const {name, aliases, monotonic, low, high, learnable} = row.dataset;
  const text = `${name} ${aliases}`.toLowerCase();
  const below = low !== "-inf" && low !== "None", above = high !== "inf" && high !== "None";
  const range = {bounded: below && above, below, unbounded: !below};
  return text.includes(filter.text)
    && (!filter.monotonic || (monotonic === "non_monotonic") === (filter.monotonic === "non_monotonic"))
    && (!filter.smoothness || Number(sortKey(row, 3)) >= Number(filter.smoothness))
    && (!filter.range || range[filter.range])
    && (!filter.learnable || learnable === "yes");
}

function applyFilter() {
  const value = (id) => document.getElementById(`filter-${id}`).value;
  const filter = {text: value("text").trim().toLowerCase(), monotonic: value("monotonic"),
    smoothness: value("smoothness"), range: value("range"),
    learnable: document.getElementById("filter-learnable").checked};
  let count = 0;
  for (const row of rows) count += !(row.hidden = !matches(row, filter));
  for (const button of document.querySelectorAll("#matches button")) {
    button.hidden = rows.find((row) => row.dataset.name === button.dataset.toggle)?.hidden ?? false;
  }
  document.getElementById("count").textContent = say(WORDS.shown, {shown: count, all: rows.length});
}

function markRows() {
  for (const row of rows) {
    const entry = find(row.dataset.name), button = row.querySelector(".toggle");
    button.setAttribute("aria-pressed", String(Boolean(entry)));
    row.style.setProperty("--own", entry ? colour(entry.slot) : "transparent");
  }
  for (const button of document.querySelectorAll("#matches button")) {
    const entry = find(button.dataset.toggle);
    button.setAttribute("aria-pressed", String(Boolean(entry)));
    button.style.setProperty("--own", entry ? colour(entry.slot) : "transparent");
  }
}

// What listens to what.

function message(text) {
  document.getElementById("message").textContent = text;
}

// A slider moves more often than the screen is drawn: one drawing for each frame.
let waiting = false;
function drawSoon() {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => {
    waiting = false;
    drawFigures();
    drawCharts();
  });
}

listeners.push((what) => {
  if (what === "choice") {
    drawChoice();
    markRows();
    message("");
    drawFigures();
  }
  drawSoon();
});

document.getElementById("add").addEventListener("submit", (event) => {
  event.preventDefault();
  const field = document.getElementById("add-name"), typed = field.value.trim(), given = typed.toLowerCase();
  if (!given) return;
  let name = resolve(given);
  if (!name && /[^\w.-]|^x$/.test(typed.replace(/^=/, ""))) {
    try {
      name = `=${typed.replace(/^=/, "").replace(/\s+/g, " ").trim()}`;
      known(name);
    } catch (fault) {
      if (!(fault instanceof FormulaFault)) throw fault;
      message(fault.message);
      return;
    }
  }
  if (name) {
    message(add(name));
    field.value = "";
  } else {
    const near = nearest(given);
    message(say(near ? WORDS.near : WORDS.unknown, {given, near}));
  }
});

for (const button of document.querySelectorAll("[data-half]")) {
  button.addEventListener("click", () => {
    state.half = Number(button.dataset.half);
    for (const other of document.querySelectorAll("[data-half]")) {
      other.setAttribute("aria-pressed", String(other === button));
    }
    drawCharts();
  });
}

for (const button of document.querySelectorAll("#facts thead button")) {
  button.addEventListener("click", () => sortBy(button));
}
for (const button of document.querySelectorAll("[data-toggle]")) {
  button.addEventListener("click", () => {
    const name = button.dataset.toggle;
    if (find(name)) remove(name);
    else message(add(name));
  });
}
document.getElementById("filters").addEventListener("input", applyFilter);
document.getElementById("filters").addEventListener("submit", (event) => event.preventDefault());

for (const button of document.querySelectorAll("[data-preset]")) {
  button.addEventListener("click", () => {
    for (const {name} of [...state.chosen]) remove(name);
    for (const name of PAGE.presets[button.dataset.preset]) if (known(name)) add(name);
  });
}

// The input's distribution, the gain of the weights, and the two ways to look at near curves.
const outputs = {mean: document.getElementById("mean-shown"), spread: document.getElementById("spread-shown")};
function showSettings() {
  for (const name of ["mean", "spread"]) {
    document.getElementById(name).value = state[name];
    outputs[name].textContent = state[name].toFixed(1);
  }
  document.getElementById("gain").value = state.gain;
  document.getElementById("difference").setAttribute("aria-pressed", String(state.difference));
  document.getElementById("logarithmic").setAttribute("aria-pressed", String(state.logarithmic));
}
for (const name of ["mean", "spread"]) {
  document.getElementById(name).addEventListener("input", ({target}) => {
    state[name] = target.valueAsNumber;
    showSettings();
    changed("parameters");
  });
}
document.getElementById("gain").addEventListener("change", ({target}) => {
  state.gain = target.value;
  changed("parameters");
});
for (const name of ["difference", "logarithmic"]) {
  document.getElementById(name).addEventListener("click", () => {
    state[name] = !state[name];
    showSettings();
    changed("parameters");
  });
}

// Functions of two inputs: the whole surface as a map, and five slices through it.
const surfaceChoice = document.getElementById("surface");
async function drawSurface() {
  const {gate, value, heights} = JSON.parse(await actlabUnpacked("surfaces"))[surfaceChoice.value];
  const scale = [0, 1, 2, 3, 4].map((step) => [step / 4, `var(--heat${step})`]);
  const across = [gate[0], gate.at(-1)];
  drawChart("surface", [{type: "heatmap", x: gate, y: value, z: heights, colorscale: scale,
    hovertemplate: `${WORDS.gate} %{x}, ${WORDS.value} %{y}<br><b>%{z:.4~g}</b>`}],
  {hovermode: "closest", xaxis: axis(WORDS.gate, {range: across}), yaxis: axis(WORDS.value, {range: [value[0], value.at(-1)]})});
  const rows = [0, 1, 2, 3, 4].map((part) => Math.round(part / 4 * (value.length - 1)));
  drawChart("slices", rows.map((row, place) => ({
    name: `${WORDS.value} = ${shown(value[row])}`, mode: "lines", x: gate, y: heights[row], meta: {label: shown(value[row])},
    line: {color: `var(--series${place})`, width: 2.2, dash: DASHES[place]}})), {xaxis: axis(WORDS.gate, {range: across}), yaxis: axis("")});
}
if (surfaceChoice) {
  surfaceChoice.addEventListener("change", drawSurface);
  drawSurface();
}

window.actlabColours = {};
recall();
showSettings();
applyFilter();
requestAnimationFrame(() => { document.documentElement.dataset.drawn = ""; });
