// Tables and bars.

import { rankedBars } from "./bars.js";
import { byId, count, html, milliseconds, percent, redrawn, short, swatch } from "./dom.js";

const MOST_CHANGED = 60;

export function drawFigures(view, rate) {
  const text = {
    cost: view.cost_s === null ? "–" : `${short(view.cost_s, 4)} s`,
    // The certificate follows its decision by some milliseconds: until then the one before stands.
    gap: view.gap !== null ? percent(view.gap) : view.cost_s === null ? "–" : byId("gap").textContent,
    offloaded: `${count(view.offloaded)} of ${count(view.total)}`,
    duration: view.duration_s === null ? "–" : milliseconds(view.duration_s),
    rate: short(rate, 2),
    residual: view.broken.length ? `broken: ${view.broken.join(", ")}` : "all hold",
  };
  for (const [id, value] of Object.entries(text)) byId(id).textContent = value;
  byId("gap").title = view.gap_reason || "";
  byId("residual").className = view.broken.length ? "bad" : "good";
  byId("map-note").textContent = `epoch ${view.epoch}`;
  byId("method").textContent = view.method;
  byId("leader").textContent = `${view.leader} leads; the last decision went by ${path(view.path) || "nothing yet"}`;
}

// Where decisions come faster than certificates, one of an earlier decision is shown, and which.
export function drawCertified(data) {
  byId("gap").textContent = percent(data.gap);
  byId("gap").title = `certificate of epoch ${data.epoch}`;
}

export function drawManagers(view) {
  const tone = { active: "good", moving: "warn", away: "bad", refused: "bad" };
  byId("managers").replaceChildren(
    ...view.managers.map((m) =>
      html(
        "tr",
        { title: [m.instance, m.detail, m.shares_reason].filter(Boolean).join("; ") },
        html("td", { class: "whole" }, swatch(view.slices.indexOf(m.name)), m.name),
        html("td", { class: `${tone[m.state]} whole` }, m.state),
        html("td", { class: "number" }, count(m.devices)),
        html("td", { class: "number" }, String(m.held_revision)),
        html("td", {}, (m.shares || "–").replace("closed-form", "exact")),
        html("td", { class: "quiet wide" }, m.instance || "–"),
      ),
    ),
  );
}

export function drawPoints(view, onPick) {
  const names = view.access_points;
  const none = view.slices.map(() => 0);
  rankedBars(byId("points"), {
    names,
    values: names.map((_, a) => (view.percent[a] || none).map((whole) => whole / 100)),
    weight: view.perPoint,
    slices: view.slices,
    unit: "%",
    whole: 1,
    aside: (a) => count(view.perPoint[a]),
    what: "access points",
    onPick,
  });
}

export function drawNodes(view, onPick) {
  rankedBars(byId("nodes"), {
    names: view.nodes.map((node) => node.name),
    values: view.nodes.map((node) => node.use),
    weight: view.nodes.map((node) => Math.max(...node.use)),
    slices: view.slices,
    unit: "%",
    grouped: true,
    what: "nodes",
    onPick,
  });
}

// The method alone where it answered, and what happened to those before it.
const path = (links) => links.map((link) => link.replace(": used", "")).join(", ");

export function drawDecisions(history, onEpoch) {
  const newest = history.slice(-40).reverse();
  redrawn(
    byId("decisions"),
    ...newest.map((d) => {
      const button = html("button", { type: "button", "data-key": d.epoch }, `epoch ${d.epoch}`);
      button.addEventListener("click", () => onEpoch(d));
      const away = d.pinned.length ? `, without ${d.pinned.join(", ")}` : "";
      return html(
        "li",
        {},
        button,
        ` ${path(d.path)} ${short(d.cost_s, 4)} s, ${d.changed_count} moved, ${milliseconds(d.duration_s)}${away}`,
      );
    }),
  );
}

export function drawDecision(decision, onDevice) {
  byId("decision-title").textContent = `Epoch ${decision.epoch}`;
  byId("decision-path").textContent =
    `${path(decision.path)}. Cost ${short(decision.cost_s, 5)} s, ` +
    `${decision.lower_bound_s === null ? "certificate to follow" : `at least ${short(decision.lower_bound_s, 5)} s for any plan`}. ` +
    `${decision.changed_count} of ${decision.offloaded + decision.local} devices changed their place` +
    (decision.changed_count ? "; why each is where it is now:" : ".");
  byId("decision-devices").replaceChildren(
    ...decision.changed.slice(0, MOST_CHANGED).map((id) => {
      const button = html("button", { type: "button" }, id);
      button.addEventListener("click", () => onDevice(id));
      return html("li", {}, button);
    }),
    ...(decision.changed.length > MOST_CHANGED ? [html("li", { class: "quiet" }, `and ${count(decision.changed.length - MOST_CHANGED)} more`)] : []),
  );
}

export function drawExplanation(answer) {
  const { device, alternatives } = answer;
  byId("explain-title").textContent = device.id;
  byId("explain-where").textContent =
    device.state === "local"
      ? `computes locally: ${device.explanation}. Takes ${short(device.completion_s)} s.`
      : `is served by ${device.access_point} and ${device.node} in slice ${device.slice}. Takes ${short(device.completion_s)} s.`;
  byId("alternatives").replaceChildren(
    ...alternatives.map((a) => {
      const c = a.choice;
      return html(
        "tr",
        { class: a.chosen ? "chosen" : a.feasible ? "" : "never" },
        html("td", {}, c.local ? "local" : `${c.access_point}, ${c.node}, ${c.slice}`),
        html("td", { class: "number" }, short(a.system_cost_s, 6)),
        html("td", { class: "number" }, a.difference_s === null ? "–" : short(a.difference_s)),
        html("td", {}, a.chosen ? "chosen" : a.why_not || ""),
      );
    }),
  );
}
