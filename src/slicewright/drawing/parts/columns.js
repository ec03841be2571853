// Columns of numbers as they travel: base64 of their bytes, perhaps whole steps of a span from a lowest value.

const ARRAYS = { f4: Float32Array, u2: Uint16Array, i2: Int16Array, i4: Int32Array, i1: Int8Array, u1: Uint8Array };

export function column({ type, data, low = 0, span = 0 }) {
  const text = atob(data);
  const bytes = new Uint8Array(text.length);
  for (let k = 0; k < text.length; k++) bytes[k] = text.charCodeAt(k);
  const numbers = new ARRAYS[type](bytes.buffer);
  return span ? Float32Array.from(numbers, (step) => low + (span * step) / 65535) : numbers;
}

export const decoded = (document, names) => Object.fromEntries(names.map((name) => [name, column(document[name])]));
