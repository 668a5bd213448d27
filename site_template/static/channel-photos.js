// <channel-photos>: one channel on all photos, the photo that drives it most first.

import { ColourBar } from "./colour-bar.js";
import { domain, palette, pixelColours } from "./colour-scale.js";
import { element, patch } from "./dom.js";
import { receptiveBox } from "./geometry.js";
import { normEnds } from "./norms.js";
import { counted, readable, signed } from "./numbers.js";
import { paint } from "./paint.js";
import { tile } from "./tile-sheet.js";

class ChannelPhotos extends HTMLElement {
  #view = null;
  #seen = new IntersectionObserver((changes) => this.#onSeen(changes), { rootMargin: "200px" });

  disconnectedCallback() {
    this.#seen.disconnect();
  }

  /** @param {object} context what the explorer shows; see feature-explorer.js */
  async show(context) {
    const { data, layer, model, photos, state, twoSided, isCurrent, pageOf } = context;
    const { channel } = state;
    const first = Math.floor(channel / model.ranking) * model.ranking;
    const [peaks, shared] = await Promise.all([data.ranking(layer, first), data.shared(layer)]);
    if (!isCurrent()) return;
    const of = channel - first;
    const own = { low: shared.low[channel], high: shared.high[channel] };
    const scale = state.scale === "channel" ? "channel" : "photos";
    const ends = normEnds(state.norm, domain(scale, layer.signed, { layer: layer.scale, photos: layer.scale, ...own }));
    const map = state[twoSided ? "diverging" : "sequential"];
    this.#view = { ...context, ends, map };
    const items = peaks.image[of].map((position, rank) => {
      const id = peaks.images[position];
      const [row, column] = [peaks.row[of][rank], peaks.column[of][rank]];
      const link = element("a", "");
      link.href = pageOf(id);
      const title = photos.get(id)?.title ?? id;
      const box = receptiveBox(layer.receptive_field, row, column, model.crop);
      const canvas = document.createElement("canvas");
      const value = layer.signed ? signed(peaks.value[of][rank]) : readable(peaks.value[of][rank]);
      link.append(
        canvas,
        patch(data.inputOf(id), box, model.crop, `What drives it in ${title}`),
        element("strong", value, "number"),
        element("span", title),
      );
      const item = element("li", "");
      item.dataset.photo = id;
      item.append(link);
      return item;
    });
    const silent = model.photos - items.length;
    const bar = new ColourBar();
    const list = element("ol", "");
    list.append(...items);
    const say = items.length
      ? `Channel ${channel} of ${layer.name} on ${items.length} of ${counted(model.photos, "photo")}, the largest value first; its map, and the part of the photo that this value sees.`
      : `Channel ${channel} of ${layer.name} is never above zero on the ${counted(model.photos, "photo")} of this gallery.`;
    const rest = silent && items.length ? [element("p", layer.signed ? `The other ${silent} are not ranked.` : `It is never above zero on the other ${silent}.`, "quiet")] : [];
    this.#seen.disconnect();
    const charts = model.charts ? " Test charts are left out." : "";
    this.replaceChildren(element("p", say + charts, "quiet"), bar, list, ...rest);
    bar.show(map, ends, state.norm);
    for (const item of items) this.#seen.observe(item);
  }

  #onSeen(changes) {
    for (const { target, isIntersecting } of changes) {
      if (!isIntersecting) continue;
      this.#seen.unobserve(target);
      this.#paint(target).catch(() => target.classList.add("missing"));
    }
  }

  /** Paint the map of a photo, whose sheet is loaded when it comes into view. */
  async #paint(item) {
    const { data, layer, state, ends, map } = this.#view;
    const other = data.of(item.dataset.photo);
    const entry = await other.entry();
    const sheet = entry.sheets.find((one) => one.layer === layer.name);
    const [figures, grey] = await Promise.all([other.figures(sheet), other.sheet(sheet)]);
    const { channel, norm } = state;
    const range = { low: figures.low[channel], high: figures.high[channel] };
    const colours = pixelColours(range, ends, palette(map), { norm });
    paint(item.querySelector("canvas"), tile(grey, sheet, channel), sheet.tile_width, sheet.tile_height, colours);
  }
}

customElements.define("channel-photos", ChannelPhotos);
