// Sorts and filters the table of trials, and copies the command.
(() => {
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

  function sortBy(header) {
    const body = header.closest("table").tBodies[0];
    const ascending = header.getAttribute("aria-sort") !== "ascending";
    for (const other of header.parentElement.cells) other.removeAttribute("aria-sort");
    header.setAttribute("aria-sort", ascending ? "ascending" : "descending");
    const column = header.cellIndex;
    const rows = [...body.rows].sort((one, two) =>
      compare(valueOf(one, column), valueOf(two, column), ascending ? 1 : -1));
    body.append(...rows);
  }

  function filter(form) {
    const rows = [...document.getElementById(form.dataset.filters).tBodies[0].rows];
    const wanted = form.querySelector("[data-any]").value.trim().toLowerCase();
    const selects = [...form.querySelectorAll("select")];
    for (const row of rows) {
      row.hidden = !row.textContent.toLowerCase().includes(wanted) ||
        selects.some(({ value, dataset }) => value && row.dataset[dataset.column] !== value);
    }
    const shown = rows.filter((row) => !row.hidden).length;
    form.querySelector("output").textContent =
      words.shown.replace("{shown}", shown).replace("{all}", rows.length);
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
    filter(form);
  }
  for (const button of document.querySelectorAll("[data-copy]")) {
    button.addEventListener("click", () => copy(button));
  }
})();
