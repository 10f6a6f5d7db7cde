// Groups the candidates again for the margin of the slider: in the text, the tables and the figures.
(() => {
  const { verdict: rule, headline } = JSON.parse(document.getElementById("page-data").textContent);
  if (!rule) return;
  const panels = [...document.querySelectorAll("[data-margin-panel]")];
  const sliders = panels.map((panel) => panel.querySelector("input"));

  // The same rule as group_of in verdicts/rule.py; margins are in points.
  function groupAt(row, margin) {
    if (row.fixed) return row.fixed;
    if (row.smallest !== null && row.smallest < margin) return "tied";
    return row.behind && row.p !== null && row.p <= rule.significance ? "worse" : "unclear";
  }

  function showGroups(groups) {
    for (const cell of document.querySelectorAll("[data-group-of]")) {
      const group = groups[cell.dataset.groupOf][Number(cell.dataset.row)];
      const chip = cell.querySelector(".chip");
      chip.className = `chip ${group}`;
      chip.querySelector(".sign").textContent = rule.groups[group].sign;
      chip.querySelector(".word").textContent = rule.groups[group].word;
    }
    for (const article of document.querySelectorAll("article[data-slot]")) {
      const own = groups[article.dataset.slot];
      for (const [place, line] of [...article.querySelectorAll("tbody svg.lane")].entries()) {
        line.setAttribute("class", `lane ${own[place]}`);
      }
    }
  }

  // The same headline as slot_headline in report/judged_panel.py.
  function headlineOf(rows, own, points) {
    const named = (group) => rows.filter((row, place) => own[place] === group && row.n).map((row) => row.name);
    const [best] = named("best");
    if (best === undefined) return headline.nothing;
    const tied = named("tied");
    const many = tied.length > 3;
    const lead = many
      ? headline.many.replace("{name}", best).replace("{count}", tied.length).replace("{margin}", points)
      : tied.length ? headline.tied.replace("{names}", [best, ...tied].join(", ")).replace("{margin}", points)
      : headline.leads.replace("{name}", best);
    const counts = ["unclear", "worse", "unreliable"].filter((group) => named(group).length)
      .map((group) => headline.count.replace("{word}", rule.groups[group].word)
        .replace("{count}", named(group).length));
    return `${lead} ${counts.join(", ")}`.trim();
  }

  // The band of the margin below the best mean, in the lanes of the first screen.
  function moveBands(margin) {
    for (const table of document.querySelectorAll("table.lanes")) {
      const { low, high } = table.dataset;
      const width = margin / (high - low);
      for (const band of table.querySelectorAll("rect.band")) {
        const right = Number(band.dataset.right);
        const left = Math.max(right - width, 0);
        band.setAttribute("x", `${left}%`);
        band.setAttribute("width", `${Math.max(right - left, 0)}%`);
      }
    }
  }

  function countsOf(groups) {
    const articles = [...document.querySelectorAll("article[data-slot]")];
    return articles.map((article) => {
      const own = groups[article.dataset.slot];
      const counts = Object.entries(rule.groups).map(([group, { word }]) =>
        `${word} ${own.filter((other) => other === group).length}`);
      return `${article.querySelector("h2").textContent}: ${counts.join(", ")}`;
    }).join(". ");
  }

  // A trace of a group has every lane; a lane without a value is not drawn.
  function regroup(figure, groups) {
    for (const trace of figure.data) {
      if (!trace.meta?.group) continue;
      const { slot, group, lanes, values } = trace.meta;
      trace.x = values.map((value, lane) => (groups[slot][lanes[lane]] === group ? value : null));
    }
  }

  function show(margin) {
    const groups = Object.fromEntries(Object.entries(rule.slots).map(([slot, rows]) =>
      [slot, rows.map((row) => groupAt(row, margin))]));
    const text = rule.words.points.replace("{number}", margin.toFixed(2)).replace(" ", "\u00a0");
    const moved = margin !== rule.margin;
    for (const panel of panels) {
      panel.querySelector("input").value = margin;
      panel.querySelector("input").setAttribute("aria-valuetext", text);
      panel.querySelector("output").textContent = text;
      panel.querySelector("[data-margin-reset]").disabled = !moved;
      panel.querySelector("[data-margin-note]").hidden = !moved;
    }
    showGroups(groups);
    moveBands(margin);
    for (const article of document.querySelectorAll("article[data-slot]")) {
      const { slot } = article.dataset;
      article.querySelector("[data-headline]").textContent =
        headlineOf(rule.slots[slot], groups[slot], String(margin));
    }
    window.actlabState?.write("margin", moved ? margin : "");
    document.querySelector("[data-margin-counts]").textContent = countsOf(groups);
    window.actlabFigures.loaded().then((figures) => {
      for (const [name, figure] of Object.entries(figures)) {
        if (name.startsWith("differences-")) figure.layout.shapes[0].x0 = -margin;
        if (!/^(differences|intervals)-/.test(name)) continue;
        regroup(figure, groups);
        window.actlabFigures.redraw(name);
      }
    });
  }

  for (const slider of sliders) slider.addEventListener("input", () => show(Number(slider.value)));
  for (const panel of panels) {
    panel.querySelector("[data-margin-reset]").addEventListener("click", () => {
      show(rule.margin);
      panel.querySelector("input").focus();
    });
    panel.hidden = false;
  }
  const asked = Number(window.actlabState?.read().get("margin"));
  document.querySelector("[data-margin-counts]").textContent = countsOf(
    Object.fromEntries(Object.entries(rule.slots).map(([slot, rows]) =>
      [slot, rows.map((row) => groupAt(row, rule.margin))])));
  if (asked > 0 && asked <= Number(sliders[0]?.max)) show(asked);
})();
