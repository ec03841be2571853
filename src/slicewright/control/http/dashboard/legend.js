// What the map's marks mean, which slices it shows, and what is said beside it about a thing that was chosen.

import { byId, html, swatch } from "./dom.js";
import { signKeys } from "./keys.js";
import { MOST_DOTS } from "./settings.js";

let legendOf = "";

export function drawLegend(view, map) {
  const dense = view.total > MOST_DOTS;
  if (legendOf === `${view.slices} ${dense}`) return;
  legendOf = `${view.slices} ${dense}`;
  const entry = (n, icon, name) => {
    const box = html("input", { type: "checkbox" });
    box.checked = true;
    box.addEventListener("change", () => map.setHidden(n, !box.checked));
    return html("li", {}, html("label", {}, box, icon, name));
  };
  byId("legend").replaceChildren(
    ...view.slices.map((name, n) => entry(n, swatch(n), name)),
    entry(-1, html("i", { class: "swatch ring" }), "computes locally"),
    ...signKeys({ nodes: true, dense, places: Math.max(view.access_points.length, view.nodes.length) }),
  );
}

export function drawPlace(lines) {
  byId("chosen").hidden = !lines.length;
  byId("chosen").replaceChildren(...lines.map((line, k) => html(k ? "div" : "b", {}, line)));
}
