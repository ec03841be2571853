// Lines over the last decisions.

import { byId, short, svg } from "./dom.js";

export const KEPT = 240;
const PAD = { left: 48, right: 8, top: 8, bottom: 6 };
const UNIT_ROW = 14;

export function drawCharts(history) {
  const costs = history.map((d) => d.cost_s);
  const bounds = history.map((d) => d.lower_bound_s);
  lines(byId("cost-chart"), [{ values: costs, name: "cost" }, { values: bounds, name: "bound" }], {
    labels: { cost: "cost", bound: "lower bound" },
    between: true,
  });
  lines(byId("gap-chart"), [{ values: history.map((d) => (d.gap === null ? NaN : d.gap * 100)), name: "cost" }], { zero: true, unit: "gap, %" });
  lines(byId("time-chart"), [{ values: history.map((d) => d.duration_s * 1000), name: "cost" }], { zero: true, unit: "time, ms" });
}

// Two to five round numbers between low and high.
function ticks(low, high) {
  const rough = (high - low) / 3;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((m) => m * power >= rough) || 10);
  const out = [];
  for (let v = Math.ceil(low / step) * step; v <= high; v += step) out.push(Math.abs(v) < step / 1e6 ? 0 : v);
  return out;
}

function lines(chart, series, { between = false, zero = false, unit = "", labels = {} }) {
  const { width, height } = chart.getBoundingClientRect();
  if (!width || !series[0].values.length) return;
  chart.setAttribute("viewBox", `0 0 ${width} ${height}`);
  const all = series.flatMap((s) => s.values).filter(Number.isFinite);
  if (!all.length) {
    const words = unit ? `${unit.split(",")[0]}: none yet` : "none yet";
    chart.setAttribute("aria-label", words);
    chart.replaceChildren(svg("text", { x: width / 2, y: height / 2, "text-anchor": "middle" }, words));
    return;
  }
  let low = zero ? 0 : Math.min(...all);
  let high = Math.max(...all, zero ? 1e-6 : -Infinity);
  const margin = (high - low) * 0.12 || Math.abs(high) * 0.02 || 1;
  high += margin;
  if (!zero) low -= margin;
  const count = series[0].values.length;
  const x = (k) => PAD.left + ((width - PAD.left - PAD.right) * k) / Math.max(1, count - 1);
  const top = PAD.top + (unit ? UNIT_ROW : 0);
  const y = (v) => top + ((height - top - PAD.bottom) * (high - v)) / (high - low);
  const parts = ticks(low, high).flatMap((v) => [
    svg("line", { class: "axis", x1: PAD.left, x2: width - PAD.right, y1: y(v), y2: y(v) }),
    svg("text", { x: PAD.left - 6, y: y(v) + 4, "text-anchor": "end" }, short(v, 5)),
  ]);
  // A decision without its certificate yet, or a cost that is not finite, leaves no point.
  const points = (values) => values.flatMap((v, k) => (Number.isFinite(v) ? [`${x(k).toFixed(1)} ${y(v).toFixed(1)}`] : []));
  const path = (values) => (values.some(Number.isFinite) ? `M${points(values).join("L")}` : "");
  if (between && series.length === 2) {
    const both = series.map(({ values }) => values.map((v, k) => (series.every((s) => Number.isFinite(s.values[k])) ? v : NaN)));
    const ring = [...points(both[0]), ...points(both[1]).reverse()];
    if (ring.length) parts.push(svg("path", { class: "between", d: `M${ring.join("L")}Z` }));
  }
  for (const { values, name } of series) parts.push(svg("path", { class: name, d: path(values) }));
  if (unit) parts.push(svg("text", { x: width - PAD.right, y: PAD.top + 2, "text-anchor": "end" }, unit));
  Object.entries(labels).forEach(([name, text], k) => {
    const from = width - PAD.right - 190 + 84 * k;
    parts.push(svg("path", { class: name, d: `M${from} ${height - 10}h18` }));
    parts.push(svg("text", { x: from + 23, y: height - 6 }, text));
  });
  const last = series.map(({ values, name }) => `${labels[name] || unit || name} ${short(values.at(-1), 4)}`);
  chart.setAttribute("aria-label", `Last ${count} decisions, now: ${last.join(", ")}`);
  chart.replaceChildren(...parts);
}
