// <residual-view>: what a block's shortcut and branch add up to, and what the ReLU leaves of it.

import { palette, pixelColours } from "./colour-scale.js";
import { element, figure, labelledCanvas, layerName } from "./dom.js";
import { readable, signed } from "./numbers.js";
import { paint } from "./paint.js";
import { tile, valueOf } from "./tile-sheet.js";

const SIGNS = ["", "+", "=", "→"];

class ResidualView extends HTMLElement {
  /** @param {object} context what the explorer shows; see feature-explorer.js */
  async show({ data, layer, layers, state, sheetOf, isCurrent }) {
    if (!layer.residual.length) {
      this.replaceChildren(element("p", `${layer.name} stands in no residual block whose parts are all shown here.`, "quiet"));
      return;
    }
    const loaded = await Promise.all(
      layer.residual.map(async ({ role, layer: name }) => {
        const part = layers.get(name);
        const sheet = sheetOf(part);
        const [figures, grey] = await Promise.all([data.figures(sheet), data.sheet(sheet)]);
        return { role, layer: part, sheet, figures, grey };
      }),
    );
    // Within a block the channels of the sum are those of its last convolution.
    const last = loaded[2].figures.high.length - 1;
    if (isCurrent()) this.#draw(loaded, Math.min(state.channel, last), state.diverging);
  }

  #draw(parts, channel, map) {
    const ranges = parts.map(({ figures }) => ({ low: figures.low[channel], high: figures.high[channel] }));
    const reach = Math.max(...ranges.map(({ low, high }) => Math.max(Math.abs(low), Math.abs(high)))) || 1;
    const ends = { low: -reach, high: reach };
    const [row, column] = [parts[2].figures.row[channel], parts[2].figures.column[channel]];
    const figures = parts.map(({ role, layer, sheet, grey }, i) => {
      const pixels = tile(grey, sheet, channel);
      const canvas = labelledCanvas(`Channel ${channel} of ${layer.name}`);
      paint(canvas, pixels, sheet.tile_width, sheet.tile_height, pixelColours(ranges[i], ends, palette(map)));
      const value = valueOf(pixels[row * sheet.tile_width + column], ranges[i].low, ranges[i].high);
      const made = figure(canvas, element("strong", signed(value), "number"), element("span", role), layerName(layer));
      made.dataset.sign = SIGNS[i];
      return made;
    });
    const note = `Channel ${channel} on one scale, from ${readable(-reach)} to ${readable(reach)}; the numbers are read where the sum is largest, at row ${row}, column ${column}.`;
    this.replaceChildren(...figures, element("p", note, "quiet"));
  }
}

customElements.define("residual-view", ResidualView);
