// Puts a photo that was computed here into the explorer.

import "./feature-explorer.js";
import { percent, readable } from "./numbers.js";
import { firstLayer } from "./view-state.js";

const [WIDEST, TALLEST] = [480, 352]; // pixels, as on the pages of the gallery's photos

/**
 * Ask for what is shown first, so that it comes right after the photo, and all can be drawn at once.
 * @param {LiveData} data
 */
export async function prefetch(data) {
  const { layers } = await data.model();
  const wanted = new URLSearchParams(location.hash.slice(1)).get("layer");
  const layer = layers.find(({ name }) => name === wanted) ?? firstLayer(layers);
  await Promise.all([data.figures({ layer: layer.name }), data.shared(layer)]);
}

/**
 * Show a photo.
 * @param {HTMLElement} place that holds the explorer and what stands around it
 * @param {LiveData} data
 */
export async function show(place, data) {
  fill(place, await data.entry(), await data.seconds());
  place.hidden = false;
  const explorer = place.querySelector("feature-explorer");
  delete explorer.dataset.failed; // the photo before may have come to that
  await explorer.open(data);
}

/**
 * Do what can wait until the maps are on the screen.
 * @param {boolean} isFirst after which what was pressed is gone, and the focus with it
 */
export async function complete(place, data, isFirst) {
  if (isFirst) place.querySelector(".own-photo-title").focus({ preventScroll: true });
  const strip = await data.strip();
  for (const picture of place.querySelectorAll(".layers .strip image")) picture.setAttribute("href", strip);
}

function fill(place, entry, seconds) {
  const { width, height, title, answers, crop } = entry;
  const find = (selector) => place.querySelector(selector);
  const photo = find(".photo");
  const fit = Math.min(WIDEST / width, TALLEST / height);
  Object.assign(photo, { src: entry.photo, alt: title, width: Math.round(width * fit), height: Math.round(height * fit) });
  find(".photo-marks").setAttribute("viewBox", `0 0 ${width} ${height}`);
  find(".outside").setAttribute("d", `M0 0H${width}V${height}H0ZM${crop[0]} ${crop[1]}V${crop[3]}H${crop[2]}V${crop[1]}Z`);
  find(".own-photo-title").textContent = title;
  find(".own-time").textContent = `${width}×${height} pixels, computed on this device in ${seconds.toFixed(1)} s.`;
  find(".answers").replaceChildren(...answers.map((answer, i) => answerItem(find(".answers li"), answer, i)));
  place.querySelectorAll("#places .own-answer").forEach((option) => option.remove());
  for (const { name } of answers) find("#places").append(Object.assign(new Option("", name), { className: "own-answer" }));
  find(".terminal b").textContent = answers[0].name;
  for (const picture of place.querySelectorAll(".own-input, .network-input")) picture.src = entry.input;
  find(".own-input").alt = find(".own-input").title = title;
}

function answerItem(pattern, { name, probability, logit }, position) {
  const item = pattern.cloneNode(true);
  item.querySelector("button")?.remove(); // that of the photo before
  item.dataset.answer = position;
  item.querySelector(".answer-name").textContent = name;
  item.querySelector(".number").textContent = percent(probability);
  item.querySelector("rect").setAttribute("width", 100 * probability);
  item.querySelector(".logit .number").textContent = readable(logit);
  return item;
}
