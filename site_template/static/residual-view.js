// <residual-view>: what a block's shortcut and branch add up to, and what the ReLU leaves of it.

import { palette, pixelColours } from "./colour-scale.js";
import { element } from "./dom.js";
import { readable, signed } from "./numbers.js";
import { paint } from "./paint.js";
import { tile, valueOf } from "./tile-sheet.js";

export class ResidualView extends HTMLElement {
  /**
   * @param {{role: string, layer: object, sheet: object, figures: object, grey: Uint8Array}[]} parts
   * @param {number} channel
   * @param {string} map name of a diverging colour map
   */
  show(parts, channel, map) {
    const ranges = parts.map(({ figures }) => ({ low: figures.low[channel], high: figures.high[channel] }));
    const reach = Math.max(...ranges.map(({ low, high }) => Math.max(Math.abs(low), Math.abs(high)))) || 1;
    const ends = { low: -reach, high: reach };
    const [row, column] = [parts[2].figures.row[channel], parts[2].figures.column[channel]];
    const signs = ["", "+", "=", "→"];
    const figures = parts.map(({ role, layer, sheet, grey }, i) => {
      const pixels = tile(grey, sheet, channel);
      const canvas = document.createElement("canvas");
      paint(canvas, pixels, sheet.tile_width, sheet.tile_height, pixelColours(ranges[i], ends, palette(map)));
      canvas.setAttribute("role", "img");
      canvas.setAttribute("aria-label", `Channel ${channel} of ${layer.name}`);
      const value = valueOf(pixels[row * sheet.tile_width + column], ranges[i].low, ranges[i].high);
      const figure = document.createElement("figure");
      figure.dataset.sign = signs[i];
      const caption = document.createElement("figcaption");
      caption.append(element("strong", signed(value), "number"), element("span", role), element("code", layer.name));
      figure.append(canvas, caption);
      return figure;
    });
    const note = element(
      "p",
      `Channel ${channel} on one scale, from ${readable(-reach)} to ${readable(reach)}; the numbers are read where the sum is largest, at row ${row}, column ${column}.`,
      "quiet",
    );
    this.replaceChildren(...figures, note);
  }

  /** Say why there is nothing to see. */
  explain(sentence) {
    this.replaceChildren(element("p", sentence, "quiet"));
  }
}
