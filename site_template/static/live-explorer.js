// Puts a photo that was computed here into the explorer.

import "./explorer-elements.js";
import { LiveData } from "./live-data.js";
import { percent, readable } from "./numbers.js";

const TALLEST = 352; // pixels, as on the pages of the gallery's photos

/** @returns {DocumentFragment} the explorer and what stands around it, still empty */
export function prepare(template) {
  return document.importNode(template.content, true);
}

/** Write what is known of a photo into what prepare() made. @returns {Promise<LiveData>} */
export async function fill(made, { computer, gallery, opened, file, rounding, seconds }) {
  const data = await LiveData.of(computer, gallery, opened, file, rounding);
  const entry = await data.entry();
  const { width, height, title, answers, crop } = entry;
  const find = (selector) => made.querySelector(selector);
  const photo = find(".photo");
  const fit = Math.min(1, TALLEST / height);
  Object.assign(photo, { src: entry.photo, alt: title, width: Math.round(width * fit), height: Math.round(height * fit) });
  find(".photo-marks").setAttribute("viewBox", `0 0 ${width} ${height}`);
  find(".outside").setAttribute("d", `M0 0H${width}V${height}H0ZM${crop[0]} ${crop[1]}V${crop[3]}H${crop[2]}V${crop[1]}Z`);
  find(".own-photo-title").textContent = title;
  find(".own-time").textContent = `${width}×${height} pixels, computed on this device in ${readable(seconds)} s.`;
  find(".answers").replaceChildren(...answers.map((answer, i) => answerItem(find(".answers li"), answer, i)));
  find("#places").append(...answers.map(({ name }) => new Option(name, name)));
  find(".terminal b").textContent = answers[0].name;
  for (const picture of made.querySelectorAll(".own-input, .network-input")) picture.src = entry.input;
  find(".own-input").alt = find(".own-input").title = title;
  find("channel-inspector").dataset.input = entry.input;
  return data;
}

function answerItem(pattern, { name, probability, logit }, position) {
  const item = pattern.cloneNode(true);
  item.dataset.answer = position;
  item.querySelector(".answer-name").textContent = name;
  item.querySelector(".number").textContent = percent(probability);
  item.querySelector("rect").setAttribute("width", 100 * probability);
  item.querySelector(".logit .number").textContent = readable(logit);
  return item;
}

/** Open the explorer that stands on the page now; what can wait comes after its first maps. */
export async function open(place, data) {
  place.querySelector(".own-photo-title").focus({ preventScroll: true });
  await place.querySelector("feature-explorer").open(data);
  const strip = await data.strip();
  for (const picture of place.querySelectorAll(".layers .strip image")) picture.setAttribute("href", strip);
}
