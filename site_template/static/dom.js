// Elements with text in them, and pictures with a caption.

/** @returns {HTMLElement} a new element called `name` with `text`, and a class where one is given */
export function element(name, text, className = "") {
  const made = document.createElement(name);
  made.textContent = text;
  if (className) made.className = className;
  return made;
}

/** @returns {HTMLElement} the name of a layer, which may go on in the next line after a dot */
export function layerName({ name }) {
  const made = element("code", "");
  made.append(...name.split(/(?<=\.)/).flatMap((part) => [part, element("wbr", "")]));
  return made;
}

/** @returns {HTMLCanvasElement} a canvas that screen readers call `label` */
export function labelledCanvas(label) {
  const canvas = document.createElement("canvas");
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", label);
  return canvas;
}

/** @returns {HTMLElement} a picture with what stands under it */
export function figure(picture, ...caption) {
  const made = document.createElement("figure");
  const text = document.createElement("figcaption");
  text.append(...caption);
  made.append(picture, text);
  return made;
}

/** Give an element of a drawing its place and size. */
export function place(rect, x, y, width, height) {
  for (const [name, value] of Object.entries({ x, y, width, height })) rect.setAttribute(name, value);
}

/**
 * A part of a photo, or of a sheet of pictures.
 * @param {string} url of the whole
 * @param {{left: number, top: number, right: number, bottom: number}} box
 * @param {number|object} whole its side, or a Sheet
 * @param {string} label
 */
export function patch(url, box, whole, label) {
  const { side, columns = 1, rows = 1 } = whole.side ? whole : { side: whole };
  const drawing = svg("svg", { viewBox: `${box.left} ${box.top} ${box.right - box.left} ${box.bottom - box.top}` });
  drawing.setAttribute("role", "img");
  drawing.setAttribute("aria-label", label);
  drawing.append(svg("image", { href: url, width: columns * side, height: rows * side }));
  return drawing;
}

/** @returns {SVGElement} */
export function svg(name, attributes) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}
