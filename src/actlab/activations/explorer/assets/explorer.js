// The functions that the generated formulas call, and figures under a standard normal input.

function erf(x) {
  const a = Math.abs(x);
  if (!(a < 6)) return Number.isNaN(x) ? NaN : Math.sign(x);
  let sum, term;
  if (a < 2.5) {
    // erf x = 2/sqrt(pi) exp(-x^2) (x + 2x^3/3 + 4x^5/15 + ...): every term is positive.
    sum = term = a;
    for (let n = 1; term > 1e-17 * sum; n++) sum += term *= 2 * a * a / (2 * n + 1);
    return Math.sign(x) * sum * 2 / Math.sqrt(Math.PI) * Math.exp(-a * a);
  }
  // erfc x = exp(-x^2)/sqrt(pi) / (x + (1/2)/(x + 1/(x + (3/2)/(x + ...))))
  let fraction = a;
  for (let n = 60; n >= 1; n--) fraction = a + n / 2 / fraction;
  return Math.sign(x) * (1 - Math.exp(-a * a) / Math.sqrt(Math.PI) / fraction);
}

function sigmoid(x) {
  const decay = Math.exp(-Math.abs(x));
  return (x >= 0 ? 1 : decay) / (1 + decay);
}

function softplus(x) {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}

// The inverse of the standard normal distribution: Newton steps from a first guess.
function normalQuantile(share) {
  const t = Math.sqrt(-2 * Math.log(Math.min(share, 1 - share)));
  let x = t - (2.30753 + 0.27061 * t) / (1 + 0.99229 * t + 0.04481 * t * t);
  if (share < 0.5) x = -x;
  for (let step = 0; step < 3; step++) {
    const error = 0.5 * (1 + erf(x / Math.SQRT2)) - share;
    x -= error * Math.sqrt(2 * Math.PI) * Math.exp(x * x / 2);
  }
  return x;
}

const NORMAL = {step: 0.0005, half: 10};
NORMAL.points = Float64Array.from(
  {length: 2 * NORMAL.half / NORMAL.step}, (_, i) => -NORMAL.half + (i + 0.5) * NORMAL.step);
NORMAL.weights = NORMAL.points.map(
  (x) => NORMAL.step * Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI));

// Means over a standard normal input by the midpoint rule: four digits, also beside a kink.
function normalFigures(formula, parameters) {
  let mean = 0, second = 0, slope = 0, slopeSecond = 0, flat = 0;
  NORMAL.points.forEach((x, i) => {
    const weight = NORMAL.weights[i];
    const f = formula.value(x, parameters), d = formula.slope(x, parameters);
    mean += weight * f;
    second += weight * f * f;
    slope += weight * d;
    slopeSecond += weight * d * d;
    if (d === 0) flat += weight;
  });
  return {mean, second, slope, slopeSecond, flat};
}

const QUANTILES = Float64Array.from({length: 20000}, (_, i) => normalQuantile((i + 0.5) / 20000));

// What 20,000 evenly likely standard normal inputs become: single values that many of them give,
// where the function is flat (pins), and the density of the rest.
function outcome(formula, parameters, low, high, bins) {
  const counts = new Map(), width = (high - low) / bins;
  const density = new Array(bins).fill(0);
  for (const x of QUANTILES) {
    const value = formula.value(x, parameters);
    if (formula.slope(x, parameters) === 0) {
      counts.set(value, (counts.get(value) || 0) + 1);
      continue;
    }
    const place = Math.floor((value - low) / width);
    if (place >= 0 && place < bins) density[place] += 1 / (QUANTILES.length * width);
  }
  const pins = [...counts].map(([value, count]) => ({value, share: count / QUANTILES.length}))
    .filter(({share}) => share >= 0.005);
  return {pins, density, edges: density.map((_, i) => low + i * width)};
}

// The interval that holds 99 % of what a function makes of a standard normal input.
function usualOutput(formula, parameters) {
  const values = QUANTILES.filter((_, i) => i % 20 === 10)
    .map((x) => formula.value(x, parameters)).sort();
  return [values[Math.floor(0.005 * values.length)], values[Math.floor(0.995 * values.length)]];
}

function shown(value) {
  if (value === null || Number.isNaN(value)) return "–";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  if (Math.abs(value) < 5e-5) return "0";
  const digits = Math.abs(value) >= 1000 ? 0 : Math.max(0, 4 - Math.ceil(Math.log10(Math.abs(value) + 1e-9)));
  return value.toFixed(Math.min(digits, 4)).replace("-", "−");
}

function shownShare(share) {
  if (share > 0 && share < 0.001) return "< 0.1 %";
  const percent = share < 1 ? Math.min(100 * share, 99.9) : 100;
  return `${Number(percent.toPrecision(3))} %`;
}

// What is chosen, in which slot (a colour and a line style), with which parameters. Everything that
// draws listens here; the choice is kept in the address, so that a view can be shared.

const PAGE = JSON.parse(document.getElementById("page-data").textContent);
const WORDS = PAGE.words;
const DASHES = ["solid", "dash", "dot", "dashdot", "longdash", "longdashdot"];

const state = {chosen: [], half: 5};
const listeners = [];

function say(text, values) {
  return text.replace(/\{(\w+)\}/g, (_, key) => values[key]);
}

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
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  return PAGE.colours[dark ? "dark" : "light"][slot];
}

function remember() {
  const parts = state.chosen.map((entry) => {
    const moved = PAGE.functions[entry.name].sliders
      .filter((s) => entry.parameters[s.name] !== s.default)
      .map((s) => `${s.name}=${entry.parameters[s.name]}`);
    return [entry.name, ...moved].join(":");
  });
  history.replaceState(null, "", `#${parts.join(",")}`);
}

function recall() {
  const parts = decodeURIComponent(location.hash.slice(1)).split(",").filter(Boolean);
  const wanted = parts.map((part) => part.split(":")).filter(([name]) => PAGE.functions[name]);
  for (const [name] of wanted.length ? wanted : PAGE.chosen.map((chosen) => [chosen])) add(name);
  for (const [name, ...moved] of wanted) {
    for (const [parameter, value] of moved.map((text) => text.split("="))) {
      const known = PAGE.functions[name].sliders.some((s) => s.name === parameter);
      if (known && find(name)) setParameter(name, parameter, Number(value));
    }
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
  const ranked = Object.keys(PAGE.functions).map((name) => [distance(given, name), name]);
  const [steps, name] = ranked.reduce((best, pair) => (pair[0] < best[0] ? pair : best));
  return steps <= Math.max(2, given.length / 2) ? name : null;
}

function resolve(given) {
  if (PAGE.functions[given]) return given;
  return Object.keys(PAGE.functions).find((name) => PAGE.functions[name].aliases.includes(given));
}

// The three pictures.

const CONFIG = {displayModeBar: false, responsive: true, doubleClick: "reset"};

function theme(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

function axis(title, extra) {
  return {title: {text: title, standoff: 8}, gridcolor: theme("grid"), zerolinecolor: theme("line"),
    zerolinewidth: 1.5, color: theme("muted"), fixedrange: false, ...extra};
}

function layout(extra) {
  const narrow = window.innerWidth < 600;
  return {paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", showlegend: false,
    font: {family: getComputedStyle(document.body).fontFamily, size: 13, color: theme("ink")},
    margin: {l: 46, r: 14, t: 10, b: 42}, dragmode: narrow ? false : "zoom", hovermode: "x unified",
    hoverlabel: {bgcolor: theme("surface"), bordercolor: theme("line"), font: {color: theme("ink")}},
    ...extra};
}

function line(entry, extra) {
  return {name: entry.name, mode: "lines",
    line: {color: colour(entry.slot), width: 2.5, dash: DASHES[entry.slot], simplify: false}, ...extra};
}

function marker(entry, symbol, extra) {
  const open = symbol.endsWith("open");
  return {mode: "markers", showlegend: false, cliponaxis: false,
    marker: {symbol, size: 9, color: colour(entry.slot), line: {width: open ? 2 : 0}}, ...extra};
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

function curves(entry) {
  const formula = FORMULAS[entry.name], xs = grid(entry, state.half);
  return {
    value: broken(xs, xs.map((x) => formula.value(x + 1e-13, entry.parameters))),
    slope: broken(xs, xs.map((x) => formula.slope(x + 1e-13, entry.parameters))),
  };
}

function limits(ys, cap) {
  const finite = ys.filter((y) => y !== null && Number.isFinite(y));
  const low = Math.max(Math.min(0, ...finite), -cap), high = Math.min(Math.max(0, ...finite), cap);
  const margin = 0.08 * Math.max(high - low, 0.2);
  return [low - margin, high + margin];
}

function drawValue(drawn) {
  const traces = drawn.map(({entry, value}) => line(entry, value));
  for (const {entry} of drawn) {
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
        name: `${entry.name}: ${WORDS.kink}`, hoverinfo: "skip"}));
    }
  }
  const all = drawn.flatMap(({value}) => value.y);
  Plotly.react("plot-value", traces, layout({
    xaxis: axis("x", {range: [-state.half, state.half]}),
    yaxis: axis("", {range: limits(all, 1.15 * state.half)})}), CONFIG);
}

function drawSlope(drawn) {
  const all = drawn.flatMap(({slope}) => slope.y);
  Plotly.react("plot-slope", drawn.map(({entry, slope}) => line(entry, slope)), layout({
    xaxis: axis("x", {range: [-state.half, state.half]}),
    yaxis: axis("", {range: limits(all, 8)})}), CONFIG);
}

function drawOutcome(drawn) {
  const usual = drawn.map(({entry}) => usualOutput(FORMULAS[entry.name], entry.parameters));
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
  const traces = [{x: xs, y: xs.map((x) => Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI)),
    mode: "lines", name: WORDS.input, line: {color: theme("muted"), width: 1.2, dash: "dot"}}];
  const pins = [], annotations = [];
  let peak = 0.5;
  for (const {entry} of drawn) {
    const {pins: own, density, edges} =
      outcome(FORMULAS[entry.name], entry.parameters, start, end, bins);
    const sorted = [...density].sort((a, b) => a - b);
    peak = Math.max(peak, Math.min(sorted[Math.floor(0.97 * bins)] * 1.4, 4));
    traces.push({...line(entry, {x: edges.map((x) => x + width / 2), y: density}),
      line: {color: colour(entry.slot), width: 2, shape: "hvh"},
      fill: "tozeroy", fillcolor: colour(entry.slot) + "1f"});
    pins.push(...own.map((pin) => ({...pin, entry})));
  }
  const top = 1.08 * peak;
  const notes = pins.filter(({value}) => value >= start && value <= end)
    .sort((a, b) => a.value - b.value).slice(0, 12).map((pin, i) => ({...pin, level: i % 3}));
  for (const {value, share, entry, level} of notes) {
    const height = top * (0.94 - 0.09 * level);
    const left = value > (start + end) / 2;
    traces.push({x: [value, value], y: [0, height], mode: "lines+markers", name: entry.name,
      line: {color: colour(entry.slot), width: 2.5}, hoverinfo: "skip",
      marker: {color: colour(entry.slot), size: [0, 10]}});
    annotations.push({x: value, y: height, text: `${entry.name}: ${shownShare(share)}`,
      showarrow: false, xanchor: left ? "right" : "left", xshift: left ? -9 : 9,
      font: {color: colour(entry.slot), size: 13}});
  }
  Plotly.react("plot-outcome", traces, layout({hovermode: "closest", annotations,
    xaxis: axis("f(X)", {range: [start, end]}),
    yaxis: axis(WORDS.density, {range: [0, top]})}), CONFIG);
}

function drawCharts() {
  const drawn = state.chosen.map((entry) => ({entry, ...curves(entry)}));
  drawValue(drawn);
  drawSlope(drawn);
  drawOutcome(drawn);
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
  item.append(swatch, entry.name, button);
  item.style.setProperty("--own", colour(entry.slot));
  return item;
}

function card(entry) {
  const template = document.getElementById(`card-${entry.name}`);
  const element = template.content.firstElementChild.cloneNode(true);
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
  const own = isDefault(entry) && exact.mean !== null;
  const figures = own ? exact : normalFigures(FORMULAS[entry.name], entry.parameters);
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
    fill(entry, cards.querySelector(`[data-name="${entry.name}"]`));
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
  document.getElementById("count").textContent = say(WORDS.shown, {shown: count, all: rows.length});
}

function markRows() {
  for (const row of rows) {
    const entry = find(row.dataset.name), button = row.querySelector(".toggle");
    button.setAttribute("aria-pressed", String(Boolean(entry)));
    row.style.setProperty("--own", entry ? colour(entry.slot) : "transparent");
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
  const field = document.getElementById("add-name"), given = field.value.trim().toLowerCase();
  if (!given) return;
  const name = resolve(given);
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

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => changed("choice"));

recall();
applyFilter();
requestAnimationFrame(() => { document.documentElement.dataset.drawn = ""; });
