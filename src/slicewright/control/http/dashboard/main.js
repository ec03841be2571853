// The dashboard: an overview per change, at most ten a second, and a history of decisions from the event stream.

import { KEPT, drawCharts } from "./charts.js";
import { byId } from "./dom.js";
import { NetworkMap } from "./map.js";
import { drawDecision, drawDecisions, drawExplanation, drawFigures, drawManagers, drawNodes, drawPoints } from "./panels.js";
import { Unauthorized, follow, getJson, setToken } from "./stream.js";

const LEAST_PAUSE_MS = 100;
const history = [];
const arrivals = [];
const map = new NetworkMap(explain);
let wanted = false;
let busy = false;

async function refresh() {
  if (busy) {
    wanted = true;
    return;
  }
  busy = true;
  wanted = false;
  try {
    const view = await getJson("/v1/overview");
    requestAnimationFrame(() => draw(view));
  } catch (error) {
    if (error instanceof Unauthorized) askForToken();
  }
  setTimeout(() => {
    busy = false;
    if (wanted) refresh();
  }, LEAST_PAUSE_MS);
}

function draw(view) {
  const now = performance.now();
  while (arrivals.length && now - arrivals[0] > 5000) arrivals.shift();
  drawFigures(view, arrivals.length / 5);
  map.draw(view);
  drawManagers(view);
  drawPoints(view);
  drawNodes(view);
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
  byId("explain").showModal();
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

start();
