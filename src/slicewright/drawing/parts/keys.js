// What the signs of a map mean.

import { html, svg } from "./dom.js";
import { MOST_PLACES } from "./settings.js";

const SIGNS = {
  "access point": () => svg("path", { d: "M0 -7L6.5 5.5H-6.5Z", fill: "currentColor" }),
  "COIN node, filled by use": () => svg("path", { d: "M-5 -5H5V5H-5Z", fill: "none", stroke: "currentColor", "stroke-width": 1.4 }),
  "MEC server": () => svg("path", { d: "M-7 -7H7V7H-7Z", fill: "none", stroke: "currentColor", "stroke-width": 2.6 }),
  "devices nearby; zoom in for each": () => svg("circle", { r: 6.5, fill: "var(--local)" }),
};

export function signKeys({ nodes, dense, places = 0 }) {
  const names = Object.keys(SIGNS).filter((name, k) => k === 0 || (k === 3 ? dense : nodes));
  const keys = names.map((name) => html("li", {}, svg("svg", { viewBox: "-8 -8 16 16", "aria-hidden": "true" }, SIGNS[name]()), name));
  if (places > MOST_PLACES) keys.push(html("li", { class: "quiet" }, "the busiest places are marked; zoom in for all"));
  return keys;
}
