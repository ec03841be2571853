// What a map is made of: signs of access points and nodes, the ground with its scale.

export function triangle(pen, { x, y, r }, ink) {
  pen.fillStyle = ink.ink;
  pen.strokeStyle = ink.paper;
  pen.beginPath();
  pen.moveTo(x, y - r);
  pen.lineTo(x + 0.9 * r, y + 0.75 * r);
  pen.lineTo(x - 0.9 * r, y + 0.75 * r);
  pen.closePath();
  pen.fill();
  pen.stroke();
}

// A node, filled from below by its use; a MEC server has a thick rim.
export function square(pen, { x, y, r, mec, weight }, ink) {
  pen.fillStyle = ink.paper;
  pen.fillRect(x - r, y - r, 2 * r, 2 * r);
  const full = 2 * r * Math.min(1, weight || 0);
  pen.fillStyle = ink.soft;
  pen.fillRect(x - r, y + r - full, 2 * r, full);
  pen.strokeStyle = ink.ink;
  pen.lineWidth = mec ? 2.4 : 1.3;
  pen.strokeRect(x - r, y - r, 2 * r, 2 * r);
  pen.lineWidth = 1;
}

export function columnHeads(pen, heads, ink) {
  pen.fillStyle = ink.soft;
  pen.textAlign = "center";
  for (const [name, x] of heads) pen.fillText(name, x, 16);
  pen.textAlign = "left";
}

// Lines at even distances.
export function grid(pen, window, width, height, ink) {
  const side = niceStep(110 / window.scale) * window.scale;
  const first = (origin) => origin - Math.ceil(origin / side) * side;
  pen.strokeStyle = ink.faint;
  pen.lineWidth = 0.6;
  pen.beginPath();
  for (let x = first(window.x(0)); x < width; x += side) {
    pen.moveTo(x, 0);
    pen.lineTo(x, height);
  }
  for (let y = first(window.y(0)); y < height; y += side) {
    pen.moveTo(0, y);
    pen.lineTo(width, y);
  }
  pen.stroke();
}

// Where the scale is, which names keep off.
export const scaleBox = (window, height) => [4, height - 30, 18 + niceStep(110 / window.scale) * window.scale, height - 3];

// How far one line of the grid is from the next, on a plate of its own.
export function scale(pen, window, height, ink) {
  const step = niceStep(110 / window.scale);
  const side = step * window.scale;
  const [left, top, right, bottom] = scaleBox(window, height);
  pen.globalAlpha = 0.85;
  pen.fillStyle = ink.paper;
  pen.fillRect(left, top, right - left, bottom - top);
  pen.globalAlpha = 1;
  const y = height - 10;
  pen.strokeStyle = ink.soft;
  pen.fillStyle = ink.soft;
  pen.lineWidth = 1.5;
  pen.beginPath();
  pen.moveTo(10, y - 4);
  pen.lineTo(10, y);
  pen.lineTo(10 + side, y);
  pen.lineTo(10 + side, y - 4);
  pen.stroke();
  pen.fillText(step >= 1000 ? `${step / 1000} km` : `${Number(step.toPrecision(3))} m`, 16, y - 4);
}

function niceStep(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((k) => k * power).find((k) => k >= value) || value;
}
