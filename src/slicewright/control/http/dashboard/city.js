// The dashboard of a city: it looks again a second after it has drawn what it saw, and later where that takes longer.

import { KEPT, drawCharts } from "./charts.js";
import { byId, count, html, milliseconds, percent, quantity, redrawn, short } from "./dom.js";
import { drawLegend, drawPlace } from "./legend.js";
import { askForToken, onToken } from "./login.js";
import { Network } from "./network.js";
import { drawNodes, drawPoints } from "./panels.js";
import { Search } from "./search.js";
import { Unauthorized, getJson } from "./stream.js";

const PAUSE_MS = 1000;
const REST = 3; // times as long as a look took, so that a crowd leaves room for everything else
const RATE_OVER_S = 10;
const history = [];
const looks = [];
const network = new Network(byId("map"), { onDevice: tellDevice, onPlace: drawPlace });
const search = new Search(byId("search"), (kind, index) => network.pick(kind, index, true));
let timer = 0;

async function look() {
  clearTimeout(timer);
  const began = performance.now();
  try {
    draw(await getJson(`/v1/overview?known=${network.tag}`));
    tell("good", "live");
  } catch (error) {
    if (error instanceof Unauthorized) {
      askForToken();
      return;
    }
    tell("bad", "reconnecting");
  }
  timer = setTimeout(look, Math.max(PAUSE_MS, REST * (performance.now() - began)));
}

function tell(tone, words) {
  byId("connection").className = `pill ${tone}`;
  byId("connection").textContent = words;
}

function draw(view) {
  network.take(view);
  search.setNames(network.searched());
  drawLegend(view, network.map);
  drawFigures(view);
  drawPoints(view, (index) => network.pick("point", index, true));
  drawNodes(view, (index) => network.pick("node", index, true));
  history.push({ cost_s: view.cost_s, lower_bound_s: view.lower_bound_s, gap: view.gap, duration_s: lastDuration(view) ?? NaN });
  if (history.length > KEPT) history.shift();
  drawCharts(history);
  drawChanges(view.changes);
}

const lastDuration = (view) => view.changes.findLast((change) => !change.proven)?.duration_s;

function drawFigures(view) {
  const now = performance.now() / 1000;
  looks.push([now, view.sequence]);
  while (looks.length > 2 && now - looks[0][0] > RATE_OVER_S) looks.shift();
  const took = now - looks[0][0];
  const duration = lastDuration(view);
  const text = {
    cost: `${short(view.cost_s, 6)} s`,
    gap: view.gap === null ? "–" : percent(view.gap),
    offloaded: `${count(view.offloaded)} of ${count(view.total)}`,
    duration: duration === undefined ? "–" : milliseconds(duration),
    rate: took > 0 ? short((view.sequence - looks[0][1]) / took, 2) : "–",
    "map-note": `record ${count(view.sequence)}`,
  };
  for (const [id, value] of Object.entries(text)) byId(id).textContent = value;
}

// What was asked for, and what it did to others.
function drawChanges(changes) {
  const lines = [...changes].reverse().map((change) => {
    const moved = change.moved === 1 ? "1 other moved" : `${count(change.moved)} others moved`;
    if (change.proven) return [`record ${change.sequence}`, `a better ${change.moved ? `plan, ${count(change.moved)} moved` : "bound"} was found in idle time`];
    const parts = [said(change.asked, "asks", "ask"), said(change.withdrawn, "leaves", "leave")];
    parts.push(...change.nodes.map((name) => `${name} has another capacity`));
    return [`record ${change.sequence}`, `${parts.filter(Boolean).join(", ")}; ${moved}, ${milliseconds(change.duration_s)}`];
  });
  redrawn(
    byId("decisions"),
    ...(lines.length ? lines : [["none", "since the service was started"]]).map(([what, words]) => html("li", {}, html("b", {}, what), ` ${words}`)),
  );
}

// A name where it was one device, their number where they were many.
function said(who, one, many) {
  if (typeof who === "string") return `${who} ${one}`;
  return who ? `${count(who)} devices ${many}` : "";
}

async function tellDevice(name) {
  let device;
  try {
    device = await getJson(`/v1/requests/${encodeURIComponent(name)}`);
  } catch (error) {
    drawPlace([name, error.message]);
    return;
  }
  const took = `takes ${quantity(device.completion_s, "s")}`;
  if (device.local) drawPlace([name, `computes locally, ${took}`]);
  else {
    drawPlace([
      name,
      `${device.access_point}, ${device.node}, slice ${device.slice}`,
      `${took}: ${quantity(device.transmit_s, "s")} to send, ${quantity(device.execute_s, "s")} to execute`,
      `${percent(device.bandwidth_share * device.radio_share)} of the band, ${percent(device.compute_share)} of the slice's capacity`,
    ]);
  }
}

window.dashboard = { network, draw };
onToken(look);
look();
