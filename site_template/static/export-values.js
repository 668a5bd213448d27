// A map's values as files that other programs read. Pure.

/**
 * @param {Float32Array} values in rows
 * @param {number[]} shape such as [height, width]
 * @returns {Uint8Array} a NumPy file, format 1.0: little-endian float32 in C order
 */
export function npy(values, shape) {
  const tuple = `(${shape.join(", ")}${shape.length === 1 ? "," : ""})`;
  const header = `{'descr': '<f4', 'fortran_order': False, 'shape': ${tuple}, }`;
  const padded = Math.ceil((10 + header.length + 1) / 64) * 64;
  const bytes = new Uint8Array(padded + 4 * values.length);
  bytes.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, (padded - 10) & 255, (padded - 10) >> 8]);
  bytes.set(new TextEncoder().encode(`${header.padEnd(padded - 11)}\n`), 10);
  const view = new DataView(bytes.buffer);
  values.forEach((value, i) => view.setFloat32(padded + 4 * i, value, true));
  return bytes;
}

/** A line for each row, values with nine significant digits, which name a float32 exactly. */
export function csv(values, width) {
  return `${rows(values, width).join("\n")}\n`;
}

/** The same for all maps of a layer, each line led by the channel and the row; with a headline. */
export function layerCsv(values, height, width) {
  const columns = Array.from({ length: width }, (_, column) => `column ${column}`);
  const lines = rows(values, width).map((line, i) => `${Math.floor(i / height)},${i % height},${line}`);
  return `${[`channel,row,${columns.join(",")}`, ...lines].join("\n")}\n`;
}

function rows(values, width) {
  const lines = [];
  for (let i = 0; i < values.length; i += width) {
    lines.push(Array.from(values.subarray(i, i + width), (value) => Number(value.toPrecision(9))).join(","));
  }
  return lines;
}
