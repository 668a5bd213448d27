// <layer-summary>: a whole layer in five pictures: mean, maximum, and components in two bases.

import { domain, palette, pixelColours } from "./colour-scale.js";
import { element, figure, labelledCanvas } from "./dom.js";
import { readable } from "./numbers.js";
import { paint } from "./paint.js";

class LayerSummary extends HTMLElement {
  /** @param {object} context what the explorer shows; see feature-explorer.js */
  async show({ data, entry, layer, state, sheetOf, isCurrent }) {
    const sheet = sheetOf(layer);
    const [figures, shared, summary, component, own, common] = await Promise.all([
      data.wholeFigures(sheet),
      data.shared(layer),
      data.summary(sheet),
      data.firstComponent(sheet),
      data.ownComponents(sheet),
      data.sharedComponents(layer, entry),
    ]);
    if (!isCurrent()) return;
    const { tile_width: width, tile_height: height } = sheet;
    const half = width * height;
    const explained = (components) => components.explained.map((share) => Math.round(100 * share)).join(" + ");
    this.replaceChildren(
      grey("mean of all channels", summary.subarray(0, half), figures.mean_low, figures.mean_high),
      grey("largest of all channels", summary.subarray(half), figures.max_low, figures.max_high),
      grey("first component, in this photo’s own basis", component, figures.pca.low[0], figures.pca.high[0]),
      colour("components, in this photo’s own basis", own, explained(figures.pca)),
      colour("components, in a basis for all photos", common, explained(shared.basis.range)),
    );

    function grey(title, pixels, low, high) {
      const canvas = labelledCanvas(`${title} of ${layer.name}`);
      const signed = low < 0;
      const ends = domain("channel", signed, { layer: high, photos: high, low, high });
      const map = state[signed ? "diverging" : "sequential"];
      paint(canvas, pixels, width, height, pixelColours({ low, high }, ends, palette(map)));
      return figure(canvas, title, " ", element("span", `${readable(low)} to ${readable(high)}`, "number"));
    }

    function colour(title, url, shares) {
      const picture = new Image(width, height);
      picture.src = url;
      picture.alt = `${title}: ${entry.title}`;
      return figure(picture, title, " ", element("span", `${shares} % of the variance`, "number"));
    }
  }
}

customElements.define("layer-summary", LayerSummary);
