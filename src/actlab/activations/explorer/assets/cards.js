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
