// Zooms a stage: pinch with two fingers or a touchpad, + − 0 on the keyboard, drag when zoomed.

import { WHOLE, follow, pan, zoomAbout } from "./touch.js";

/**
 * @param {HTMLElement} stage the frame, which gets the events
 * @param {HTMLElement} picture in it, which is moved and made larger
 * @returns {(x: number, y: number) => void} brings a point of the picture into view
 */
export function zoomable(stage, picture) {
  let zoom = WHOLE;
  const fingers = new Map();
  const show = (next) => {
    zoom = next;
    const { scale, x, y } = zoom;
    picture.style.transform = scale === 1 ? "" : `translate(${100 * x}%, ${100 * y}%) scale(${scale})`;
    stage.classList.toggle("zoomed", scale > 1);
  };
  const within = ({ clientX, clientY }) => {
    const box = stage.getBoundingClientRect();
    return [(clientX - box.left) / box.width, (clientY - box.top) / box.height];
  };
  stage.addEventListener("pointerdown", (event) => {
    if (event.pointerType === "touch" || zoom.scale > 1) fingers.set(event.pointerId, within(event));
  });
  for (const type of ["pointerup", "pointercancel", "pointerleave"]) {
    stage.addEventListener(type, ({ pointerId }) => fingers.delete(pointerId));
  }
  stage.addEventListener("pointermove", (event) => {
    const before = fingers.get(event.pointerId);
    if (!before) return;
    const now = within(event);
    fingers.set(event.pointerId, now);
    if (fingers.size === 1) return show(pan(zoom, now[0] - before[0], now[1] - before[1]));
    const other = [...fingers].find(([id]) => id !== event.pointerId)[1];
    const apart = ([x, y]) => Math.hypot(x - other[0], y - other[1]);
    show(zoomAbout(zoom, apart(now) / (apart(before) || 1), (now[0] + other[0]) / 2, (now[1] + other[1]) / 2));
  });
  stage.addEventListener(
    "wheel",
    (event) => {
      if (!event.ctrlKey) return; // which is how browsers hand on a pinch on a touchpad
      event.preventDefault();
      show(zoomAbout(zoom, Math.exp(-event.deltaY / 100), ...within(event)));
    },
    { passive: false },
  );
  stage.addEventListener("keydown", ({ key }) => {
    if (key === "+" || key === "=") show(zoomAbout(zoom, 1.5, 0.5, 0.5));
    else if (key === "-") show(zoomAbout(zoom, 1 / 1.5, 0.5, 0.5));
    else if (key === "0") show(WHOLE);
  });
  return (x, y) => show(follow(zoom, x, y));
}
