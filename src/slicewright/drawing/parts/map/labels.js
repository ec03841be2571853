// Names beside marks: in order of importance, each where it covers no other name and no mark; without room, none.

const DIRECTIONS = [[1, 0], [-1, 0], [0, -1], [0, 1], [0.8, -0.8], [0.8, 0.8], [-0.8, -0.8], [-0.8, 0.8]];
const GAP = 3;

// wanted: [{ text, x, y, radius, width, must }], in pixels; width is the text's own; a name that must be there may lie
// on marks. reserved: boxes that no name may lie on. obstacles: boxes [x0, y0, x1, y1].
// Returns [{ text, box }]: boxes inside the frame, none over another.
export function placeLabels(wanted, obstacles, reserved, frame, height) {
  const placed = [];
  for (const want of wanted) {
    const free = DIRECTIONS.map((way) => boxAt(want, way, height)).filter(
      (b) => within(b, frame) && !placed.some((p) => meet(p.box, b)) && !reserved.some((r) => meet(r, b)),
    );
    const box = free.find((b) => !obstacles.some((o) => meet(o, b))) || (want.must ? free[0] : undefined);
    if (box) placed.push({ ...want, box });
  }
  return placed;
}

function boxAt({ x, y, radius, width }, [dx, dy], height) {
  const reach = radius + GAP;
  const left = x + dx * reach - (dx > 0 ? 0 : dx < 0 ? width : width / 2);
  const top = y + dy * reach - (dy > 0 ? 0 : dy < 0 ? height : height / 2);
  return [left, top, left + width, top + height];
}

const within = (b, [x0, y0, x1, y1]) => b[0] >= x0 && b[1] >= y0 && b[2] <= x1 && b[3] <= y1;
const meet = (a, b) => a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3];
