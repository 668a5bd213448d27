// Puts a photo that was computed here into the explorer.

import { element } from "./dom.js";
import "./explorer-elements.js";
import { percent, readable } from "./numbers.js";

const TALLEST = 352; // pixels, as on the pages of the gallery's photos

/**
 * Put the explorer and what stands around it on the page, still empty and out of sight: there is
 * time for it while the photo is computed.
 * @param {HTMLElement} place
 * @returns {HTMLElement}
 */
export function prepare(template, place) {
  const made = element("div", "", "own-coming");
  made.append(document.importNode(template.content, true));
  place.append(made);
  return made;
}

/**
 * Show a photo in what prepare() made, and nothing else in its place.
 * @param {HTMLElement} made
 * @param {LiveData} data
 * @param {number} seconds that it took
 */
export async function show(made, data, seconds) {
  const entry = await data.entry();
  const layer = new URLSearchParams(location.hash.slice(1)).get("layer");
  const wanted = entry.sheets.find((sheet) => sheet.layer === layer);
  if (wanted) data.figures(wanted); // is computed while the page is written
  fill(made, entry, seconds);
  made.className = "";
  made.parentElement.replaceChildren(made);
  made.querySelector(".own-photo-title").focus({ preventScroll: true });
  await made.querySelector("feature-explorer").open(data);
  const strip = await data.strip();
  for (const picture of made.querySelectorAll(".layers .strip image")) picture.setAttribute("href", strip);
}

function fill(made, entry, seconds) {
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
