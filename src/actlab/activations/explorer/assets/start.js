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
