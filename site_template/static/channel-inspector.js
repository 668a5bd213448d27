// <channel-inspector>: one channel, large, over the photo, with the exact value under the pointer.

import { beyond, clipColours, pixelColours } from "./colour-scale.js";
import { element, patch, place, svg } from "./dom.js";
import { receptiveBox } from "./geometry.js";
import { histogram } from "./histogram.js";
import { percent, readable, signed } from "./numbers.js";
import { paint } from "./paint.js";
import { zoomable } from "./stage-zoom.js";
import { tile, valueOf } from "./tile-sheet.js";

class ChannelInspector extends HTMLElement {
  #view = null;
  #pixels = null;
  #cursor = null;
  #follow;

  connectedCallback() {
    if (this.#follow) return;
    const stage = this.#find(".stage");
    stage.addEventListener("pointermove", (event) => this.#onPointer(event));
    stage.addEventListener("pointerdown", (event) => this.#onPointer(event));
    stage.addEventListener("keydown", (event) => this.#onKey(event));
    this.#follow = zoomable(stage, this.#find(".picture"));
  }

  /**
   * @param {object} view layer, sheet, figures, shared, grey, channel, map, colours, ends, opacity,
   *   norm, smooth, inputOf(image), photos (id to {title, href})
   */
  show(view) {
    const { layer, sheet, figures, channel } = view;
    if (this.#view?.entry !== view.entry) this.#find("img").src = view.inputOf(view.entry.id);
    const moved = this.#view?.sheet !== sheet || this.#view.channel !== channel;
    this.#view = view;
    this.#pixels = tile(view.grey, sheet, channel);
    const [width, height] = [sheet.tile_width, sheet.tile_height];
    const range = { low: figures.low[channel], high: figures.high[channel] };
    const canvas = this.#find("canvas");
    paint(canvas, this.#pixels, width, height, pixelColours(range, view.ends, view.colours, { mark: view.norm !== "log", norm: view.norm }));
    canvas.style.opacity = view.opacity / 100;
    canvas.classList.toggle("smooth", view.smooth);
    this.#find("svg").setAttribute("viewBox", `0 0 ${this.#side} ${this.#side}`);
    const kind = layer.signed ? "signed" : "zero or more";
    this.#find("h3").textContent = `Channel ${channel} of ${layer.name} (${kind})`;
    this.#find(".stage").setAttribute("aria-label", `Map of channel ${channel} of ${layer.name}`);
    this.#find('[data-setting="opacity"]').value = view.opacity;
    this.#find('[data-setting="smooth"]').checked = view.smooth;
    this.#showScale(range);
    this.#showHistogram(range);
    this.#showFigures();
    this.#showPeaks();
    this.#find("view-tools").show(view);
    if (moved) this.#cursor = [figures.row[channel], figures.column[channel]];
    this.#showCursor();
  }

  get #side() {
    return Number(this.dataset.crop);
  }

  #find(selector) {
    return this.querySelector(selector);
  }

  #showScale(range) {
    const { ends, map, norm } = this.#view;
    const clipped = { under: 0, over: 0 };
    for (const pixel of this.#pixels) {
      const value = valueOf(pixel, range.low, range.high);
      if (beyond(value, ends)) clipped[value > ends.high ? "over" : "under"] += 1;
    }
    this.#find("colour-bar").show(map, ends, norm, clipped);
    // On a logarithmic scale whatever is not above zero lies beyond, and needs no mark.
    const total = norm === "log" ? 0 : clipped.over + clipped.under;
    const notes = [];
    for (const [side, label] of [["over", "above"], ["under", "below"]]) {
      if (!total || !clipped[side]) continue;
      const swatch = element("i", "");
      swatch.style.background = clipColours(map)[side];
      notes.push(notes.length ? ", " : "", swatch, ` ${clipped[side]} of ${this.#pixels.length} pixels ${label} the scale`);
    }
    this.#find(".clipped").replaceChildren(...notes);
  }

  #showHistogram(range) {
    const counts = histogram(this.#pixels, 64);
    const most = Math.max(...counts);
    const bars = counts.map((count, i) => {
      // Square roots, or the many zeros after a ReLU would flatten everything else.
      const height = 24 * Math.sqrt(count / most);
      return svg("rect", { x: i, y: 24 - height, width: 1, height });
    });
    const chart = this.#find(".histogram");
    chart.replaceChildren(...bars);
    chart.setAttribute("aria-label", `Histogram of the values, from ${readable(range.low)} to ${readable(range.high)}; heights are square roots of counts`);
    const [low, , high] = this.querySelectorAll(".histogram-ends span");
    low.textContent = readable(range.low);
    high.textContent = readable(range.high);
  }

  #showFigures() {
    const { layer, figures, channel } = this.#view;
    const silent = !layer.signed && figures.high[channel] <= 0;
    const rows = [
      ["low", readable(figures.low[channel])],
      ["high", silent ? "0: never above zero on this photo" : readable(figures.high[channel])],
      ["mean", readable(figures.mean[channel])],
      ["standard deviation", readable(figures.std[channel])],
      ["zeros", percent(figures.zeros[channel])],
    ];
    this.#find(".figures").replaceChildren(
      ...rows.flatMap(([name, value]) => [element("dt", name), element("dd", value)]),
    );
  }

  #showPeaks() {
    const { shared, channel, photos, layer, inputOf } = this.#view;
    const { images, image, value, row, column } = shared.peaks;
    const items = image[channel].map((position, rank) => {
      const id = images[position];
      const photo = photos.get(id);
      const field = receptiveBox(layer.receptive_field, row[channel][rank], column[channel][rank], this.#side);
      const link = document.createElement(photo ? "a" : "span");
      if (photo) link.href = photo.href; // which keeps the view
      const text = element("span", readable(value[channel][rank]), "number");
      link.append(patch(inputOf(id), field, this.#side, photo?.title ?? id), text);
      const item = element("li", "");
      item.append(link);
      return item;
    });
    this.#find(".peaks ol").replaceChildren(...items);
    const dead = !layer.signed && items.length === 0;
    this.#find(".peaks h4").textContent = dead
      ? "Never above zero on these photos"
      : "What drives it most in this gallery, and how far";
  }

  #onPointer(event) {
    if (!this.#view) return;
    const frame = this.#find(".picture").getBoundingClientRect();
    const { tile_width: width, tile_height: height } = this.#view.sheet;
    this.#moveTo(
      Math.floor(((event.clientY - frame.top) / frame.height) * height),
      Math.floor(((event.clientX - frame.left) / frame.width) * width),
    );
  }

  #onKey(event) {
    const steps = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
    const step = steps[event.key];
    if (!step || !this.#cursor) return;
    event.preventDefault();
    this.#moveTo(this.#cursor[0] + step[0], this.#cursor[1] + step[1]);
    const { tile_width: width, tile_height: height } = this.#view.sheet;
    this.#follow((this.#cursor[1] + 0.5) / width, (this.#cursor[0] + 0.5) / height);
  }

  #moveTo(row, column) {
    const { tile_width: width, tile_height: height } = this.#view.sheet;
    const within = (value, size) => Math.min(size - 1, Math.max(0, value));
    this.#cursor = [within(row, height), within(column, width)];
    this.#showCursor();
    this.dispatchEvent(new CustomEvent("cursor", { detail: this.#cursor, bubbles: true }));
  }

  #showCursor() {
    const { layer, sheet, figures, channel } = this.#view;
    const [row, column] = this.#cursor;
    const pixel = this.#pixels[row * sheet.tile_width + column];
    const value = valueOf(pixel, figures.low[channel], figures.high[channel]);
    const field = receptiveBox(layer.receptive_field, row, column, this.#side);
    const cell = { width: this.#side / sheet.tile_width, height: this.#side / sheet.tile_height };
    place(this.#find(".cursor"), column * cell.width, row * cell.height, cell.width, cell.height);
    place(this.#find(".field"), field.left, field.top, field.right - field.left, field.bottom - field.top);
    const shown = layer.signed ? signed(value) : readable(value);
    const clip = field.clipped ? ", cut off at the border" : "";
    const sees = layer.receptive_field
      ? `sees columns ${field.left}–${field.right - 1}, rows ${field.top}–${field.bottom - 1} of the input${clip} (theoretical receptive field)`
      : layer.sees;
    const number = element("strong", shown, "number");
    const slack = (figures.high[channel] - figures.low[channel]) / 510;
    this.#find(".readout").replaceChildren(
      number,
      slack > 0 ? ` ± ${readable(slack)}` : "",
      ` at row ${row}, column ${column}`,
      element("small", sees),
    );
  }
}

customElements.define("channel-inspector", ChannelInspector);
