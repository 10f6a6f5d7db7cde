// The page of a verdict on scores: another table, margin, baseline or block is judged at once.
(() => {
  const page = JSON.parse(document.getElementById("page-data").textContent).scores;
  const { words, groups } = page;
  const $ = (id) => document.getElementById(id);
  const SIGNS = { best: "★", tied: "●", unclear: "◇", worse: "▼", unreliable: "✕" };
  const NAMES = Object.keys(SIGNS);
  const COLOURS = { best: "--accent", tied: "--good", unclear: "--caution", worse: "--trouble",
    unreliable: "--muted" };
  let tables = page.tables, given = page, dropped = null;

  const shown = (value, digits = 5) => (value === null || value === undefined ? "–"
    : !Number.isFinite(value) ? (value > 0 ? "∞" : "−∞")
      : String(Number(value.toPrecision(digits))).replace("-", "−"));
  const probability = (p) => (p === null ? "–" : p < 0.001 ? "< 0.001" : p.toFixed(3));

  function parseCsv(text) {
    const clean = text.replace(/^\uFEFF/, "");
    const head = clean.split("\n", 1)[0];
    const separator = [",", ";", "\t"].reduce((best, one) =>
      (head.split(one).length > head.split(best).length ? one : best));
    const rows = [];
    let row = [], cell = "", quoted = false;
    for (let at = 0; at < clean.length; at += 1) {
      const sign = clean[at];
      if (quoted) {
        if (sign === '"' && clean[at + 1] === '"') { cell += '"'; at += 1; }
        else if (sign === '"') quoted = false;
        else cell += sign;
      } else if (sign === '"') quoted = true;
      else if (sign === separator) { row.push(cell.trim()); cell = ""; }
      else if (sign === "\n") { row.push(cell.trim()); rows.push(row); row = []; cell = ""; }
      else cell += sign;
    }
    if (cell !== "" || row.length) { row.push(cell.trim()); rows.push(row); }
    const [header, ...body] = rows.filter((one) => one.some((value) => value !== ""));
    if (!header || header.length < 2 || !body.length) throw new Error(words.noTable);
    if (body.some((one) => one.length !== header.length)) throw new Error(words.noTable);
    return { header, body };
  }

  const bare = (name) => name.replace(/^(params?|config|hparams?|metrics?|summary|tags)[./]/i, "")
    .toLowerCase().replace(/[ -]/g, "_");
  const named = (header, names) =>
    names.map((name) => header.find((one) => bare(one) === name)).find(Boolean) ?? "";

  function number(text) {
    if (/^(|nan|none|null|na|n\/a|[+-]?inf(inity)?)$/i.test(text)) return null;
    const found = Number(text.replace(/%$/, ""));
    if (Number.isNaN(found)) throw new Error(words.noNumber.replace("{given}", text));
    return found;
  }

  // Rows of (candidate, seed or null, score) as a table; paired where two candidates share 2 seeds.
  function tableOf(runs) {
    const candidates = [...new Set(runs.map((run) => run[0]))];
    if (candidates.length < 2) throw new Error(words.oneCandidate);
    const seeds = [...new Set(runs.map((run) => run[1]))];
    const laneOf = new Map(candidates.map((name, lane) => [name, lane]));
    const empty = (width, value) => candidates.map(() => Array(width).fill(value));
    if (runs[0][1] !== null) {
      const placeOf = new Map(seeds.map((seed, place) => [seed, place]));
      const values = empty(seeds.length, null), ran = empty(seeds.length, false);
      for (const [name, seed, score] of runs) {
        const [lane, place] = [laneOf.get(name), placeOf.get(seed)];
        if (ran[lane][place] && values[lane][place] !== score) {
          throw new Error(words.twoScores.replace("{candidate}", name).replace("{seed}", seed));
        }
        values[lane][place] = score;
        ran[lane][place] = true;
      }
      const shares = (a, b) => ran[a].filter((is, seed) => is && ran[b][seed]).length > 1;
      if (candidates.some((_, a) => candidates.some((__, b) => a < b && shares(a, b)))) {
        return { candidates, values, ran, paired: true };
      }
    }
    const lists = candidates.map((name) => runs.filter((run) => run[0] === name).map((run) => run[2]));
    const width = Math.max(...lists.map((list) => list.length));
    const pad = (list, value) => [...list, ...Array(width - list.length).fill(value)];
    return { candidates, paired: false, values: lists.map((list) => pad(list, null)),
      ran: lists.map((list) => pad(list.map(() => true), false)) };
  }

  function take({ header, body }, columns) {
    const column = (name) => header.indexOf(name);
    if (!columns.candidate && !columns.score) {
      const names = header.filter((name) => name !== columns.seed);
      const runs = names.flatMap((name) => body.map((row, place) =>
        [name, columns.seed ? row[column(columns.seed)] : String(place), number(row[column(name)])]));
      return tableOf(runs);
    }
    if (!columns.candidate || !columns.score) throw new Error(words.noColumns);
    return tableOf(body.map((row) => [row[column(columns.candidate)],
      columns.seed ? row[column(columns.seed)] : null, number(row[column(columns.score)])]));
  }

  function fill(select, options, chosen) {
    select.replaceChildren(...options.map(([value, text]) => new Option(text, value)));
    select.value = chosen;
  }

  function read(text, name) {
    dropped = parseCsv(text);
    const { header } = dropped;
    const options = [["", "–"], ...header.map((one) => [one, one])];
    for (const what of ["candidate", "seed", "score"]) {
      fill($(`column-${what}`), options, named(header, page.names[what]));
    }
    $("columns").hidden = false;
    document.querySelector("[data-source]").textContent = name;
    given = { resolution: null, limits: null };
    $("notices").replaceChildren();
    takeDropped();
  }
  function takeDropped() {
    const columns = Object.fromEntries(["candidate", "seed", "score"].map((what) =>
      [what, $(`column-${what}`).value]));
    tables = { "": take(dropped, columns) };
    offer();
    show();
  }

  function offer() {
    const blocks = Object.keys(tables);
    fill($("block"), blocks.map((name) => [name, name]), blocks[0]);
    $("block-label").hidden = blocks.length < 2;
    offerBaselines("");
  }
  function offerBaselines(chosen) {
    const { candidates } = tables[$("block").value];
    fill($("baseline"), [["", words.best], ...candidates.map((name) => [name, name])],
      candidates.includes(chosen) ? chosen : "");
  }

  const SVG = "http://www.w3.org/2000/svg";
  function node(name, attributes, text = "") {
    const made = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.textContent = text;
    return made;
  }
  // Round values from `low` to `high`, at most so many.
  function ticks(low, high, most) {
    const rough = (high - low) / most, ten = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map((part) => part * ten).find((size) => size >= rough * 0.999);
    const found = [];
    for (let at = Math.ceil(low / step); at * step <= high; at += 1) found.push(Number((at * step).toPrecision(12)));
    return found;
  }

  // Lanes of dots with a mark and its interval, from `low` to `high`, as wide as there is room.
  function draw(svg, lanes, low, high, extra = []) {
    const width = Math.max(svg.clientWidth, 240), [top, step] = [12, 34];
    const longest = Math.max(0, ...lanes.map((lane) => lane.name.length));
    const left = Math.min(24 + 7.5 * longest, 0.42 * width), right = width - 24;
    const height = top + step * lanes.length + 34;
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    const x = (value) => left + ((right - left) * (Math.min(Math.max(value, low), high) - low)) / (high - low || 1);
    const parts = extra.map(([name, from, to]) => (name === "band"
      ? node("rect", { class: "band", x: x(from), width: Math.max(0, x(to) - x(from)), y: 0, height: height - 24 })
      : node("line", { class: "zero", x1: x(from), x2: x(from), y1: 0, y2: height - 24 })));
    for (const value of ticks(low, high, Math.max(2, Math.floor((right - left) / 110)))) {
      parts.push(node("line", { class: "axis", x1: x(value), x2: x(value), y1: 0, y2: height - 24 }));
      parts.push(node("text", { x: x(value), y: height - 6, "text-anchor": "middle" }, shown(value, 4)));
    }
    lanes.forEach((lane, place) => {
      const y = top + step * place + step / 2;
      const colour = `var(${COLOURS[lane.group]})`;
      parts.push(node("text", { x: left - 12, y: y + 4, "text-anchor": "end" }, lane.name));
      lane.dots.forEach((value, seed) => parts.push(node("circle", { class: "dot", r: 3, cx: x(value),
        cy: y - 8 + (16 * (seed + 0.5)) / lane.dots.length })));
      if (lane.low !== null && lane.low !== undefined) {
        parts.push(node("line", { class: "bar", stroke: colour, x1: x(lane.low), x2: x(lane.high), y1: y, y2: y }));
      }
      if (lane.at !== null) parts.push(node("text", { x: x(lane.at), y: y + 6, "text-anchor": "middle",
        style: `fill: ${colour}; font-size: 18px` }, SIGNS[lane.group]));
    });
    svg.replaceChildren(...parts);
  }
  const spanOf = (values) => {
    const known = values.filter((value) => value !== null && Number.isFinite(value));
    const [low, high] = [Math.min(...known), Math.max(...known)];
    const pad = 0.05 * (high - low) || 0.01;
    return [low - pad, high + pad];
  };

  function show() {
    const table = tables[$("block").value];
    const question = { margin: Math.max(0, Number($("margin").value) || 0),
      higherIsBetter: $("direction").value === "higher", baseline: $("baseline").value || null,
      resolution: given.resolution ?? null, limits: given.limits ?? null };
    const found = window.actlabRule.compare(table, question, page.quadrature);
    window.actlabScores.found = found;
    const members = NAMES.map((group) => [group, found.candidates.filter((row) => row.group === group)])
      .filter(([, rows]) => rows.length)
      .map(([group, rows]) => `${groups[group]}: ${rows.map((row) => row.name).join(", ")}`);
    $("answer").textContent = members.join(" · ");
    $("candidates").tBodies[0].replaceChildren(...found.candidates.map((row) => {
      const line = document.createElement("tr");
      const cells = [row.name, groups[row.group], shown(row.mean),
        row.low === null ? "–" : `${shown(row.low)} – ${shown(row.high)}`, row.n, row.failures,
        row.name === found.reference ? "–" : shown(row.difference, 3), probability(row.pAdjusted),
        row.moreSeeds ?? "–"];
      cells.forEach((text, place) => {
        const cell = document.createElement(place ? "td" : "th");
        if (place === 1) {
          cell.innerHTML = `<span class="chip ${row.group}"><span class="sign" aria-hidden="true"></span> <span class="word"></span></span>`;
          cell.querySelector(".sign").textContent = SIGNS[row.group];
          cell.querySelector(".word").textContent = text;
        } else cell.textContent = text;
        if (place > 1) cell.className = "number";
        line.append(cell);
      });
      return line;
    }));
    const dots = (name) => table.values[table.candidates.indexOf(name)].filter((v) => v !== null);
    const sampled = (values) => (values.length > 200 ? values.slice(0, 200) : values);
    const lanes = found.candidates.map((row) => ({ ...row, at: row.mean, dots: sampled(dots(row.name)) }));
    draw($("plot-scores"), lanes, ...spanOf(lanes.flatMap((lane) => [...lane.dots, lane.low, lane.high])));
    const compared = found.candidates.filter((row) => row.difference !== null && row.name !== found.reference);
    const behind = compared.map((row) => ({ ...row, at: row.difference, low: row.differenceLow,
      high: row.differenceHigh, dots: [] }));
    const m = question.margin;
    const span = spanOf([0, -1.3 * m, (question.baseline ? 1.3 : 0.3) * m,
      ...behind.flatMap((lane) => [lane.at, lane.low, lane.high])]);
    draw($("plot-differences"), behind, ...span, [["band", -m, question.baseline ? m : 0], ["zero", 0]]);
  }

  function guarded(action) {
    $("fault").hidden = true;
    try { action(); } catch (error) {
      $("fault").textContent = error.message;
      $("fault").hidden = false;
    }
  }
  const load = (file) => file?.text().then((text) => guarded(() => read(text, file.name)));
  window.actlabScores = { read: (text, name) => guarded(() => read(text, name)) };

  $("direction").value = page.higherIsBetter ? "higher" : "lower";
  offer();
  offerBaselines(page.baseline ?? "");
  show();
  for (const id of ["margin", "baseline", "direction"]) {
    $(id).addEventListener("input", () => guarded(show));
  }
  $("block").addEventListener("input", () => guarded(() => { offerBaselines($("baseline").value); show(); }));
  for (const what of ["candidate", "seed", "score"]) {
    $(`column-${what}`).addEventListener("input", () => guarded(takeDropped));
  }
  $("file").addEventListener("change", () => load($("file").files[0]));
  document.addEventListener("dragover", (event) => { event.preventDefault(); $("drop").classList.add("over"); });
  document.addEventListener("dragleave", () => $("drop").classList.remove("over"));
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    $("drop").classList.remove("over");
    load(event.dataTransfer.files[0]);
  });
  let drawn = $("plot-scores").clientWidth;
  new ResizeObserver(() => {
    if ($("plot-scores").clientWidth === drawn) return;
    drawn = $("plot-scores").clientWidth;
    guarded(show);
  }).observe($("plot-scores"));
  document.documentElement.dataset.drawn = "";
})();
