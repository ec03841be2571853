// The part of the plane that a map shows: fits all, is dragged, pinched, wheeled and moved by keys.

const MOST_ZOOM = 400;
const KEY_STEP = 60;

export class MapWindow {
  constructor(canvas, redraw, onPoint) {
    Object.assign(this, { canvas, redraw, zoom: 1, dx: 0, dy: 0, width: 1, height: 1, extent: [0, 0, 1, 1] });
    this.touching = new Map();
    this.moved = 0;
    canvas.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    canvas.addEventListener("pointerdown", (event) => this.down(event));
    canvas.addEventListener("pointermove", (event) => this.move(event, onPoint));
    for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, (event) => this.up(event, onPoint));
    canvas.addEventListener("pointerleave", () => onPoint(null));
    canvas.addEventListener("keydown", (event) => this.key(event));
  }

  // What "all" is, in the plane's units: [left, bottom, right, top].
  fit(extent) {
    this.extent = extent;
  }

  resize(width, height, margin) {
    const [left, bottom, right, top] = this.extent;
    const scale = Math.min((width - 2 * margin) / (right - left || 1), (height - 2 * margin) / (top - bottom || 1));
    Object.assign(this, { width, height, whole: Math.max(scale, 1e-9) });
  }

  get scale() {
    return this.whole * this.zoom;
  }

  x(value) {
    return this.width / 2 + this.dx + (value - (this.extent[0] + this.extent[2]) / 2) * this.scale;
  }

  y(value) {
    return this.height / 2 + this.dy - (value - (this.extent[1] + this.extent[3]) / 2) * this.scale;
  }

  zoomBy(factor, x = this.width / 2, y = this.height / 2) {
    const zoom = Math.min(MOST_ZOOM, Math.max(1, this.zoom * factor));
    const change = zoom / this.zoom;
    this.dx = (this.dx + this.width / 2 - x) * change - this.width / 2 + x;
    this.dy = (this.dy + this.height / 2 - y) * change - this.height / 2 + y;
    this.zoom = zoom;
    this.settle();
  }

  moveBy(dx, dy) {
    this.dx += dx;
    this.dy += dy;
    this.settle();
  }

  showAll() {
    Object.assign(this, { zoom: 1, dx: 0, dy: 0 });
    this.settle();
  }

  // Bring a place to the middle, at least so near.
  goTo(x, y, zoom = this.zoom) {
    this.zoom = Math.min(MOST_ZOOM, Math.max(this.zoom, zoom));
    this.dx = -(x - (this.extent[0] + this.extent[2]) / 2) * this.scale;
    this.dy = (y - (this.extent[1] + this.extent[3]) / 2) * this.scale;
    this.settle();
  }

  // Never so far that nothing is left to see; one finger scrolls the page as long as the map shows all.
  settle() {
    const reachX = (this.width * this.zoom) / 2;
    const reachY = (this.height * this.zoom) / 2;
    this.dx = this.zoom === 1 ? 0 : Math.min(reachX, Math.max(-reachX, this.dx));
    this.dy = this.zoom === 1 ? 0 : Math.min(reachY, Math.max(-reachY, this.dy));
    this.canvas.style.touchAction = this.zoom === 1 ? "pan-y" : "none";
    this.redraw();
  }

  place(event) {
    const box = this.canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  wheel(event) {
    event.preventDefault();
    this.zoomBy(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0015)), ...this.place(event));
  }

  down(event) {
    this.touching.set(event.pointerId, this.place(event));
    this.moved = 0;
    this.canvas.setPointerCapture(event.pointerId);
  }

  move(event, onPoint) {
    const now = this.place(event);
    const before = this.touching.get(event.pointerId);
    if (!before) return onPoint(now);
    const others = [...this.touching].filter(([id]) => id !== event.pointerId).map(([, at]) => at);
    this.touching.set(event.pointerId, now);
    this.moved += Math.hypot(now[0] - before[0], now[1] - before[1]);
    if (others.length) {
      const [other] = others;
      const gap = (at) => Math.max(10, Math.hypot(at[0] - other[0], at[1] - other[1]));
      this.zoomBy(gap(now) / gap(before), (now[0] + other[0]) / 2, (now[1] + other[1]) / 2);
    }
    if (this.moved > 4) this.moveBy((now[0] - before[0]) / (others.length + 1), (now[1] - before[1]) / (others.length + 1));
    return undefined;
  }

  up(event, onPoint) {
    const touched = this.touching.delete(event.pointerId);
    if (touched && this.moved <= 4 && event.type === "pointerup") onPoint(this.place(event), true);
  }

  key(event) {
    const moves = { ArrowLeft: [KEY_STEP, 0], ArrowRight: [-KEY_STEP, 0], ArrowUp: [0, KEY_STEP], ArrowDown: [0, -KEY_STEP] };
    if (event.key in moves) this.moveBy(...moves[event.key]);
    else if (event.key === "+" || event.key === "=") this.zoomBy(1.4);
    else if (event.key === "-") this.zoomBy(1 / 1.4);
    else if (event.key === "0" || event.key === "Home") this.showAll();
    else return;
    event.preventDefault();
  }
}

// The box around all things, as [left, bottom, right, top]; a square of one where there is nothing.
export function extentOf(things) {
  const box = [Infinity, Infinity, -Infinity, -Infinity];
  for (const { x, y } of things) {
    for (let i = 0; x && i < x.length; i++) {
      if (x[i] < box[0]) box[0] = x[i];
      if (y[i] < box[1]) box[1] = y[i];
      if (x[i] > box[2]) box[2] = x[i];
      if (y[i] > box[3]) box[3] = y[i];
    }
  }
  return Number.isFinite(box[0]) ? box : [0, 0, 1, 1];
}
