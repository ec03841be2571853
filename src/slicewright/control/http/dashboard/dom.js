// Small helpers: elements, numbers, the colours of slices.

import { SLICE_COLOURS } from "./palette.js";

const SVG = "http://www.w3.org/2000/svg";

export const byId = (id) => document.getElementById(id);
export const colour = (slice) => SLICE_COLOURS[slice % SLICE_COLOURS.length];

export function svg(name, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

export function html(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
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

export const milliseconds = (seconds) => `${short(seconds * 1000)} ms`;
export const percent = (ratio) => `${short(ratio * 100)} %`;
