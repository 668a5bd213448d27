// What a visitor typed into the jump box. Pure.

import { nearestName } from "./nearest.js";

/**
 * @param {string} text such as "layer3.0.conv1:117", "conv1", "117", or a photo's title
 * @param {{layers: {name: string, channels: number}[], photos: {id: string, title: string}[],
 *   layer: string}} known `layer` is the one that is shown
 * @returns {{layer?: string, channel?: number, photo?: string, notice?: string}}
 */
export function jumpTarget(text, { layers, photos, layer }) {
  const [, name, number] = text.trim().match(/^(.*?)(?:[:#\s]\s*(\d+))?$/) ?? [];
  const plain = text.trim();
  if (plain === "") return { notice: "Type a layer, a channel such as conv1:12, or a photo." };
  if (/^\d+$/.test(plain)) return place(layers.find((one) => one.name === layer), Number(plain));
  const exact = layers.find((one) => one.name === plain) ?? layers.find((one) => one.name === name);
  if (exact) return place(exact, exact.name === plain ? undefined : Number(number));
  const folded = plain.toLowerCase();
  const photo =
    photos.find(({ id, title }) => id === folded || title.toLowerCase() === folded) ??
    photos.find(({ title }) => title.toLowerCase().includes(folded));
  if (photo) return { photo: photo.id };
  const nearest = nearestName(name, layers.map((one) => one.name));
  return { notice: `Nothing here is called “${plain}”. The nearest layer is ${nearest}.` };
}

function place(layer, channel) {
  if (channel === undefined) return { layer: layer.name };
  if (channel < layer.channels) return { layer: layer.name, channel };
  return { notice: `${layer.name} has channels 0 to ${layer.channels - 1}.` };
}
