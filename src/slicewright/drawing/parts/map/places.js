// Which access points and nodes a map marks and names where it has no room for all.

import { BUSIEST, MOST_LABELS, MOST_PLACES } from "./settings.js";

const AREA_EACH = 600; // pixels
const LONGEST = 22; // letters
const KINDS = [(p) => p.kind === "point", (p) => p.kind === "node" && !p.mec, (p) => p.kind === "node" && p.mec];

// Places in the window; of a kind that would cover it only the busiest, and what is chosen.
export function placesInView(places, { width, height }, isChosen) {
  const most = Math.min(MOST_PLACES, (width * height) / AREA_EACH);
  const seen = places.filter(({ x, y, r }) => x > -r && y > -r && x < width + r && y < height + r);
  return KINDS.flatMap((isOf) => {
    const own = seen.filter(isOf);
    if (own.length <= most) return own;
    const busiest = [...own].sort((a, b) => b.weight - a.weight).slice(0, BUSIEST);
    return [...busiest, ...own.filter((p) => isChosen(p) && !busiest.includes(p))];
  });
}

// Names in order of importance: the chosen place, MEC servers, then all or the busiest; at most so many.
export function namesWanted(places, room, isChosen) {
  const first = places.filter(isChosen);
  const others = places.filter((p) => !isChosen(p)).sort((a, b) => Boolean(b.mec) - Boolean(a.mec) || b.weight - a.weight);
  const busiest = (kind) => others.filter((p) => p.kind === kind && !p.mec && p.weight > 0).slice(0, BUSIEST);
  const rest = places.length > MOST_LABELS ? [...others.filter((p) => p.mec), ...busiest("node"), ...busiest("point")] : others;
  return [...first, ...rest].slice(0, room).map((p) => ({
    text: p.name.length > LONGEST ? `${p.name.slice(0, LONGEST - 1)}…` : p.name,
    x: p.x,
    y: p.y,
    radius: p.r,
    must: isChosen(p) || p.mec,
  }));
}

// How far it is from (x, y) to the nearest of the points.
export function nearest(points, x, y) {
  let least = Infinity;
  for (let a = 0; a < points.x.length; a++) least = Math.min(least, Math.hypot(points.x[a] - x, points.y[a] - y));
  return least;
}
