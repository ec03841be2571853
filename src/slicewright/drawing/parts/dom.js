// Small helpers: elements, numbers, the colours of slices.

import { SLICE_COLOURS } from "./settings.js";

const SVG = "http://www.w3.org/2000/svg";

export const byId = (id) => document.getElementById(id);
export const colour = (slice) => SLICE_COLOURS[slice % SLICE_COLOURS.length];

export function svg(name, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, name), attributes, children);
}

export function html(name, attributes = {}, ...children) {
  return filled(document.createElement(name), attributes, children);
}

function filled(element, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

// Replace what is in an element, and give the focus back to the thing that had it.
export function redrawn(host, ...children) {
  const key = host.contains(document.activeElement) ? document.activeElement.dataset.key : undefined;
  host.replaceChildren(...children);
  if (key !== undefined) [...host.querySelectorAll("[data-key]")].find((e) => e.dataset.key === key)?.focus({ preventScroll: true });
}

export function swatch(slice) {
  const element = html("i", { class: "swatch" });
  element.style.background = colour(slice);
  return element;
}

export function short(value, digits = 3) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  if (value !== 0 && Math.abs(value) < 1e-3) return value.toExponential(1);
  return Number(value.toPrecision(digits)).toLocaleString("en", { maximumFractionDigits: 6 });
}

const PREFIXES = [[1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"], [1, ""], [1e-3, "m"], [1e-6, "µ"]];

// A quantity with its unit: 12.3 ms, 4.56 Gbit/s, 78 %; counts have no unit.
export function quantity(value, unit = "", digits = 3) {
  if (!Number.isFinite(value)) return "–";
  if (unit === "%") return `${short(value * 100, digits)} %`;
  if (!unit) return short(value, digits);
  if (value === 0 || (unit === "s" && value >= 1)) return `${short(value, digits)} ${unit}`;
  const [scale, prefix] = PREFIXES.find(([least]) => Math.abs(value) >= least) || PREFIXES.at(-1);
  return `${short(value / scale, digits)} ${prefix}${unit}`;
}

export const count = (value) => value.toLocaleString("en");
export const milliseconds = (seconds) => `${short(seconds * 1000)} ms`;
export const percent = (ratio) => `${short(ratio * 100)} %`;
