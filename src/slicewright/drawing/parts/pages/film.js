// A run as a film: devices that move, links that change, tasks that wait.

import { rankedBars } from "./bars.js";
import { decoded } from "./columns.js";
import { byId, count, html, quantity, svg, swatch } from "./dom.js";
import { signKeys } from "./keys.js";
import { NetworkMap } from "./network-map.js";
import { Search } from "./search.js";
import { MOST_DOTS } from "./settings.js";

const STEPS = 65535;
const BARS_EVERY_MS = 250;
const ABSENT = -2;

class Film {
  constructor(data) {
    Object.assign(this, data, { now: 0, playing: true, frame: 0, last: 0, barsAt: 0, chosen: null });
    this.columns = decoded(data.columns, ["place", "access_point", "node", "slice", "uplink", "work"]);
    this.end = this.time_s.at(-1) || 1;
    const [I, A, J] = [this.devices, this.access_points.names.length, this.nodes.names.length];
    this.now_at = { x: new Float32Array(I), y: new Float32Array(I), size: new Float32Array(I) };
    this.load = { points: new Float32Array(A), nodes: new Float32Array(J) };
    this.inside = Array.from({ length: this.frames }, (_, f) => this.tasks(f));
    byId("what").textContent = `${count(I)} devices, ${count(A)} access points, ${count(J)} nodes, ${this.slices.length} slices`;
    this.map = new NetworkMap(byId("map"), { describe: (...thing) => this.words(...thing), onSelect: (...thing) => this.select(...thing) });
    const axis = (places, k) => Float32Array.from(places, (p) => this.metres(p[k]));
    const placed = ({ names, place, kinds }) => ({ names, kinds, ...(place ? { x: axis(place, 0), y: axis(place, 1) } : {}) });
    this.network = { points: placed(this.access_points), nodes: placed(this.nodes) };
    this.map.setNetwork({ ...this.network, slices: this.slices, extent: [0, 0, this.side_m, this.side_m * this.aspect] });
    this.search = new Search(byId("search"), (kind, index) => this.select(kind, index, true));
    this.search.setNames([
      { kind: "device", word: "", names: (i) => `device ${i}`, size: I },
      { kind: "point", word: "access point", names: this.access_points.names },
      { kind: "node", word: "node", names: this.nodes.names },
    ]);
    this.legend();
    this.controls();
  }

  metres(steps) {
    return (steps / STEPS) * this.side_m;
  }

  tasks(f) {
    const { access_point: ap, uplink, work } = this.columns;
    let sum = 0;
    for (let k = f * this.devices; k < (f + 1) * this.devices; k++) if (ap[k] !== ABSENT) sum += uplink[k] + work[k];
    return sum;
  }

  legend() {
    const entry = (icon, name) => html("li", {}, icon, name);
    byId("legend").replaceChildren(
      ...this.slices.map((name, n) => entry(swatch(n), name)),
      entry(html("i", { class: "swatch ring" }), "computes locally"),
      ...signKeys({ nodes: Boolean(this.nodes.place), dense: this.devices > MOST_DOTS, places: Math.max(this.access_points.names.length, this.nodes.names.length) }),
      html("li", { class: "quiet" }, "larger: more tasks wait"),
    );
  }

  controls() {
    byId("at").max = this.end;
    byId("play").addEventListener("click", () => {
      if (!this.playing && this.now >= this.end) this.now = 0;
      this.play(!this.playing);
    });
    byId("at").addEventListener("input", (event) => this.show(Number(event.target.value)));
    addEventListener("keydown", (event) => {
      if (event.code !== "Space" || ["BUTTON", "INPUT", "SELECT", "SUMMARY"].includes(event.target.tagName)) return;
      event.preventDefault();
      byId("play").click();
    });
    addEventListener("resize", () => this.show(this.now));
  }

  play(on) {
    this.playing = on;
    byId("play").textContent = on ? "Pause" : "Play";
  }

  step(time) {
    const passed = Math.min(0.1, (time - this.last) / 1000);
    this.last = time;
    if (this.playing) {
      const next = this.now + passed * Number(byId("speed").value);
      if (next >= this.end) this.play(false);
      this.show(Math.min(this.end, next));
    }
    requestAnimationFrame((t) => this.step(t));
  }

  // The network at a time, between the frames around it.
  show(now) {
    this.now = now;
    const { time_s: time, devices: I, frames } = this;
    let f = this.frame;
    while (f + 1 < frames && time[f + 1] <= now) f++;
    while (f > 0 && time[f] > now) f--;
    this.frame = f;
    const g = Math.min(f + 1, frames - 1);
    const part = g > f ? (now - time[f]) / (time[g] - time[f]) : 0;
    this.place(f, g, part);
    const from = f * I;
    const slice = this.columns.slice.subarray(from, from + I);
    const node = this.columns.node.subarray(from, from + I);
    const point = this.columns.access_point.subarray(from, from + I);
    this.map.setDevices({ ...this.now_at, slice, node, point });
    const busiest = Math.max(3, I / this.load.nodes.length);
    this.map.setWeights(this.load.points, this.load.nodes.map((tasks) => tasks / busiest));
    byId("at").value = now;
    const whole = Math.floor(now);
    const two = (value) => String(value).padStart(2, "0");
    byId("clock").textContent = `${two(Math.floor(whole / 3600))}:${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
    this.lines();
    if (!this.playing || performance.now() - this.barsAt > BARS_EVERY_MS) this.bars();
  }

  place(f, g, part) {
    const { place, access_point: ap, node, uplink, work } = this.columns;
    const { x, y, size } = this.now_at;
    this.load.points.fill(0);
    this.load.nodes.fill(0);
    for (let i = 0; i < this.devices; i++) {
      const [k, n] = [f * this.devices + i, g * this.devices + i];
      const moving = ap[n] === ABSENT ? 0 : part;
      x[i] = ap[k] === ABSENT ? NaN : this.metres(place[2 * k] + (place[2 * n] - place[2 * k]) * moving);
      y[i] = this.metres(place[2 * k + 1] + (place[2 * n + 1] - place[2 * k + 1]) * moving);
      size[i] = Math.min(7, 1.2 * Math.sqrt(uplink[k] + work[k]));
      if (ap[k] < 0) continue;
      this.load.points[ap[k]] += uplink[k];
      this.load.nodes[node[k]] += work[k];
    }
  }

  lines() {
    const { frame } = this;
    const line = (id, values, unit, level = null) => {
      byId(id).textContent = values[frame] === null ? "–" : quantity(values[frame], unit);
      timeLine(byId(`${id}-line`), { time: this.time_s, values, end: this.end, now: this.now, level, plans: this.plans, words: `${byId(id).textContent} now` });
    };
    line("completion", this.completion_s, "s", this.planned_s);
    line("inside", this.inside, "");
    line("throughput", this.throughput_hz, "");
  }

  bars() {
    this.barsAt = performance.now();
    const ranked = (id, names, tasks, kind, what) =>
      rankedBars(byId(id), {
        names, values: Array.from(tasks, (v) => [v]), weight: tasks, slices: [], unit: "", what, onPick: (index) => this.select(kind, index, true),
      });
    ranked("uplinks", this.access_points.names, this.load.points, "point", "access points");
    ranked("executions", this.nodes.names, this.load.nodes, "node", "nodes");
    if (this.chosen) this.say();
  }

  words(kind, index) {
    if (kind === "point") return [this.access_points.names[index], `${count(this.load.points[index])} tasks on the uplink`];
    if (kind === "node") return [this.nodes.names[index], `${count(this.load.nodes[index])} tasks in execution`];
    const k = this.frame * this.devices + index;
    const { access_point: ap, node, slice, uplink, work } = this.columns;
    const way =
      ap[k] === ABSENT ? "is not there" : ap[k] < 0 ? "computes locally"
      : `through ${this.access_points.names[ap[k]]} to ${this.nodes.names[node[k]]}, slice ${this.slices[slice[k]]}`;
    return [`device ${index}`, way, `${uplink[k]} on the uplink, ${work[k]} in execution`];
  }

  select(kind, index, approach = false) {
    this.chosen = kind === null ? null : [kind, index];
    this.map.select(kind, index, { approach });
    this.say();
  }

  say() {
    const lines = this.chosen ? this.words(...this.chosen) : [];
    byId("chosen").replaceChildren(...lines.map((line, k) => html(k ? "div" : "b", {}, line)));
    byId("chosen").hidden = !lines.length;
  }
}

// One line over the whole time, strong up to now; level: dashed across; plans: when there was a new one.
function timeLine(chart, { time, values, end, now, level, plans, words }) {
  const { width, height } = chart.getBoundingClientRect();
  if (!width) return;
  const top = 1.08 * values.reduce((most, v) => Math.max(most, v ?? 0), level || 0) || 1;
  const x = (t) => ((t / end) * width).toFixed(1);
  const y = (v) => (height - 2 - (v / top) * (height - 6)).toFixed(1);
  const path = (until) => {
    let pen = "M";
    let out = "";
    values.forEach((v, k) => {
      if (time[k] > until) return;
      if (v !== null) out += `${pen}${x(time[k])} ${y(v)}`;
      pen = v === null ? "M" : "L";
    });
    return out;
  };
  const upright = (t) => `M${x(t)} 0V${height}`;
  const parts = plans.length > 60 ? [] : [svg("path", { class: "plan", d: plans.map(upright).join("") })];
  if (level) parts.push(svg("path", { class: "level", d: `M0 ${y(level)}H${width}` }));
  parts.push(svg("path", { class: "ahead", d: path(end) }), svg("path", { d: path(now) }), svg("path", { class: "now", d: upright(now) }));
  chart.setAttribute("aria-label", level ? `${words}, planned ${quantity(level, "s")} (dashed)` : words);
  chart.replaceChildren(...parts);
}

window.film = new Film(JSON.parse(byId("data").textContent));
const asked = Number(new URLSearchParams(location.search).get("t") || location.hash.slice(1));
if (asked || matchMedia("(prefers-reduced-motion: reduce)").matches) film.play(false);
film.show(Math.min(film.end, asked || 0));
requestAnimationFrame((t) => film.step(t));
