// The network on a canvas: dots and links, or where dots would cover each other discs that count them; names with room.

import { countInCells, discRadius } from "./cells.js";
import { colour, count, html } from "./dom.js";
import { placeLabels } from "./labels.js";
import { columnHeads, grid, scale, scaleBox, square, triangle } from "./marks.js";
import { namesWanted, nearest, placesInView } from "./places.js";
import { LOCAL_COLOUR, MOST_DOTS, MOST_LABELS } from "./settings.js";
import { extentOf, MapWindow } from "./window.js";

const MARGIN = 30;
const CELL = 22;
const FONT = '600 11px system-ui, "Liberation Sans", sans-serif';
const NAME_HEIGHT = 13;
const REACH = 12;

export class NetworkMap {
  // describe(kind, index): lines of text about a thing; onSelect(kind, index): it was clicked; kinds: device, point, node.
  constructor(host, { describe, onSelect }) {
    Object.assign(this, { host, describe, onSelect, hidden: new Set(), selected: null, labels: [], discs: [] });
    this.canvas = html("canvas", { tabindex: 0, role: "application", "aria-roledescription": "map" });
    this.tip = html("div", { class: "tip", hidden: "" });
    host.classList.add("network-map");
    host.append(this.canvas, this.tip, this.buttons());
    this.window = new MapWindow(this.canvas, () => this.redraw(), (at, clicked) => this.point(at, clicked));
    new ResizeObserver(() => this.redraw()).observe(host);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.redraw());
    this.setDevices({ x: [], y: [], slice: [], point: [], node: [] });
    this.network = null;
  }

  buttons() {
    const made = (sign, label, act) => {
      const button = html("button", { type: "button", "aria-label": label, title: label }, sign);
      button.addEventListener("click", act);
      return button;
    };
    return html(
      "div",
      { class: "zoom" },
      made("+", "Zoom in", () => this.window.zoomBy(1.6)),
      made("−", "Zoom out", () => this.window.zoomBy(1 / 1.6)),
      made("⤢", "Show all", () => this.window.showAll()),
    );
  }

  // points, nodes: { names, x, y }, nodes with kinds, or x null where they have no place. columns: no places, a drawing.
  setNetwork({ points, nodes, slices, columns = false, extent = null }) {
    this.network = { points, nodes, slices, columns };
    this.weights = { points: new Float32Array(points.names.length), nodes: new Float32Array(nodes.names.length) };
    this.extent = extent;
    this.beside = nodes.x ? Array.from(nodes.x, (x, j) => nearest(points, x, nodes.y[j])) : [];
    this.refit();
  }

  // Columns of numbers, one entry per device; size adds to a dot's radius in pixels.
  setDevices({ x, y, slice, point, node, size = null }) {
    const changed = !this.devices || this.devices.x.length !== x.length;
    this.devices = { x, y, slice, point, node, size };
    if (changed) {
      this.px = new Float32Array(x.length);
      this.py = new Float32Array(x.length);
      this.seen = new Int32Array(x.length);
    }
    if (this.network) this.refit();
  }

  // points: how large each is drawn, any unit; nodes: how full each is, 0 to 1.
  setWeights(points, nodes) {
    this.weights = { points, nodes };
    this.redraw();
  }

  setHidden(slice, hidden) {
    this.hidden[hidden ? "add" : "delete"](slice);
    this.redraw();
  }

  select(kind, index, { approach = true } = {}) {
    this.selected = kind === null ? null : { kind, index };
    const at = kind === null ? null : this.placeOf(kind, index);
    if (at && approach) this.window.goTo(at[0], at[1], kind === "device" ? 6 : 3);
    else this.redraw();
  }

  placeOf(kind, index) {
    const from = { device: this.devices, point: this.network.points, node: this.network.nodes }[kind];
    return from.x ? [from.x[index], from.y[index]] : null;
  }

  refit() {
    const all = this.extent || extentOf([this.devices, this.network.points, this.network.nodes]);
    this.window.fit(all);
    const tall = String((all[3] - all[1]) / (all[2] - all[0] || 1));
    if (this.host.style.getPropertyValue("--tall") !== tall) this.host.style.setProperty("--tall", tall);
    this.redraw();
  }

  redraw() {
    if (this.wanted) return;
    this.wanted = requestAnimationFrame(() => {
      this.wanted = null;
      if (this.network) this.draw();
    });
  }

  draw() {
    const { width, height } = this.host.getBoundingClientRect();
    if (!width || !height) return;
    const ratio = devicePixelRatio || 1;
    const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (this.canvas.width !== w || this.canvas.height !== h) {
      Object.assign(this.canvas, { width: w, height: h });
      this.tip.hidden = true;
    }
    const pen = this.canvas.getContext("2d");
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, width, height);
    const style = getComputedStyle(this.host);
    this.ink = Object.fromEntries(["paper", "ink", "soft", "faint"].map((k) => [k, style.getPropertyValue(`--${k}`).trim()]));
    this.window.resize(width, height, Math.min(MARGIN, width / 14));
    this.project(width, height);
    pen.font = FONT;
    this.ground(pen, width, height);
    this.dense = this.seenCount > MOST_DOTS;
    this.flows(pen);
    if (this.dense) this.drawDiscs(pen);
    else this.drawDots(pen);
    this.drawPlaces(pen);
    this.drawNames(pen, width, height);
    if (!this.network.columns) scale(pen, this.window, height, this.ink);
    this.canvas.setAttribute("aria-label", this.alt());
  }

  alt() {
    const { points, nodes } = this.network;
    return (
      `Map of ${count(this.devices.x.length)} devices, ${count(points.names.length)} access points and ` +
      `${count(nodes.names.length)} nodes. Arrow keys move it, plus and minus zoom, 0 shows all. ` +
      "Search and tables beside it say in words what it shows."
    );
  }

  // Devices in the window, in pixels.
  project(width, height) {
    const { x, y, slice } = this.devices;
    const w = this.window;
    const [ax, bx, ay, by] = [w.x(0), w.scale, w.y(0), -w.scale];
    let seen = 0;
    for (let i = 0; i < x.length; i++) {
      const u = (this.px[i] = ax + bx * x[i]);
      const v = (this.py[i] = ay + by * y[i]);
      if (u > -8 && v > -8 && u < width + 8 && v < height + 8 && !this.hidden.has(slice[i])) this.seen[seen++] = i;
    }
    this.seenCount = seen;
  }

  ground(pen, width, height) {
    if (this.network.columns) columnHeads(pen, ["devices", "access points", "nodes"].map((name, k) => [name, this.window.x(k)]), this.ink);
    else grid(pen, this.window, width, height, this.ink);
  }

  // In columns: how much goes from which access point to which node.
  flows(pen) {
    const { points, nodes, columns } = this.network;
    if (!columns || !nodes.x) return;
    const { point, node, slice } = this.devices;
    const flows = new Map();
    for (let k = 0; k < this.seenCount; k++) {
      const i = this.seen[k];
      if (point[i] < 0 || node[i] < 0) continue;
      const key = `${point[i]} ${node[i]} ${slice[i]}`;
      flows.set(key, (flows.get(key) || 0) + 1);
    }
    pen.globalAlpha = 0.6;
    for (const [key, number] of flows) {
      const [a, j, n] = key.split(" ").map(Number);
      pen.strokeStyle = sliceColour(n);
      pen.lineWidth = Math.min(8, 1.2 * Math.sqrt(number));
      pen.beginPath();
      pen.moveTo(this.window.x(points.x[a]), this.window.y(points.y[a]));
      pen.lineTo(this.window.x(nodes.x[j]), this.window.y(nodes.y[j]));
      pen.stroke();
    }
    pen.globalAlpha = 1;
  }

  drawDiscs(pen) {
    const slices = this.network.slices.length;
    const origin = [this.window.x(0), this.window.y(0)];
    this.discs = countInCells(this.px, this.py, this.devices.slice, this.seen, this.seenCount, slices, CELL, ...origin);
    const most = Math.max(...this.discs.map((d) => d.total));
    const parts = Array.from({ length: slices + 1 }, () => new Path2D());
    for (const disc of this.discs) {
      disc.r = discRadius(disc.total, most, CELL);
      let angle = -Math.PI / 2;
      disc.counts.forEach((number, n) => {
        if (!number) return;
        const next = angle + (2 * Math.PI * number) / disc.total;
        const path = parts[n];
        if (number < disc.total) path.moveTo(disc.x, disc.y);
        else path.moveTo(disc.x + disc.r * Math.cos(angle), disc.y + disc.r * Math.sin(angle));
        path.arc(disc.x, disc.y, disc.r, angle, next);
        path.closePath();
        angle = next;
      });
    }
    parts.forEach((path, n) => {
      pen.fillStyle = n < slices ? colour(n) : LOCAL_COLOUR;
      pen.fill(path);
    });
    this.most = most;
  }

  drawDots(pen) {
    this.discs = [];
    const { points } = this.network;
    const { slice, point, size } = this.devices;
    const many = this.seenCount;
    this.dot = (many <= 150 ? 5.5 : many <= 600 ? 4 : 3) * Math.min(1, Math.max(0.7, this.window.width / 600));
    const slices = this.network.slices.length;
    const lines = Array.from({ length: slices + 1 }, () => new Path2D());
    const dots = Array.from({ length: slices + 1 }, () => new Path2D());
    for (let k = 0; k < many; k++) {
      const i = this.seen[k];
      const [x, y, n] = [this.px[i], this.py[i], slice[i] < 0 ? slices : slice[i]];
      const r = this.dot + (size ? size[i] : 0);
      dots[n].moveTo(x + r, y);
      dots[n].arc(x, y, r, 0, 7);
      if (point[i] < 0) continue;
      lines[n].moveTo(x, y);
      lines[n].lineTo(this.window.x(points.x[point[i]]), this.window.y(points.y[point[i]]));
    }
    pen.lineWidth = 1;
    pen.globalAlpha = many <= 150 ? 0.7 : many <= 900 ? 0.5 : 0.3;
    lines.forEach((path, n) => {
      pen.strokeStyle = n < slices ? colour(n) : LOCAL_COLOUR;
      pen.stroke(path);
    });
    pen.globalAlpha = 1;
    dots.forEach((path, n) => {
      const own = n < slices;
      pen.fillStyle = own ? colour(n) : this.ink.paper;
      pen.strokeStyle = own ? this.ink.paper : LOCAL_COLOUR;
      pen.lineWidth = own ? 0.8 : 1.5;
      pen.fill(path);
      pen.stroke(path);
    });
  }

  // Marks of access points and nodes, and the boxes that names keep off.
  drawPlaces(pen) {
    const { points, nodes } = this.network;
    const few = points.names.length + nodes.names.length <= MOST_LABELS;
    const unit = (few ? 9 : 6) * Math.min(1.5, this.window.zoom ** 0.2) * Math.min(1, Math.max(0.7, this.window.width / 600));
    const heaviest = Math.max(...this.weights.points, 1e-12);
    this.places = [];
    pen.lineWidth = 1;
    points.names.forEach((name, index) => {
      const weight = this.weights.points[index];
      const r = unit * (0.65 + 0.55 * Math.sqrt(weight / heaviest));
      const [x, y] = [this.window.x(points.x[index]), this.window.y(points.y[index])];
      this.places.push({ kind: "point", index, name, x, y, r, weight: weight / heaviest });
    });
    if (nodes.x) {
      nodes.names.forEach((name, index) => {
        const mec = nodes.kinds[index] === "mec";
        const r = unit * (mec ? 1.15 : 0.75);
        let [x, y] = [this.window.x(nodes.x[index]), this.window.y(nodes.y[index])];
        // A node at an access point's site stands beside its mark.
        if (this.beside[index] * this.window.scale < unit) [x, y] = [x + r + unit * 0.6, y - r - unit * 0.2];
        this.places.push({ kind: "node", index, name, x, y, r, mec, weight: this.weights.nodes[index] });
      });
    }
    this.places = placesInView(this.places, this.window, (p) => this.isSelected(p));
    for (const place of this.places) (place.kind === "point" ? triangle : square)(pen, place, this.ink);
    if (this.selected) this.ring(pen);
  }

  isSelected(place) {
    return Boolean(this.selected) && place.kind === this.selected.kind && place.index === this.selected.index;
  }

  // What is selected, and the ways of everything that goes through it.
  ring(pen) {
    const { kind, index } = this.selected;
    const { point, node, slice } = this.devices;
    const at = this.centre(kind, index);
    if (!at) return;
    const concerned = (i) => (kind === "device" ? i === index : (kind === "point" ? point : node)[i] === index);
    if (kind !== "node" && !this.dense) {
      pen.lineWidth = 2;
      for (let k = 0; k < this.seenCount; k++) {
        const i = this.seen[k];
        if (!concerned(i) || point[i] < 0) continue;
        const [x, y] = this.centre("point", point[i]);
        pen.strokeStyle = sliceColour(slice[i]);
        pen.beginPath();
        pen.moveTo(this.px[i], this.py[i]), pen.lineTo(x, y);
        pen.stroke();
      }
    }
    pen.strokeStyle = this.ink.ink;
    pen.lineWidth = 2.5;
    pen.beginPath();
    pen.arc(at[0], at[1], 14, 0, 7);
    pen.stroke();
    pen.lineWidth = 1;
  }

  centre(kind, index) {
    if (kind === "device") return [this.px[index], this.py[index]];
    const drawn = this.places.find((p) => p.kind === kind && p.index === index);
    if (drawn) return [drawn.x, drawn.y];
    const at = this.placeOf(kind, index);
    return at && [this.window.x(at[0]), this.window.y(at[1])];
  }

  drawNames(pen, width, height) {
    pen.font = FONT;
    const room = Math.max(6, Math.min(80, (width * height) / 9000));
    const wanted = namesWanted(this.places, room, (p) => this.isSelected(p));
    for (const want of wanted) want.width = pen.measureText(want.text).width;
    const obstacles = this.places.map((p) => [p.x - p.r, p.y - p.r, p.x + p.r, p.y + p.r]);
    // The buttons in the corner and the scale have their place.
    const reserved = [[width - 50, 0, width, 122], this.network.columns ? [0, 0, width, 24] : scaleBox(this.window, height)];
    this.labels = placeLabels(wanted, obstacles, reserved, [2, 2, width - 2, height - 2], NAME_HEIGHT);
    pen.lineJoin = "round";
    pen.lineWidth = 3;
    pen.strokeStyle = this.ink.paper;
    pen.fillStyle = this.ink.ink;
    pen.textBaseline = "middle";
    for (const { text, box } of this.labels) {
      pen.strokeText(text, box[0], (box[1] + box[3]) / 2);
      pen.fillText(text, box[0], (box[1] + box[3]) / 2);
    }
    pen.textBaseline = "alphabetic";
  }

  // What is under the pointer: a place, a device or a disc.
  under([x, y]) {
    const near = (p) => Math.hypot(p.x - x, p.y - y);
    const place = this.places.filter((p) => near(p) < p.r + 3).sort((a, b) => near(a) - near(b))[0];
    if (place) return place;
    if (this.dense) {
      const disc = this.discs.find((d) => near(d) < Math.max(d.r, 5));
      return disc ? { kind: "disc", disc } : null;
    }
    let [best, least] = [-1, REACH];
    for (let k = 0; k < this.seenCount; k++) {
      const i = this.seen[k];
      const distance = Math.hypot(this.px[i] - x, this.py[i] - y);
      if (distance < least) [best, least] = [i, distance];
    }
    return best < 0 ? null : { kind: "device", index: best };
  }

  point(at, clicked) {
    const found = at && this.network ? this.under(at) : null;
    this.canvas.style.cursor = found ? "pointer" : "";
    this.tip.hidden = !found;
    if (!found) {
      if (clicked) this.onSelect(null, null);
      return;
    }
    if (clicked && found.kind === "disc") {
      this.tip.hidden = true;
      this.window.zoomBy(2.5, ...at);
    } else if (clicked) this.onSelect(found.kind, found.index);
    this.tip.replaceChildren(...this.words(found).map((line, k) => html(k ? "div" : "b", {}, line)));
    const [w, h] = [this.tip.offsetWidth, this.tip.offsetHeight];
    this.tip.style.left = `${Math.max(4, Math.min(this.window.width - w - 4, at[0] + 14))}px`;
    this.tip.style.top = `${at[1] + 16 + h > this.window.height ? Math.max(4, at[1] - h - 10) : at[1] + 16}px`;
  }

  words(found) {
    if (found.kind !== "disc") return this.describe(found.kind, found.index);
    const { total, counts } = found.disc;
    const names = [...this.network.slices, "without a slice"];
    const lines = [...counts].flatMap((number, n) => (number ? [`${names[n]}: ${count(number)}`] : []));
    return [`${count(total)} devices`, ...lines, "click to zoom in"];
  }
}

const sliceColour = (n) => (n < 0 ? LOCAL_COLOUR : colour(n));
