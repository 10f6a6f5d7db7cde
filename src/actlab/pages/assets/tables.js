// Sorts and filters the table of trials, and copies the command.
(() => {
  const state = window.actlabState;
  const { words } = JSON.parse(document.getElementById("page-data").textContent);

  const valueOf = (row, column) => {
    const cell = row.cells[column];
    return cell.dataset.value ?? cell.textContent.trim();
  };

  // Empty values come last in both directions: a missing accuracy is neither high nor low.
  function compare(first, second, sign) {
    if (first === "" || second === "") return (first === "") - (second === "");
    const numbers = [Number(first), Number(second)];
    if (numbers.every((number) => !Number.isNaN(number))) return sign * (numbers[0] - numbers[1]);
    return sign * first.localeCompare(second);
  }

  function sortBy(header, ascending = header.getAttribute("aria-sort") !== "ascending") {
    const body = header.closest("table").tBodies[0];
    for (const other of header.parentElement.cells) other.removeAttribute("aria-sort");
    header.setAttribute("aria-sort", ascending ? "ascending" : "descending");
    const column = header.cellIndex;
    const rows = [...body.rows].sort((one, two) =>
      compare(valueOf(one, column), valueOf(two, column), ascending ? 1 : -1));
    body.append(...rows);
    state?.write("sort", `${ascending ? "" : "-"}${column}`);
  }

  function filter(form) {
    const rows = [...document.getElementById(form.dataset.filters).tBodies[0].rows];
    const wanted = form.querySelector("[data-any]").value.trim().toLowerCase();
    const selects = [...form.querySelectorAll("select")];
    for (const row of rows) {
      row.hidden = !row.textContent.toLowerCase().includes(wanted) ||
        selects.some(({ value, dataset }) => value && row.dataset[dataset.column] !== value);
    }
    count(form);
    state?.write("find", wanted);
    for (const { value, dataset } of selects) state?.write(dataset.column, value);
  }

  function count(form) {
    const rows = [...document.getElementById(form.dataset.filters).tBodies[0].rows];
    const shown = rows.filter((row) => !row.hidden && !row.classList.contains("outside")).length;
    form.querySelector("output").textContent =
      words.shown.replace("{shown}", shown).replace("{all}", rows.length);
  }

  // What the address says of filters and order, before anything writes it anew.
  function restore(form) {
    const asked = state?.read() ?? new URLSearchParams();
    form.querySelector("[data-any]").value = asked.get("find") ?? "";
    for (const select of form.querySelectorAll("select")) {
      const wanted = asked.get(select.dataset.column);
      if ([...select.options].some((option) => option.value === wanted)) select.value = wanted;
    }
    const column = Number(asked.get("sort")?.replace("-", ""));
    const header = asked.has("sort") &&
      document.getElementById(form.dataset.filters).tHead.rows[0].cells[column];
    if (header) sortBy(header, !asked.get("sort").startsWith("-"));
    if (asked.size) filter(form);
    else count(form);
  }

  // A page opened from a file has no clipboard interface in some browsers: then select and copy.
  async function copy(button) {
    const source = document.getElementById(button.dataset.copy);
    try {
      await navigator.clipboard.writeText(source.textContent);
    } catch {
      window.getSelection().selectAllChildren(source);
      document.execCommand("copy");
    }
    button.textContent = words.copied;
  }

  for (const button of document.querySelectorAll(".sortable th button")) {
    button.addEventListener("click", () => sortBy(button.closest("th")));
  }
  for (const form of document.querySelectorAll("[data-filters]")) {
    form.addEventListener("input", () => filter(form));
    form.addEventListener("submit", (event) => event.preventDefault());
    restore(form);
  }
  for (const button of document.querySelectorAll("[data-copy]")) {
    button.addEventListener("click", () => copy(button));
  }
})();
