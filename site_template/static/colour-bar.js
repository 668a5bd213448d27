// <colour-bar>: what the colours stand for, in numbers.

import { stops } from "./colour-scale.js";
import { valueAt } from "./norms.js";
import { readable } from "./numbers.js";

export class ColourBar extends HTMLElement {
  #canvas = document.createElement("canvas");
  #numbers = document.createElement("span");

  connectedCallback() {
    if (this.#canvas.parentNode === this) return;
    this.#numbers.className = "colour-bar-numbers number";
    this.append(this.#canvas, this.#numbers);
  }

  /**
   * @param {string} map name of the colour map
   * @param {{low: number, high: number}} ends values at its ends
   * @param {string} norm how values are spread between them
   * @param {{under: number, over: number}} [clipped] how many pixels lie beyond
   */
  show(map, ends, norm, clipped = { under: 0, over: 0 }) {
    this.#canvas.width = 256;
    this.#canvas.height = 1;
    const context = this.#canvas.getContext("2d");
    const gradient = context.createLinearGradient(0, 0, 256, 0);
    const colours = stops(map, 33);
    colours.forEach((colour, i) => gradient.addColorStop(i / (colours.length - 1), colour));
    context.fillStyle = gradient;
    context.fillRect(0, 0, 256, 1);
    const middle = ends.low === -ends.high ? [0] : norm === "linear" ? [] : [valueAt(norm, ends, 0.5)];
    this.#numbers.replaceChildren(
      ...[ends.low, ...middle, ends.high].map((value) => {
        const span = document.createElement("span");
        span.textContent = readable(value);
        return span;
      }),
    );
    const beyond = clipped.under + clipped.over;
    const note = beyond ? `; ${beyond} ${beyond === 1 ? "pixel lies" : "pixels lie"} beyond` : "";
    this.setAttribute("role", "img");
    this.setAttribute("aria-label", `Colours from ${readable(ends.low)} to ${readable(ends.high)}${note}`);
  }
}

customElements.define("colour-bar", ColourBar);
