"use strict";
// Draws the charts from the JSON in the page. Nothing is loaded, and no text of a report becomes markup.
(() => {
  const root = document.documentElement;
  const specs = JSON.parse(document.getElementById("charts").textContent);
  const DASHES = [[], [7, 4], [2, 3], [10, 3, 2, 3]];
  const PAPER_PX = 690;
  const charts = [];

  const style = (name) => getComputedStyle(root).getPropertyValue(name).trim();

  const number = (value) => value.toLocaleString("en", Math.abs(value) < 100 ? { maximumSignificantDigits: 3 } : { maximumFractionDigits: 0 });

  const millis = (ms) => {
    if (ms < 1) return `${number(ms * 1000)} µs`;
    return ms < 1000 ? `${number(ms)} ms` : seconds(ms / 1000);
  };

  const seconds = (s) => {
    if (s < 120) return `${number(s)} s`;
    const parts = [Math.floor(s / 3600), Math.floor(s / 60) % 60, Math.floor(s % 60)];
    return `${parts[0] ? `${parts[0]} h ` : ""}${String(parts[1]).padStart(parts[0] ? 2 : 1, "0")} min${parts[2] ? ` ${String(parts[2]).padStart(2, "0")} s` : ""}`;
  };

  const words = (unit, value) => {
    if (value == null) return "–";
    return unit === "ms" ? millis(value) : unit === "s" ? seconds(value) : `${number(value)}${unit}`;
  };

  // 1, 2, 10, 100, ... are 0, 50, 90, 99, ... percent: as wide as what they tell apart.
  const share = (x) => `${+(100 * (1 - 1 / x)).toFixed(Math.max(0, Math.ceil(Math.log10(x)) - 1))} %`;

  // Steps are drawn to their end, and a level is that of the end of its step: at the start it was 0.
  function dataOf(spec) {
    const lines = spec.series.map(({ values }) => values);
    const xs = spec.xs ?? lines[0].map((_, step) => step * spec.every);
    const last = xs.length - 1;
    if (spec.levels) return [[...xs, xs[last] + spec.every], ...lines.map((line) => [0, ...line])];
    if (spec.stepped) return [[...xs, xs[last] + (spec.every || xs[last] - xs[last - 1] || 1)], ...lines.map((line) => [...line, line[last]])];
    return [xs, ...lines];
  }

  function shade(u, spec) {
    const { ctx, bbox } = u;
    const at = (x) => Math.min(Math.max(u.valToPos(x, "x", true), bbox.left), bbox.left + bbox.width);
    ctx.save();
    for (const band of spec.bands) {
      const to = band.to ?? u.scales.x.max;
      ctx.fillStyle = style(`--${band.kind}`);
      ctx.fillRect(at(band.from), bbox.top, Math.max(at(to) - at(band.from), 1), bbox.height);
    }
    ctx.strokeStyle = ctx.fillStyle = style("--dim");
    ctx.font = `${11 * devicePixelRatio}px sans-serif`;
    ctx.setLineDash([3 * devicePixelRatio, 3 * devicePixelRatio]);
    const shown = spec.marks.filter(({ at: x }) => x >= u.scales.x.min && x <= u.scales.x.max);
    // Where the last label of each row ends. One without room in any is not written; its line is.
    const ends = [0, 0, 0];
    for (const mark of shown.sort((a, b) => a.at - b.at)) {
      ctx.beginPath();
      ctx.moveTo(at(mark.at), bbox.top);
      ctx.lineTo(at(mark.at), bbox.top + bbox.height);
      ctx.stroke();
      const left = at(mark.at) + 3 * devicePixelRatio;
      const row = ends.findIndex((end) => end < left);
      if (row < 0) continue;
      ends[row] = left + ctx.measureText(mark.label).width;
      ctx.fillText(mark.label, left, bbox.top + (row + 1) * 11 * devicePixelRatio);
    }
    ctx.restore();
  }

  function axes(spec) {
    const common = { stroke: style("--dim"), grid: { stroke: style("--rule"), width: 1 }, ticks: { stroke: style("--rule"), width: 1 } };
    const x = { ...common };
    if (spec.x === "share") {
      x.splits = (u) => [1, 2, ...[1, 2, 3, 4, 5, 6, 7, 8].map((zeros) => 10 ** zeros)].filter((tick) => tick <= u.scales.x.max * 1.001);
      x.filter = (_, splits) => splits;
      x.values = (_, splits) => splits.map(share);
    } else if (spec.x === "name") {
      x.splits = () => spec.names.map((_, place) => place);
      x.values = (_, splits) => splits.map((place) => spec.names[place]);
    } else {
      x.values = (_, splits) => splits.map(seconds);
    }
    const tenfold = (_, splits) => splits.map((value) => (Number.isInteger(+Math.log10(value).toFixed(6)) ? value : null));
    const lines = (line) => (spec.log ? { ...line, filter: tenfold } : line);
    const y = { ...common, grid: lines(common.grid), ticks: lines(common.ticks), size: 74, values: (_, splits) => splits.map((value) => (value == null ? "" : words(spec.unit, value))) };
    return [x, y];
  }

  function seriesOf(spec) {
    const steps = spec.x === "s" && spec.stepped ? uPlot.paths.stepped({ align: 1 }) : undefined;
    const label = { share: "share", name: "with", s: "at" }[spec.x];
    const value = { share: (_, x) => (x == null ? "–" : share(x)), name: (_, x) => spec.names[x] ?? "–", s: (_, x) => words("s", x) }[spec.x];
    const line = (one, place) => ({
      label: one.label,
      stroke: style(`--c${(one.colour ?? place) % 8}`),
      dash: DASHES[(one.dash ?? 0) % 4],
      width: 1.6,
      paths: steps,
      points: { show: spec.x === "name" || one.values.length < 3 },
      value: (_, shown) => words(spec.unit, shown),
    });
    return [{ label, value }, ...spec.series.map(line)];
  }

  function scales(spec) {
    const x = spec.x === "name" ? { time: false, range: [-0.3, spec.names.length - 0.7] } : { time: false, distr: spec.x === "share" ? 3 : 1 };
    const y = spec.log ? { distr: 3 } : { range: (_, least, most) => [Math.min(0, least), (most || 1) * 1.05] };
    return { x, y };
  }

  function draw(chart) {
    const { spec, plot } = chart;
    chart.u?.destroy();
    plot.replaceChildren();
    const options = {
      width: plot.clientWidth,
      height: 240,
      series: seriesOf(spec),
      scales: scales(spec),
      axes: axes(spec),
      cursor: { sync: { key: spec.group }, drag: { x: true, y: false } },
      hooks: { drawClear: [(u) => shade(u, spec)] },
    };
    chart.u = new uPlot(options, dataOf(spec), plot);
  }

  // Each button moves all charts with the same time.
  function zoom(spec, change) {
    for (const { u } of charts.filter((chart) => chart.spec.group === spec.group)) {
      const all = u.data[0];
      const [first, last] = [all[0], all[all.length - 1]];
      const { min, max } = u.scales.x;
      const [from, to] = change(min, max, first, last);
      u.setScale("x", { min: Math.max(from, first), max: Math.min(to, last) });
    }
  }

  const CHANGES = [
    ["‹", "earlier", (from, to, first) => { const by = Math.min((to - from) / 2, from - first); return [from - by, to - by]; }],
    ["+", "closer", (from, to) => [from + (to - from) / 4, to - (to - from) / 4]],
    ["−", "farther", (from, to) => [from - (to - from) / 2, to + (to - from) / 2]],
    ["›", "later", (from, to, _, last) => { const by = Math.min((to - from) / 2, last - to); return [from + by, to + by]; }],
    ["all", "all of it", (_from, _to, first, last) => [first, last]],
  ];

  function buttons(spec) {
    const box = document.createElement("span");
    box.className = "zoom";
    for (const [label, title, change] of CHANGES) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = label;
      button.title = title;
      button.addEventListener("click", () => zoom(spec, change));
      box.append(button);
    }
    return box;
  }

  function redraw() {
    charts.forEach(draw);
  }

  for (const spec of specs) {
    const place = document.getElementById(spec.id);
    const plot = place.querySelector(".plot");
    if (spec.x === "s") place.querySelector("h3").append(buttons(spec));
    const chart = { spec, plot };
    charts.push(chart);
    draw(chart);
    new ResizeObserver(() => {
      if (plot.clientWidth !== chart.u.width && !root.classList.contains("printing")) chart.u.setSize({ width: plot.clientWidth, height: 240 });
    }).observe(plot);
  }
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  addEventListener("beforeprint", () => {
    root.classList.add("printing");
    redraw();
    for (const { u } of charts) u.setSize({ width: PAPER_PX, height: 220 });
  });
  addEventListener("afterprint", () => {
    root.classList.remove("printing");
    redraw();
  });
  // For those who look at the page with a program.
  root.charts = charts;
})();
