// What a visitor typed into the jump box. Pure.

import { likeness, nearestName } from "./nearest.js";

const HINT = "Type a layer, a channel such as conv1:12, one of the answers, or a photo.";

/**
 * @param {string} text such as "layer3.0.conv1:117", "conv1", "117", a class, or a photo's title
 * @param {{layers: {name: string, channels: number}[], photos: {id: string, title: string,
 *   classes: string[]}[], answers: string[], layer: string}} known `layer` is the one that is shown,
 *   `answers` are the network's for this photo, `classes` a photo's first answer and true class
 * @returns {{layer?: string, channel?: number, photo?: string, answer?: number, notice?: string}}
 */
export function jumpTarget(text, { layers, photos, answers, layer }) {
  const [, name, number] = text.trim().match(/^(.*?)(?:[:#\s]\s*(\d+))?$/s) ?? [];
  const plain = text.trim();
  if (plain === "") return { notice: HINT };
  const folded = plain.toLowerCase();
  const channel = folded.match(/^(?:channel )?(\d+)$/);
  if (channel) return place(layers.find((one) => one.name === layer), Number(channel[1]));
  const named = (text) => layers.find((one) => one.name.toLowerCase() === text.toLowerCase());
  const exact = named(plain) ?? named(name) ?? layers.find((one) => one.name.toLowerCase().startsWith(`${name.toLowerCase()}.`));
  if (exact) return place(exact, number === undefined || named(plain) ? undefined : Number(number));
  const answer = answers.findIndex((name) => name.toLowerCase() === folded);
  if (answer >= 0) return { answer };
  const photo =
    photos.find(({ id, title }) => id === folded || title.toLowerCase() === folded) ??
    photos.find(({ title }) => title.toLowerCase().includes(folded)) ??
    photos.find(({ classes }) => classes.some((name) => name.toLowerCase() === folded));
  if (photo) return { photo: photo.id };
  const nearest = nearestName(name, layers.map((one) => one.name));
  const hint = likeness(name, nearest) > 0.5 ? `The nearest layer is ${nearest}.` : HINT;
  return { notice: `Nothing here is called “${plain}”. ${hint}` };
}

function place(layer, channel) {
  if (channel === undefined) return { layer: layer.name };
  if (channel < layer.channels) return { layer: layer.name, channel };
  return { notice: `${layer.name} has channels 0 to ${layer.channels - 1}.` };
}
