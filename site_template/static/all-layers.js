// <all-layers>: every layer of the network in one strip, as its principal components.

import { element, layerName } from "./dom.js";

const BASES = [
  ["own", "this photo’s own basis"],
  ["common", "one basis for all photos"],
];

class AllLayers extends HTMLElement {
  #basis = "own";
  #shown = "";
  #entry = null;

  /** @param {object} context what the explorer shows; see feature-explorer.js */
  show(context) {
    const { entry, layers, sheetOf } = context;
    if (this.#shown === this.#basis && this.#entry === entry) {
      this.#mark(context);
      return;
    }
    this.#shown = this.#basis;
    this.#entry = entry;
    const choice = element("div", "", "views");
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
    const list = element("ol", "");
    for (const layer of layers.values()) {
      const sheet = sheetOf(layer);
      const picture = new Image(sheet.tile_width, sheet.tile_height);
      picture.loading = "lazy";
      picture.alt = `Components of ${layer.name}`;
      const link = element("a", "");
      link.dataset.to = layer.name;
      link.append(picture, layerName(layer));
      const item = element("li", "");
      item.append(link);
      list.append(item);
    }
    const says =
      "Each picture shows a whole layer: the first three principal components of its channels as red, green and blue. " +
      (this.#basis === "own" ? "Where two places have the same colour, the layer says much the same there." : "Colours compare between photos, not between layers.");
    this.replaceChildren(choice, element("p", says, "quiet"), list);
    this.#mark(context);
    this.#load([...list.querySelectorAll("img")], this.#basis, context).catch(() => {}); // what cannot be had stays empty
  }

  /** One after the other: pictures that are computed here must not stand in the way of all else. */
  async #load(pictures, basis, { data, entry, layers, sheetOf }) {
    for (const [i, layer] of [...layers.values()].entries()) {
      if (!pictures[i].isConnected) return; // another basis was chosen, or another photo
      pictures[i].src = await (basis === "own" ? data.ownComponents(sheetOf(layer)) : data.sharedComponents(layer, entry));
    }
  }

  /** Let each picture lead to its layer with the settings of now, and mark the chosen one. */
  #mark({ layer, linkTo }) {
    for (const link of this.querySelectorAll("a")) {
      link.href = linkTo({ layer: link.dataset.to, view: "channels" });
      if (link.dataset.to === layer.name) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
  }
}

customElements.define("all-layers", AllLayers);
