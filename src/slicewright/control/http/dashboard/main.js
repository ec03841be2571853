// The dashboard: an overview per change, at most ten a second, and a history of decisions from the event stream.

import { KEPT, drawCharts } from "./charts.js";
import { byId, html, swatch } from "./dom.js";
import { signKeys } from "./keys.js";
import { Network } from "./network.js";
import {
  drawCertified,
  drawDecision,
  drawDecisions,
  drawExplanation,
  drawFigures,
  drawManagers,
  drawNodes,
  drawPoints,
} from "./panels.js";
import { Search } from "./search.js";
import { MOST_DOTS } from "./settings.js";
import { Unauthorized, follow, getJson, setToken } from "./stream.js";

const LEAST_PAUSE_MS = 100;
const REST = 0.5; // times as long as a refresh took, so that a crowd leaves room for everything else
const history = [];
const arrivals = [];
const network = new Network(byId("map"), { onDevice: explain, onPlace: drawPlace });
const search = new Search(byId("search"), (kind, index) => network.pick(kind, index, true));
let wanted = false;
let busy = false;
let legendOf = "";

async function refresh() {
  if (busy) {
    wanted = true;
    return;
  }
  busy = true;
  wanted = false;
  const began = performance.now();
  try {
    draw(await getJson(`/v1/overview?known=${network.tag}`));
  } catch (error) {
    if (error instanceof Unauthorized) askForToken();
  }
  setTimeout(() => {
    busy = false;
    if (wanted) refresh();
  }, Math.max(LEAST_PAUSE_MS, REST * (performance.now() - began)));
}

function draw(view) {
  const now = performance.now();
  while (arrivals.length && now - arrivals[0] > 5000) arrivals.shift();
  network.take(view);
  search.setNames(network.searched());
  drawLegend(view);
  drawFigures(view, arrivals.length / 5);
  drawManagers(view);
  drawPoints(view, (index) => network.pick("point", index, true));
  drawNodes(view, (index) => network.pick("node", index, true));
  drawCharts(history);
  drawDecisions(history, showEpoch);
}

function drawLegend(view) {
  const dense = view.total > MOST_DOTS;
  if (legendOf === `${view.slices} ${dense}`) return;
  legendOf = `${view.slices} ${dense}`;
  const entry = (n, icon, name) => {
    const box = html("input", { type: "checkbox" });
    box.checked = true;
    box.addEventListener("change", () => network.map.setHidden(n, !box.checked));
    return html("li", {}, html("label", {}, box, icon, name));
  };
  byId("legend").replaceChildren(
    ...view.slices.map((name, n) => entry(n, swatch(n), name)),
    entry(-1, html("i", { class: "swatch ring" }), "computes locally"),
    ...signKeys({ nodes: true, dense, places: Math.max(view.access_points.length, view.nodes.length) }),
  );
}

function drawPlace(lines) {
  byId("chosen").hidden = !lines.length;
  byId("chosen").replaceChildren(...lines.map((line, k) => html(k ? "div" : "b", {}, line)));
}

function onEvent(kind, data) {
  if (kind === "decided" && data.cost_s !== null) {
    history.push(data);
    if (history.length > KEPT) history.shift();
    if (Date.now() / 1000 - data.time_s < 5) arrivals.push(performance.now());
  }
  if (kind === "certified") {
    const decision = history.findLast((d) => d.epoch === data.epoch);
    if (decision) Object.assign(decision, { lower_bound_s: data.lower_bound_s, gap: data.gap });
    drawCertified(data);
  }
  refresh();
}

function onState(state) {
  const text = { live: ["good", "live"], lost: ["bad", "reconnecting"], gap: ["waiting", "events missed"] };
  const [tone, words] = text[state];
  byId("connection").className = `pill ${tone}`;
  byId("connection").textContent = words;
}

async function explain(device) {
  const answer = await getJson(`/v1/devices/${encodeURIComponent(device)}/explain?alternatives=12`);
  drawExplanation(answer);
  if (!byId("explain").open) byId("explain").showModal();
}

function showEpoch(decision) {
  drawDecision(decision, explain);
  if (!byId("decision").open) byId("decision").showModal();
}

function askForToken() {
  if (!byId("login").open) byId("login").showModal();
}

byId("login-form").addEventListener("submit", (event) => {
  event.preventDefault();
  setToken(byId("token").value);
  byId("login").close();
  start();
});

async function start() {
  try {
    const newest = (await getJson("/livez")).sequence;
    refresh();
    await follow(Math.max(0, newest - 2000), onEvent, onState);
  } catch (error) {
    if (error instanceof Unauthorized) askForToken();
    else throw error;
  }
}

window.dashboard = { network, draw };
start();
