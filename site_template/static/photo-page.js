// Everything that a photo's page does with a script. Without it the page is whole, only plainer.

import "./feature-explorer.js";
import { GalleryData } from "./gallery-data.js";
import { swipe } from "./touch.js";

const explorer = document.querySelector("feature-explorer");
explorer.open(new GalleryData(explorer.dataset.folder, explorer.dataset.shared));

// A finger across the photo at the top turns to the next one.
const frame = document.querySelector(".photo-figure");
let began = null;
frame.addEventListener("touchstart", ({ touches }) => (began = touches.length === 1 ? touches[0] : null), { passive: true });
frame.addEventListener("touchend", ({ changedTouches: [ended] }) => {
  const direction = began ? swipe(ended.clientX - began.clientX, ended.clientY - began.clientY) : 0;
  if (direction) document.querySelector(`.filmstrip [rel=${direction < 0 ? "prev" : "next"}]`)?.click();
});
