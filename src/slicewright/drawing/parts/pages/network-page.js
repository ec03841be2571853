// A page about one network: map, search, the busiest of everything, what a thing is about when it is chosen.

import { histogram, partsBar, rankedBars } from "./bars.js";
import { column, decoded } from "./columns.js";
import { byId, count, html, quantity, swatch } from "./dom.js";
import { signKeys } from "./keys.js";
import { NetworkMap } from "./network-map.js";
import { Search } from "./search.js";

const mostPlaces = ({ points, nodes }) => Math.max(points.names.length, nodes.names.length);

class NetworkPage {
  constructor(page) {
    this.page = page;
    const { network, devices } = page;
    this.columns = decoded(devices, ["x", "y", "slice", "point", "node"]);
    this.fields = devices.fields.map((f) => ({ ...f, values: column(f.values) }));
    const placed = (things) => ({ ...things, x: things.x && column(things.x), y: things.y && column(things.y) });
    this.network = { ...network, points: placed(network.points), nodes: placed(network.nodes) };
    this.slices = network.slices;
    this.head();
    this.map = new NetworkMap(byId("map"), { describe: (...thing) => this.words(...thing), onSelect: (...thing) => this.select(...thing) });
    this.map.setNetwork(this.network);
    this.map.setDevices(this.columns);
    this.map.setWeights(column(network.points.weight), column(network.nodes.weight));
    this.search = new Search(byId("search"), (kind, index) => this.select(kind, index, true));
    this.search.setNames([
      { kind: "device", word: "", names: (i) => `device ${i}`, size: this.columns.x.length },
      { kind: "point", word: "access point", names: network.points.names },
      { kind: "node", word: "node", names: network.nodes.names },
    ]);
    this.legend();
    for (const panel of page.panels) this.panel(panel);
  }

  head() {
    const { title, figures, note } = this.page;
    document.title = `slicewright: ${title}`;
    byId("title").textContent = title;
    byId("figures").replaceChildren(...figures.map(([name, value]) => html("div", {}, html("dt", {}, name), html("dd", {}, value))));
    byId("note").textContent = note || "";
    byId("note").hidden = !note;
  }

  legend() {
    const entry = (n, name) => {
      const box = html("input", { type: "checkbox" });
      box.checked = true;
      box.addEventListener("change", () => this.map.setHidden(n, !box.checked));
      const icon = n < 0 ? html("i", { class: "swatch ring" }) : swatch(n);
      return html("li", {}, html("label", {}, box, icon, name));
    };
    const used = new Set(this.columns.slice);
    const entries = this.slices.map((name, n) => entry(n, name));
    if (used.has(-1)) entries.push(entry(-1, this.page.unsliced));
    byId("legend").replaceChildren(...entries, ...signKeys({ nodes: Boolean(this.network.nodes.x), dense: this.page.dense, places: mostPlaces(this.network) }));
  }

  panel(panel) {
    const host = html("div");
    byId("panels").append(html("section", {}, html("h2", {}, panel.title), host));
    if (panel.kind === "remarks") {
      return host.append(html("dl", {}, ...panel.remarks.flatMap(([name, text]) => [html("dt", {}, name), html("dd", {}, text)])));
    }
    if (panel.kind === "parts") return partsBar(host, panel);
    if (panel.kind === "histogram") return histogram(host, panel);
    const kind = panel.of;
    const names = (kind === "point" ? this.network.points : this.network.nodes).names;
    const what = kind === "point" ? "access points" : "nodes";
    return rankedBars(host, { ...panel, names, what, onPick: (index) => this.select(kind, index, true) });
  }

  words(kind, index) {
    if (kind !== "device") {
      const things = kind === "point" ? this.network.points : this.network.nodes;
      return [things.names[index], ...things.said[index]];
    }
    const { point, node, slice } = this.columns;
    const { points, nodes } = this.network;
    const way = [
      point[index] < 0 ? this.page.unlinked : `through ${points.names[point[index]]}`,
      node[index] < 0 ? "" : `to ${nodes.names[node[index]]}`,
      slice[index] < 0 ? "" : `in slice ${this.slices[slice[index]]}`,
    ];
    const numbers = this.fields.flatMap(({ name, unit, values }) =>
      Number.isFinite(values[index]) ? [`${name} ${quantity(values[index], unit)}`] : [],
    );
    return [`device ${count(index)}`, way.filter(Boolean).join(" "), ...numbers];
  }

  select(kind, index, approach = false) {
    this.map.select(kind, index, { approach });
    const lines = kind === null ? [] : this.words(kind, index);
    byId("chosen").replaceChildren(...lines.map((line, k) => html(k ? "div" : "b", {}, line)));
    byId("chosen").hidden = !lines.length;
  }
}

window.page = new NetworkPage(JSON.parse(byId("data").textContent));
