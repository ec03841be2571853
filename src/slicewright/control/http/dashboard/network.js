// The overview as a map, and what is said about the things on it.

import { count, percent } from "./dom.js";
import { decoded } from "./columns.js";
import { NetworkMap } from "./network-map.js";

const GOLDEN = Math.PI * (3 - Math.sqrt(5));

export class Network {
  constructor(host, { onDevice, onPlace }) {
    this.map = new NetworkMap(host, {
      describe: (kind, index) => this.words(kind, index),
      onSelect: (kind, index) => this.pick(kind, index),
    });
    Object.assign(this, { onDevice, onPlace, names: [], tag: "", key: null });
  }

  pick(kind, index, approach = false) {
    this.map.select(kind, index, { approach });
    this.onPlace(kind && kind !== "device" ? this.words(kind, index) : []);
    if (kind === "device") this.onDevice(this.names[index]);
  }

  // Takes an overview in; adds to it what is counted from its columns.
  take(view) {
    const { devices } = view;
    if (devices.names) [this.names, this.tag] = [devices.names, devices.tag];
    else if (devices.tag !== this.tag) throw new Error("names of other devices");
    this.view = view;
    this.columns = decoded(devices, ["x", "y", "point", "node", "slice", "reason"]);
    const tally = (column, things) => {
      const found = new Int32Array(things);
      for (const k of column) if (k >= 0) found[k]++;
      return found;
    };
    view.perPoint = tally(this.columns.point, view.access_points.length);
    view.perNode = tally(this.columns.node, view.nodes.length);
    view.total = this.columns.slice.length;
    view.offloaded = view.perPoint.reduce((sum, k) => sum + k, 0);
    const key = `${view.network_revision} ${view.slices}`;
    const placed = view.access_point_m.every(Boolean) && view.access_point_m.length > 0;
    if (key !== this.key || !placed) this.drawPlaces(view, placed);
    this.key = key;
    this.map.setDevices(this.onMap(view, placed));
    this.map.setWeights(Float32Array.from(view.perPoint), Float32Array.from(view.nodes, (n) => mean(n.use)));
  }

  drawPlaces(view, placed) {
    const axes = (places) => ({ x: Float32Array.from(places, (p) => p[0]), y: Float32Array.from(places, (p) => p[1]) });
    const column = (length, x) => Array.from({ length }, (_, k) => [x, 1 - (k + 0.5) / length]);
    const points = placed ? view.access_point_m : column(view.access_points.length, 1);
    const known = placed ? (view.node_m.every(Boolean) ? view.node_m : null) : column(view.nodes.length, 2);
    this.places = { points: axes(points) };
    this.map.setNetwork({
      points: { names: view.access_points, ...this.places.points },
      nodes: { names: view.nodes.map((n) => n.name), kinds: view.nodes.map((n) => n.kind), ...(known ? axes(known) : {}) },
      slices: view.slices,
      columns: !placed,
    });
  }

  // A device without a place of its own stands around its access point, or in a column sorted by access points.
  onMap(view, placed) {
    const { x, y, point, node, slice } = this.columns;
    if (!placed) {
      const order = [...slice.keys()].sort((a, b) => point[a] - point[b] || slice[a] - slice[b] || a - b);
      order.forEach((i, k) => ([x[i], y[i]] = [0, (k + 0.5) / order.length]));
    } else if (x.some(Number.isNaN)) {
      const at = this.places.points;
      const step = 0.006 * Math.max(spread(at.x), spread(at.y), 1);
      const met = new Int32Array(view.access_points.length);
      for (let i = 0; i < x.length; i++) {
        if (!Number.isNaN(x[i]) || point[i] < 0) continue;
        const k = ++met[point[i]];
        x[i] = at.x[point[i]] + step * Math.sqrt(k + 2) * Math.cos(GOLDEN * k);
        y[i] = at.y[point[i]] + step * Math.sqrt(k + 2) * Math.sin(GOLDEN * k);
      }
    }
    return { x, y, point, node, slice };
  }

  words(kind, index) {
    const { view } = this;
    if (kind === "point") {
      const parts = view.slices.map((s, n) => `${s}: ${view.percent.length ? view.percent[index][n] : 0} % of its bandwidth`);
      return [view.access_points[index], `${count(view.perPoint[index])} devices`, ...parts];
    }
    if (kind === "node") {
      const { name, kind: sort, use } = view.nodes[index];
      return [name, `${sort.toUpperCase()}, ${count(view.perNode[index])} devices`, ...view.slices.map((s, n) => `${s}: ${percent(use[n])} used`)];
    }
    const { point, node, slice, reason } = this.columns;
    const why = view.devices.reasons[reason[index]];
    const where =
      slice[index] < 0
        ? `computes locally${why ? `: ${why}` : ""}`
        : `${view.slices[slice[index]]}, ${view.access_points[point[index]]}, ${view.nodes[node[index]].name}`;
    return [this.names[index], where];
  }

  searched() {
    return [
      { kind: "device", word: "device", names: this.names },
      { kind: "point", word: "access point", names: this.view.access_points },
      { kind: "node", word: "node", names: this.view.nodes.map((n) => n.name) },
    ];
  }
}

const mean = (values) => values.reduce((sum, v) => sum + v, 0) / (values.length || 1);
const spread = (values) => Math.max(...values) - Math.min(...values);
