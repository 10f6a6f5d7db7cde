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
