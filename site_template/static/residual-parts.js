// Which layers a residual block's sum is made of. Pure.

/**
 * The layers of the sum that a layer belongs to, in the order in which they are shown.
 * @param {object[]} layers of the model, in forward order
 * @param {object} layer the one that is shown
 * @returns {{role: string, layer: object}[]|null} null where its block has no sum, or where a part
 *   of it is not in the gallery
 */
export function residualParts(layers, layer) {
  const byName = new Map(layers.map((one) => [one.name, one]));
  const sum = layers.find((one) => one.op === "add" && one.block === layer.block);
  if (!sum || sum.inputs.length !== 2) return null;
  const inBlock = (name) => name.startsWith(`${layer.block}.`) && !name.includes(".downsample.");
  const branch = sum.inputs.find(inBlock);
  const shortcut = sum.inputs.find((name) => name !== branch);
  const after = layers.find((one) => one.inputs.length === 1 && one.inputs[0] === sum.name);
  const parts = [
    { role: shortcut.includes(".downsample.") ? "shortcut, fitted by a 1×1 convolution" : "shortcut: the block’s input", layer: byName.get(shortcut) },
    { role: "branch: the correction", layer: byName.get(branch) },
    { role: "sum", layer: sum },
    { role: "after ReLU: the block’s output", layer: after },
  ];
  return parts.every((part) => part.layer) ? parts : null;
}
