// <all-layers>: every layer of the network in one strip, as its principal components.

import { element } from "./dom.js";

const BASES = [
  ["own", "this photo’s own basis"],
  ["common", "one basis for all photos"],
];

export class AllLayers extends HTMLElement {
  #basis = "own";
  #shown = "";

  /** @param {object} context what the explorer shows; see feature-explorer.js */
  show(context) {
    const { data, entry, layers, sheetOf, linkTo } = context;
    if (this.#shown === this.#basis) {
      for (const link of this.querySelectorAll("a")) link.href = linkTo({ layer: link.dataset.to, view: "channels" });
      return;
    }
    this.#shown = this.#basis;
    const choice = document.createElement("div");
    choice.className = "views";
    for (const [basis, label] of BASES) {
      const button = element("button", label);
      button.type = "button";
      button.setAttribute("aria-pressed", String(basis === this.#basis));
      button.addEventListener("click", () => {
        this.#basis = basis;
        this.show(context);
      });
      choice.append(button);
    }
    const list = document.createElement("ol");
    for (const layer of layers.values()) {
      const sheet = sheetOf(layer);
      const picture = new Image(sheet.tile_width, sheet.tile_height);
      picture.loading = "lazy";
      picture.src = this.#basis === "own" ? data.ownComponents(sheet) : data.sharedComponents(layer, entry);
      picture.alt = `Components of ${layer.name}`;
      const link = document.createElement("a");
      link.dataset.to = layer.name;
      link.href = linkTo({ layer: layer.name, view: "channels" });
      link.append(picture, element("code", layer.name));
      const item = document.createElement("li");
      item.append(link);
      list.append(item);
    }
    this.replaceChildren(choice, list);
  }
}
