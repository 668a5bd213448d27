// <layer-summary>: a whole layer in five pictures: mean, maximum, and components in two bases.

import { domain, palette, pixelColours } from "./colour-scale.js";
import { readable } from "./numbers.js";
import { paint } from "./paint.js";

export class LayerSummary extends HTMLElement {
  /**
   * @param {object} view layer, sheet, figures, shared, summary, component (the first), own and
   *   common (URLs), colour maps
   */
  show({ layer, sheet, figures, shared, summary, component, own, common, map, alt }) {
    const { tile_width: width, tile_height: height } = sheet;
    const half = width * height;
    const explained = (components) =>
      components.explained.map((share) => Math.round(100 * share)).join(" + ");
    this.replaceChildren(
      grey("mean of all channels", summary.subarray(0, half), figures.mean_low, figures.mean_high),
      grey("largest of all channels", summary.subarray(half), figures.max_low, figures.max_high),
      grey("first component, in this photo’s own basis", component, figures.pca.low[0], figures.pca.high[0]),
      colour("components, in this photo’s own basis", own, explained(figures.pca)),
      colour("components, in a basis for all photos", common, explained(shared.basis.range)),
    );

    function grey(title, pixels, low, high) {
      const canvas = document.createElement("canvas");
      const signed = low < 0;
      const ends = domain("channel", signed, { layer: high, photos: high, low, high });
      paint(canvas, pixels, width, height, pixelColours({ low, high }, ends, palette(map(signed))));
      canvas.setAttribute("role", "img");
      canvas.setAttribute("aria-label", `${title} of ${layer.name}`);
      return figure(canvas, title, `${readable(low)} to ${readable(high)}`);
    }

    function colour(title, url, shares) {
      const picture = new Image(width, height);
      picture.src = url;
      picture.alt = `${title}: ${alt}`;
      return figure(picture, title, `${shares} % of the variance`);
    }
  }
}

function figure(picture, title, text) {
  const element = document.createElement("figure");
  const caption = document.createElement("figcaption");
  const numbers = document.createElement("span");
  numbers.className = "number";
  numbers.textContent = text;
  caption.append(title, " ", numbers);
  element.append(picture, caption);
  return element;
}
