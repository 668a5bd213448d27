// Keeps the place on the page while the visitor turns from photo to photo.

import { recall, remember } from "./storage.js";

const PLACE = "place";

/** Remember where `part` stands in the window, if it is what the visitor looks at. */
export function rememberPlace(part) {
  const { top } = part.getBoundingClientRect();
  remember(sessionStorage, PLACE, top < window.innerHeight / 2 ? String(top) : "");
}

/** @returns {() => void} puts `part` where it stood on the page before; once, for this visit */
export function placeBefore(part) {
  const top = recall(sessionStorage, PLACE);
  remember(sessionStorage, PLACE, "");
  return () => top && window.scrollBy({ top: part.getBoundingClientRect().top - Number(top), behavior: "instant" });
}
