// What a visitor typed into the jump box. Pure.

import { nearestName } from "./nearest.js";

/**
 * @param {string} text such as "layer3.0.conv1:117", "conv1", "117", a class, or a photo's title
 * @param {{layers: {name: string, channels: number}[], photos: {id: string, title: string,
 *   classes: string[]}[], answers: string[], layer: string}} known `layer` is the one that is shown,
 *   `answers` are the network's for this photo, `classes` a photo's first answer and true class
 * @returns {{layer?: string, channel?: number, photo?: string, answer?: number, notice?: string}}
 */
export function jumpTarget(text, { layers, photos, answers, layer }) {
  const [, name, number] = text.trim().match(/^(.*?)(?:[:#\s]\s*(\d+))?$/) ?? [];
  const plain = text.trim();
  if (plain === "") return { notice: "Type a layer, a channel such as conv1:12, a class, or a photo." };
  if (/^\d+$/.test(plain)) return place(layers.find((one) => one.name === layer), Number(plain));
  const exact = layers.find((one) => one.name === plain) ?? layers.find((one) => one.name === name);
  if (exact) return place(exact, exact.name === plain ? undefined : Number(number));
  const folded = plain.toLowerCase();
  const answer = answers.findIndex((name) => name.toLowerCase() === folded);
  if (answer >= 0) return { answer };
  const photo =
    photos.find(({ id, title }) => id === folded || title.toLowerCase() === folded) ??
    photos.find(({ title }) => title.toLowerCase().includes(folded)) ??
    photos.find(({ classes }) => classes.some((name) => name.toLowerCase() === folded));
  if (photo) return { photo: photo.id };
  const nearest = nearestName(name, layers.map((one) => one.name));
  return { notice: `Nothing here is called “${plain}”. The nearest layer is ${nearest}.` };
}

function place(layer, channel) {
  if (channel === undefined) return { layer: layer.name };
  if (channel < layer.channels) return { layer: layer.name, channel };
  return { notice: `${layer.name} has channels 0 to ${layer.channels - 1}.` };
}
