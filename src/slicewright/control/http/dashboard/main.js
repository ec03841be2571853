// The dashboard: an overview per change, at most ten a second, and a history of decisions from the event stream.

import { KEPT, drawCharts } from "./charts.js";
import { byId } from "./dom.js";
import { drawLegend, drawPlace } from "./legend.js";
import { askForToken, onToken } from "./login.js";
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
import { Unauthorized, follow, getJson } from "./stream.js";

const LEAST_PAUSE_MS = 100;
const REST = 0.5; // times as long as a refresh took, so that a crowd leaves room for everything else
const history = [];
const arrivals = [];
const network = new Network(byId("map"), { onDevice: explain, onPlace: drawPlace });
const search = new Search(byId("search"), (kind, index) => network.pick(kind, index, true));
let wanted = false;
let busy = false;

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
  drawLegend(view, network.map);
  drawFigures(view, arrivals.length / 5);
  drawManagers(view);
  drawPoints(view, (index) => network.pick("point", index, true));
  drawNodes(view, (index) => network.pick("node", index, true));
  drawCharts(history);
  drawDecisions(history, showEpoch);
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
onToken(start);
start();
