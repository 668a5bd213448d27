// <training-history>: the moments of training, one at a time and large, on a slider.

import { element } from "./dom.js";

class TrainingHistory extends HTMLElement {
  #items = [];
  #stage = element("figure", "", "stage-of-training");
  #range = document.createElement("input");
  #output = document.createElement("output");

  connectedCallback() {
    if (this.#items.length) return;
    this.#items = [...this.querySelectorAll("li")];
    const last = this.#items.length - 1;
    Object.assign(this.#range, { type: "range", name: "moment", min: 0, max: last, step: 1 });
    this.#range.value = last;
    this.#range.addEventListener("input", () => this.#show());
    this.#range.addEventListener("change", () => this.#show());
    const label = element("label", "Moment of training ");
    label.append(this.#range);
    const side = element("div", "");
    side.append(label, this.#output);
    const top = element("div", "", "training");
    top.append(this.#stage, side);
    this.prepend(top);
    this.#items.forEach((item, moment) => {
      item.addEventListener("click", () => {
        this.#range.value = moment;
        this.#range.dispatchEvent(new Event("change", { bubbles: true }));
      });
    });
    this.#show();
  }

  #show() {
    const moment = this.#range.valueAsNumber;
    this.#items.forEach((item, i) => item.toggleAttribute("data-shown", i === moment));
    const figure = this.#items[moment].querySelector("figure");
    this.#stage.replaceChildren(figure.querySelector("svg").cloneNode(true));
    const texts = [...figure.querySelector("figcaption").children];
    this.#range.setAttribute("aria-valuetext", texts[0].textContent);
    this.#output.replaceChildren(...texts.flatMap((text) => [text.cloneNode(true), " "]));
  }
}

customElements.define("training-history", TrainingHistory);
