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
