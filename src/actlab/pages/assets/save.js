"use strict";

// Every picture is saved as SVG and PNG, every table as CSV.
(() => {
  const { words } = JSON.parse(document.getElementById("page-data").textContent);
  const { standalone, element, textElement } = window.actlabChart;
  const SHARPNESS = 2;

  // Cells that begin like a formula get an apostrophe, so that no spreadsheet runs them.
  function csvOf(table) {
    const cell = (part) => {
      const text = (part.dataset.value ?? part.textContent).replace(/\s+/g, " ").trim();
      const safe = /^[=+@\t]/.test(text) || /^-[^\d.]/.test(text) ? `'${text}` : text;
      return `"${safe.replaceAll('"', '""')}"`;
    };
    return `${[...table.rows].map((row) => [...row.cells].map(cell).join(",")).join("\r\n")}\r\n`;
  }

  // The lanes of a table with their names and values, as one picture.
  function lanesOf(table) {
    const rows = [...table.rows].filter((row) => row.querySelector("svg.lane"));
    const [names, wide, high] = [190, 420, 30];
    const picture = element("svg", { width: names + wide + 200, height: high * rows.length + 12 });
    picture.style.position = "absolute";
    document.body.append(picture);
    rows.forEach((row, place) => {
      const lane = row.querySelector("svg.lane").cloneNode(true);
      for (const [name, value] of Object.entries({ x: names, y: place * high + 8, width: wide })) lane.setAttribute(name, value);
      const middle = place * high + 24;
      const name = row.cells[0].firstChild?.textContent.trim() ?? "";
      const rest = [...row.querySelectorAll("td.number, td .word")].map((part) => part.textContent.trim().replace(/\s+/g, " "));
      picture.append(textElement(name, 8, middle, { anchor: "start", colour: "var(--ink)" }), lane,
        textElement(rest.join("  "), names + wide + 16, middle, { anchor: "start", colour: "var(--ink)" }));
    });
    const text = standalone(picture);
    picture.remove();
    return text;
  }

  async function png(svg) {
    const image = new Image();
    image.src = URL.createObjectURL(new Blob([svg], { type: "image/svg+xml" }));
    await image.decode();
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [SHARPNESS * image.width, SHARPNESS * image.height];
    canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
    URL.revokeObjectURL(image.src);
    return new Promise((resolve) => { canvas.toBlob(resolve); });
  }

  function button(format, name, act) {
    const made = document.createElement("button");
    made.type = "button";
    made.textContent = format;
    made.setAttribute("aria-label", words.save.replace("{name}", name).replace("{format}", format));
    made.addEventListener("click", act);
    return made;
  }

  const fileName = (name) => name.replace(/[^\p{L}\p{N}._-]+/gu, "-").replace(/^-|-$/g, "").toLowerCase() || "actlab";

  function pictureButtons(name, svgText) {
    return [
      button("SVG", name, () => window.actlabSave(`${fileName(name)}.svg`, svgText(), "image/svg+xml")),
      button("PNG", name, async () => window.actlabSave(`${fileName(name)}.png`, await png(svgText()))),
    ];
  }

  function bar(buttons) {
    const made = document.createElement("span");
    made.className = "save";
    made.append(...buttons);
    return made;
  }

  for (const figure of document.querySelectorAll("figure.picture")) {
    const name = figure.querySelector("h3")?.textContent ?? document.title;
    figure.prepend(bar(pictureButtons(name, () => standalone(figure.querySelector("svg")))));
  }
  for (const table of document.querySelectorAll("table")) {
    const box = table.closest(".scroll"), article = table.closest("article");
    const name = table.caption?.textContent ?? box?.getAttribute("aria-label") ??
      article?.querySelector("h2")?.textContent ?? document.title;
    const csv = button("CSV", name, () => window.actlabSave(`${fileName(name)}.csv`, csvOf(table), "text/csv"));
    if (table.classList.contains("lanes")) article.prepend(bar([...pictureButtons(name, () => lanesOf(table)), csv]));
    else if (table.caption && !table.classList.contains("sortable")) table.caption.append(bar([csv]));
    else (box ?? table).before(bar([csv]));
  }
})();
