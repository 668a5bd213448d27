// Elements with text in them.

/** @returns {HTMLElement} a new element called `name` with `text`, and a class where one is given */
export function element(name, text, className = "") {
  const made = document.createElement(name);
  made.textContent = text;
  if (className) made.className = className;
  return made;
}
