// <all-layers>: every layer of the network in one strip, as its principal components.

export class AllLayers extends HTMLElement {
  #basis = "own";
  #view = null;

  /**
   * @param {object} view layers with their sheets: [{layer, sheet}], own(sheet) and common(layer),
   *   the URLs of their pictures
   */
  show(view) {
    if (this.#view?.entry === view.entry) return;
    this.#view = view;
    const choice = document.createElement("div");
    choice.className = "views";
    for (const [basis, label] of [["own", "this photo’s own basis"], ["common", "one basis for all photos"]]) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = label;
      button.setAttribute("aria-pressed", String(basis === this.#basis));
      button.addEventListener("click", () => {
        this.#basis = basis;
        this.#view = null;
        this.show(view);
      });
      choice.append(button);
    }
    const list = document.createElement("ol");
    for (const { layer, sheet } of view.layers) {
      const picture = new Image(sheet.tile_width, sheet.tile_height);
      picture.loading = "lazy";
      picture.src = this.#basis === "own" ? view.own(sheet) : view.common(layer);
      picture.alt = `Components of ${layer.name}`;
      const link = document.createElement("a");
      link.href = `#layer=${encodeURIComponent(layer.name)}&channel=0`;
      const name = document.createElement("code");
      name.textContent = layer.name;
      link.append(picture, name);
      const item = document.createElement("li");
      item.append(link);
      list.append(item);
    }
    this.replaceChildren(choice, list);
  }
}
