// <view-tools>: takes what is shown along: links, a citation, an embedding, pictures and numbers.

import { citation, embedding } from "./citation.js";
import { csv, layerCsv, npy } from "./export-values.js";
import { readable } from "./numbers.js";
import { tile, valueOf } from "./tile-sheet.js";

class ViewTools extends HTMLElement {
  #view = null;

  connectedCallback() {
    this.addEventListener("click", async ({ target }) => {
      const { take } = target.dataset;
      if (!take || !this.#view) return;
      let says = "";
      try {
        says = await this.#take[take]();
      } catch (error) {
        says = `This browser does not let the page copy: ${error.message}`;
      }
      this.lastElementChild.textContent = says;
    });
  }

  /** @param {object} view as the inspector's; see channel-inspector.js */
  show(view) {
    this.#view = view;
    for (const take of ["map", "layer"]) this.querySelector(`[data-take="${take}"]`).hidden = !view.isPublished;
    this.lastElementChild.textContent = "";
  }

  #take = {
    link: async () => {
      await navigator.clipboard.writeText(location.href);
      return this.#view.isPublished ? "The link is copied." : "The link is copied. It keeps the view, and asks for the photo again.";
    },
    cite: async () => {
      const text = citation({ ...this.#view, ...this.dataset, address: location.href, seen: new Date() });
      await navigator.clipboard.writeText(text);
      return `Copied: ${text}`;
    },
    map: () => this.#embed("map", 520),
    layer: () => this.#embed("layer", 640),
    png: async () => this.#save("png", "image/png", await this.#figure()),
    csv: () => this.#save("csv", "text/csv", csv(this.#values(), this.#view.sheet.tile_width)),
    npy: () => this.#save("npy", "application/octet-stream", npy(this.#values(), this.#size)),
    "layer-csv": () => this.#saveLayer("csv", "text/csv", (values, [, height, width]) => layerCsv(values, height, width)),
    "layer-npy": () => this.#saveLayer("npy", "application/octet-stream", npy),
  };

  get #size() {
    const { sheet } = this.#view;
    return [sheet.tile_height, sheet.tile_width];
  }

  async #embed(what, height) {
    const { layer, channel, entry } = this.#view;
    const address = new URL(`embed.html#photo=${entry.id}&embed=${what}&${location.hash.slice(1)}`, location.href);
    const title = what === "map" ? `Channel ${channel} of ${layer.name}, ${entry.title}` : `${layer.name}, ${entry.title}`;
    await navigator.clipboard.writeText(embedding(address.href, title, height));
    return "The HTML of a frame with this is copied.";
  }

  /** The values of a channel, the chosen one if none is named, in rows. */
  #values(channel = this.#view.channel) {
    const { figures, grey, sheet } = this.#view;
    const [low, high] = [figures.low[channel], figures.high[channel]];
    return Float32Array.from(tile(grey, sheet, channel), (pixel) => valueOf(pixel, low, high));
  }

  #save(suffix, type, content, name = `${this.#view.layer.slug}-${this.#view.channel}`) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(content instanceof Blob ? content : new Blob([content], { type }));
    link.download = `${name}.${suffix}`;
    link.click();
    URL.revokeObjectURL(link.href);
    return "";
  }

  #saveLayer(suffix, type, write) {
    const { layer } = this.#view;
    const [height, width] = this.#size;
    const values = new Float32Array(layer.channels * height * width);
    for (let channel = 0; channel < layer.channels; channel++) values.set(this.#values(channel), channel * height * width);
    return this.#save(suffix, type, write(values, [layer.channels, height, width]), layer.slug);
  }

  /** The map with its colour bar and caption, as a PNG for slides and papers. */
  #figure() {
    const { layer, channel, ends, entry } = this.#view;
    const [side, bar, text] = [448, 12, 16];
    const canvas = document.createElement("canvas");
    canvas.width = side + 32;
    canvas.height = side + bar + 5 * text + 32;
    const context = canvas.getContext("2d");
    context.fillStyle = "#fff";
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.imageSmoothingEnabled = this.#view.smooth;
    const inspector = this.closest("channel-inspector");
    context.drawImage(inspector.querySelector(".stage canvas"), 16, 16, side, side);
    context.drawImage(inspector.querySelector("colour-bar canvas"), 16, side + 24, side, bar);
    context.fillStyle = "#1c1b19";
    context.font = "13px system-ui, sans-serif";
    const line = side + 24 + bar + text;
    context.fillText(readable(ends.low), 16, line);
    context.textAlign = "right";
    context.fillText(readable(ends.high), 16 + side, line);
    context.textAlign = "left";
    context.fillText(`Channel ${channel} of ${layer.name}: ${entry.title}`, 16, line + 1.5 * text, side);
    context.fillText(location.href, 16, line + 2.75 * text, side);
    return new Promise((resolve) => canvas.toBlob(resolve));
  }
}

customElements.define("view-tools", ViewTools);
