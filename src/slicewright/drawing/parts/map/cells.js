// Too many devices for a dot each: hexagonal cells that count them by slice.

// x, y: pixels; slice: -1 for none; chosen: indices. The grid hangs on (originX, originY), so that it moves with the map.
// Returns [{ x, y, total, counts }]; counts has one entry per slice and a last one for devices without.
export function countInCells(x, y, slice, chosen, chosenCount, slices, size, originX, originY) {
  const cells = new Map();
  const rowHeight = (size * Math.sqrt(3)) / 2;
  for (let k = 0; k < chosenCount; k++) {
    const i = chosen[k];
    const u = (x[i] - originX) / size;
    const v = (y[i] - originY) / (2 * rowHeight);
    // The nearest centre of two interleaved rectangular grids.
    const [column, row] = [Math.round(u), Math.round(v)];
    const [column2, row2] = [Math.round(u - 0.5) + 0.5, Math.round(v - 0.5) + 0.5];
    const near = (u - column) ** 2 + 3 * (v - row) ** 2 <= (u - column2) ** 2 + 3 * (v - row2) ** 2;
    const [c, r] = near ? [column, row] : [column2, row2];
    const key = r * 2 * 65536 + c * 2;
    let cell = cells.get(key);
    if (!cell) {
      cell = { x: originX + c * size, y: originY + r * 2 * rowHeight, total: 0, counts: new Int32Array(slices + 1) };
      cells.set(key, cell);
    }
    cell.total++;
    cell.counts[slice[i] < 0 ? slices : slice[i]]++;
  }
  return [...cells.values()];
}

// The area of a disc grows with what it counts; the fullest just touch each other.
export const discRadius = (total, most, size) => Math.max(0.14 * size, 0.5 * size * Math.sqrt(total / most));
