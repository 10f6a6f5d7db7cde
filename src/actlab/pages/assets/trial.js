"use strict";

// The learning curves of the trials that were clicked in the table, side by side; the address has them.
(() => {
  const panel = document.getElementById("trial-panel");
  if (!panel) return;
  const { trial: labels } = JSON.parse(document.getElementById("page-data").textContent);
  const MOST = 6;
  const state = window.actlabState;
  const rows = new Map([...document.querySelectorAll("tr[data-trial]")].map((row) => [row.dataset.trial, row]));
  let chosen = (state.read().get("trial") ?? "").split(",").filter((number) => rows.has(number)).slice(0, MOST);

  const axis = (title, more) => ({ title: { text: title }, gridcolor: "var(--grid)", linecolor: "var(--line)", ...more });
  const line = (name, label, values, place, more) => ({
    name, y: values, x: values.map((_, index) => index + 1), mode: "lines+markers", meta: { label },
    line: { color: `var(--series${place})`, width: 2, ...more }, marker: { size: 4 },
    hovertemplate: `<b>${name}</b><br>${labels.epoch} %{x}: %{y:.4~g}`,
  });

  function draw(id, traces, vertical) {
    const layout = { showlegend: false, hovermode: "closest", xaxis: axis(labels.epoch, { tickformat: "d" }), yaxis: vertical };
    window.actlabChart.draw(document.getElementById(id), { data: traces, layout });
  }

  async function show() {
    for (const [number, row] of rows) {
      if (chosen.includes(number)) row.setAttribute("aria-selected", "true");
      else row.removeAttribute("aria-selected");
    }
    state.write("trial", chosen.join(","));
    panel.hidden = !chosen.length;
    if (!chosen.length) return;
    const curves = JSON.parse((await window.actlabUnpacked("trial-curves")) || "{}");
    const known = chosen.filter((number) => curves[number]);
    panel.querySelector("h3").textContent = chosen.map((number) => rows.get(number).dataset.title).join(" | ");
    const missing = chosen.filter((number) => !curves[number]);
    const lost = missing.map((number) => labels.missing.replace("{number}", number));
    panel.querySelector(".note").textContent = [`${labels.loss}: ${labels.train} ——, ${labels.valid} - - -.`, ...lost].join(" ");
    panel.querySelector(".columns").hidden = !known.length;
    if (!known.length) return;
    draw("plot-trial-score", known.map((number, place) => line(number, number, curves[number].accuracy, place)),
      axis(labels.accuracy, { tickformat: labels.format }));
    draw("plot-trial-loss", known.flatMap((number, place) => [
      line(`${number} ${labels.train}`, "", curves[number].train, place),
      line(`${number} ${labels.valid}`, number, curves[number].valid, place, { dash: "dash" }),
    ]), axis(labels.loss));
  }

  function toggle(number) {
    chosen = chosen.includes(number) ? chosen.filter((other) => other !== number) : [...chosen, number].slice(-MOST);
    show();
  }

  for (const [number, row] of rows) row.addEventListener("click", () => toggle(number));
  panel.querySelector("[data-trial-close]").addEventListener("click", () => {
    chosen = [];
    show();
  });
  if (chosen.length) show();
})();
