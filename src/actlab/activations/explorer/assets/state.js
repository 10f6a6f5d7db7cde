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
