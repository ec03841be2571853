// The busiest of many things, each a bar of parts by slice; the others as one bar, their mean; all of them as a table.

import { colour, count, html, quantity, redrawn } from "./dom.js";
import { BUSIEST, FEW } from "./settings.js";

// host: where to; names: of the things; values: one array per thing, one number per slice (or a single one);
// weight: one number per thing, the busiest first; aside: words at the end of a row, by thing; slices: names; unit: of a value; grouped: one track per part.
export function rankedBars(host, { names, values, weight, slices, unit, grouped = false, whole = null, aside = null, what, onPick }) {
  const order = [...names.keys()].sort((a, b) => weight[b] - weight[a] || a - b);
  const shown = names.length <= FEW ? [...names.keys()] : order.slice(0, BUSIEST);
  const rest = names.length <= FEW ? [] : order.slice(BUSIEST);
  const mean = rest.length ? values[0].map((_, n) => rest.reduce((sum, k) => sum + values[k][n], 0) / rest.length) : null;
  const top = (row) => (grouped ? Math.max(...row) : row.reduce((sum, v) => sum + v, 0));
  const most = whole || Math.max(...shown.map((k) => top(values[k])), mean ? top(mean) : 0) || 1;
  const rows = shown.flatMap((k) => {
    const label = html("button", { type: "button", class: "label", title: names[k], "data-key": names[k] }, names[k]);
    label.addEventListener("click", () => onPick(k));
    return [label, bar(values[k], { slices, unit, grouped, most }), html("small", {}, aside ? aside(k) : whole ? "" : said(values[k], weight[k], unit))];
  });
  if (mean) {
    const others = html("span", { class: "label quiet" }, `${count(rest.length)} more, mean`);
    const share = rest.reduce((sum, k) => sum + weight[k], 0) / rest.length;
    rows.push(others, bar(mean, { slices, unit, grouped, most }), html("small", {}, whole ? "" : said(mean, share, unit)));
  }
  if (!host.firstChild) host.append(html("div", { class: "rows" }));
  host.classList.add("ranked");
  redrawn(host.firstChild, ...rows);
  const old = host.querySelector("details");
  if (!rest.length) old?.remove();
  else host.append(table(old || html("details", {}, html("summary")), { names, values, order, slices, unit: whole ? "%" : unit, what }));
}

const said = (row, weight, unit) => quantity(row.length === 1 ? row[0] : weight, unit);

function bar(row, { slices, unit, grouped, most }) {
  const words = row.map((value, n) => `${slices[n] ?? ""} ${quantity(value, unit)}`.trim()).join(", ");
  const track = html("div", { class: grouped && row.length > 1 ? "track grouped" : "track", title: words, role: "img", "aria-label": words });
  row.forEach((value, n) => {
    const part = html("span");
    part.style.width = `${Math.min(100, (100 * value) / most)}%`;
    part.style.background = row.length === 1 && !slices.length ? "var(--soft)" : colour(n);
    track.append(part);
  });
  return track;
}

// Filled only while it is open: it may have thousands of rows.
function table(box, { names, values, order, slices, unit, what }) {
  box.firstChild.textContent = `All ${count(names.length)} ${what}`;
  const fill = () => {
    const heads = slices.length ? slices : [unit || "value"];
    const head = html("tr", {}, html("th", { scope: "col" }, "Name"), ...heads.map((s) => html("th", { scope: "col", class: "number" }, s)));
    const rows = order.map((k) =>
      html("tr", {}, html("th", { scope: "row" }, names[k]), ...values[k].map((v) => html("td", { class: "number" }, quantity(v, unit)))),
    );
    if (box.children.length === 1) box.append(html("div", { class: "scroll", tabindex: 0 }));
    box.lastChild.replaceChildren(html("table", {}, html("thead", {}, head), html("tbody", {}, ...rows)));
  };
  box.ontoggle = () => box.open && fill();
  if (box.open) fill();
  return box;
}

// One bar cut into named parts, with a mark across it.
export function partsBar(host, { parts, unit, mark: asked }) {
  const mark = asked && Number.isFinite(asked.value) ? asked : null;
  const total = parts.reduce((sum, p) => sum + p.value, 0);
  const most = Math.max(total, mark ? mark.value : 0) || 1;
  const words = parts.map((p) => `${p.name} ${quantity(p.value, unit, 4)} (${Math.round((100 * p.value) / (total || 1))} %)`);
  if (mark) words.push(`${mark.name} ${quantity(mark.value, unit, 4)}`);
  const track = html("div", { class: "track parts", role: "img", "aria-label": words.join(", ") });
  parts.forEach((p) => {
    const part = html("span");
    part.style.width = `${(100 * p.value) / most}%`;
    part.style.background = p.colour;
    track.append(part);
  });
  const keys = words.map((word, k) => {
    const own = k < parts.length;
    const icon = html("i", { class: own ? "swatch" : "swatch line" });
    icon.style.background = own ? parts[k].colour : mark.colour;
    return html("li", {}, icon, word);
  });
  if (mark) {
    const line = html("i", { class: "mark" });
    line.style.left = `${(100 * mark.value) / most}%`;
    line.style.background = mark.colour;
    track.append(line);
  }
  host.replaceChildren(track, html("ul", { class: "keys" }, ...keys));
}

// Counts between edges.
export function histogram(host, { edges, counts, unit, what }) {
  const most = Math.max(...counts, 1);
  const columns = counts.map((number, k) => {
    const words = `${quantity(edges[k], unit)} to ${quantity(edges[k + 1], unit)}: ${count(number)} ${what}`;
    const column = html("span", { title: words });
    column.style.height = `${(100 * number) / most}%`;
    return column;
  });
  const label = `${what} from ${quantity(edges[0], unit)} to ${quantity(edges.at(-1), unit)}, at most ${count(most)} in one column`;
  const ends = html("div", { class: "ends" }, html("small", {}, quantity(edges[0], unit)), html("small", {}, quantity(edges.at(-1), unit)));
  host.replaceChildren(html("div", { class: "histogram", role: "img", "aria-label": label }, ...columns), ends);
}
