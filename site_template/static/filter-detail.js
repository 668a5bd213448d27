// <filter-detail>: one filter, large, with its planes, its measures and how it came to be.

import { element, svg } from "./dom.js";

class FilterDetail extends HTMLElement {
  #title = element("h3", "");
  #body = element("div", "");

  connectedCallback() {
    this.#title.setAttribute("aria-live", "polite");
    this.append(this.#title, this.#body);
  }

  /**
   * @param {number} filter
   * @param {HTMLTableRowElement} row of the table of all filters; its pictures and texts are shown
   * @param {HTMLTableRowElement} header of that table
   */
  show(filter, row, header) {
    this.#title.textContent = `Filter ${filter}`;
    const [kernel, planes] = [".kernel", ".planes"].map((name) => row.querySelector(name).cloneNode(true));
    const names = element("div", "", "plane-names");
    names.append(...["red", "green", "blue"].map((name) => element("span", name)));
    const facts = document.createElement("dl");
    const first = planesColumn(row) + 1;
    const texts = [...row.cells].slice(first);
    const link = texts.at(-1).querySelector('a[href*="channel="]') && texts.pop().firstElementChild.cloneNode(true);
    texts.forEach((cell, i) => {
      if (!cell.textContent.trim()) return;
      const value = document.createElement("dd");
      value.append(...[...cell.childNodes].map((node) => node.cloneNode(true)));
      facts.append(element("dt", header.cells[first + i].textContent), value);
    });
    this.#body.replaceChildren(kernel, planes, names, facts);
    if (this.dataset.strips) this.#body.append(element("p", "From the first moment of training to the last", "label"), this.#strip(filter));
    if (link) {
      link.textContent = `Its channel on “${this.dataset.photo}”`;
      const paragraph = element("p", "");
      paragraph.append(link);
      this.#body.append(paragraph);
    }
  }

  #strip(filter) {
    const { strips, moments, count } = this.dataset;
    const [wide, high] = this.dataset.window.split(" ").map(Number);
    const drawing = svg("svg", { class: "strip", viewBox: `0 ${filter} ${moments - 1 + wide} ${high}`, "aria-hidden": "true" });
    drawing.style.setProperty("--moments", moments);
    drawing.append(svg("image", { href: strips, width: 2 * moments, height: count, preserveAspectRatio: "none" }));
    return drawing;
  }
}

customElements.define("filter-detail", FilterDetail);

function planesColumn(row) {
  return [...row.cells].findIndex((cell) => cell.querySelector(".planes"));
}
