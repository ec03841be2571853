// The network on a map. Elements are made once per network and moved afterwards.

import { byId, colour, html, svg } from "./dom.js";

const SIZE = 600;
const EDGE = 34;

export class NetworkMap {
  constructor(onDevice) {
    this.onDevice = onDevice;
    this.root = byId("map");
    this.root.setAttribute("viewBox", `0 0 ${SIZE} ${SIZE}`);
    this.layers = Object.fromEntries(
      ["hauls", "links", "places", "devices", "names"].map((name) => [name, this.root.appendChild(svg("g"))]),
    );
    this.devices = new Map();
    this.revision = null;
  }

  draw(view) {
    const positions = layout(view);
    if (this.revision !== view.network_revision) this.drawPlaces(view, positions);
    this.drawDevices(view, positions);
  }

  drawPlaces(view, at) {
    this.revision = view.network_revision;
    this.layers.places.replaceChildren(
      ...view.nodes.map((node, j) => place(at.nodes[j], node.name, node.kind, node.kind)),
      ...view.access_points.map((name, a) => place(at.points[a], name, "point", "access point")),
    );
    // Names lie above the devices, which gather around places.
    const all = [...at.nodes, ...at.points];
    const names = [...view.nodes.map((node) => node.name), ...view.access_points];
    this.layers.names.replaceChildren(...names.map((name, k) => label(all[k], name, all)));
    const entry = (shape, text) => {
      const icon = svg("svg", { viewBox: "-8 -8 16 16" });
      icon.append(shape);
      return html("li", {}, icon, text);
    };
    const dot = (fill) => svg("circle", { r: 6, fill });
    byId("legend").replaceChildren(
      ...view.slices.map((name, n) => entry(dot(colour(n)), `in slice ${name}`)),
      entry(dot("var(--local)"), "computes locally"),
      entry(svg("path", { d: SHAPES.point, fill: "none", stroke: "currentColor", "stroke-width": 1.5 }), "access point"),
      entry(svg("path", { d: SHAPES.coin, fill: "none", stroke: "currentColor", "stroke-width": 1.5 }), "COIN node"),
      entry(svg("path", { d: SHAPES.mec, fill: "currentColor" }), "MEC server"),
    );
  }

  drawDevices(view, at) {
    const seen = new Set();
    view.devices.forEach((device, i) => {
      seen.add(device.id);
      const shapes = this.devices.get(device.id) || this.addDevice(device);
      shapes.device = device;
      const [x, y] = at.devices[i];
      const served = device.slice !== null;
      const tint = served ? colour(device.slice) : "var(--local)";
      set(shapes.dot, { cx: x, cy: y, r: served ? 5.5 : 4, fill: tint });
      shapes.title.textContent = served
        ? `${device.id}: ${view.slices[device.slice]}, ${view.access_points[device.access_point]}, ${view.nodes[device.node].name}`
        : `${device.id}: ${device.reason}`;
      if (served) {
        const point = at.points[device.access_point];
        const node = at.nodes[device.node];
        set(shapes.link, { d: `M${x} ${y}L${point[0]} ${point[1]}`, stroke: tint, visibility: "visible" });
        set(shapes.haul, { d: `M${point[0]} ${point[1]}L${node[0]} ${node[1]}`, stroke: tint, visibility: "visible" });
      } else {
        shapes.link.setAttribute("visibility", "hidden");
        shapes.haul.setAttribute("visibility", "hidden");
      }
    });
    for (const [id, shapes] of this.devices) {
      if (seen.has(id)) continue;
      shapes.dot.remove();
      shapes.link.remove();
      shapes.haul.remove();
      this.devices.delete(id);
    }
  }

  addDevice(device) {
    const title = svg("title");
    const dot = svg("circle", { class: "device", tabindex: 0, role: "button" });
    dot.append(title);
    const shapes = { dot, title, link: svg("path", { class: "link" }), haul: svg("path", { class: "haul" }) };
    const open = () => this.onDevice(device.id);
    dot.addEventListener("click", open);
    dot.addEventListener("keydown", (event) => event.key === "Enter" && open());
    this.layers.devices.append(dot);
    this.layers.links.append(shapes.link);
    this.layers.hauls.append(shapes.haul);
    this.devices.set(device.id, shapes);
    return shapes;
  }
}

const SHAPES = { point: "M0 -8L7.5 6H-7.5Z", coin: "M-6 -6H6V6H-6Z", mec: "M0 -8.5L8.5 0L0 8.5L-8.5 0Z" };

function place([x, y], name, kind, title) {
  const group = svg("g", { transform: `translate(${x} ${y})` });
  const shape = svg("path", { d: SHAPES[kind], class: `place ${kind}` });
  shape.append(svg("title", {}, `${name} (${title})`));
  group.append(shape);
  return group;
}

// Below its place, or above where another place is in the way.
function label([x, y], name, all) {
  const crowded = all.some(([u, v]) => Math.abs(u - x) < 44 && v - y > 0 && v - y < 34);
  return svg("text", { class: "name", x, y: crowded ? y - 13 : y + 20, "text-anchor": "middle" }, name);
}

function set(element, attributes) {
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
}

// Coordinates on the drawing: from positions if all are known, else three columns.
function layout(view) {
  const known = [...view.access_point_m, ...view.node_m, ...view.devices.map((d) => d.position_m)];
  if (known.some((p) => p === null)) {
    const column = (count, x) => Array.from({ length: count }, (_, k) => [x, EDGE + ((k + 0.5) * (SIZE - 2 * EDGE)) / count]);
    return {
      devices: column(view.devices.length, EDGE),
      points: column(view.access_point_m.length, SIZE / 2),
      nodes: column(view.node_m.length, SIZE - EDGE),
    };
  }
  const xs = known.map((p) => p[0]);
  const ys = known.map((p) => p[1]);
  const [left, top] = [Math.min(...xs), Math.max(...ys)];
  const span = Math.max(Math.max(...xs) - left, top - Math.min(...ys), 1e-9);
  const scale = (SIZE - 2 * EDGE) / span;
  const to = ([x, y]) => [Math.round((EDGE + (x - left) * scale) * 10) / 10, Math.round((EDGE + (top - y) * scale) * 10) / 10];
  return { devices: view.devices.map((d) => to(d.position_m)), points: view.access_point_m.map(to), nodes: view.node_m.map(to) };
}
