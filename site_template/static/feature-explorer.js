// <feature-explorer>: holds the view and hands each part what it shows.

import { channelOrder } from "./channel-order.js";
import { LABELS, domain, mapsFor, palette } from "./colour-scale.js";
import { GalleryData, canvasIsFaithful } from "./gallery-data.js";
import { isFaithful } from "./tile-sheet.js";
import { format, parse } from "./view-state.js";

const FIRST_OP = "relu"; // the first layer whose maps need no explanation of negative values

export class FeatureExplorer extends HTMLElement {
  #data;
  #entry;
  #layers;
  #state;
  #turn = 0;

  async connectedCallback() {
    this.#data = new GalleryData(this.dataset.folder, this.dataset.shared);
    try {
      const [entry, model] = await Promise.all([this.#data.entry(), this.#data.model()]);
      this.#entry = entry;
      this.#layers = new Map(model.layers.map((layer) => [layer.name, layer]));
    } catch (error) {
      this.#say(`The feature maps cannot be shown: ${error.message}`);
      return;
    }
    this.#listen();
    this.#readLink();
    const strip = document.querySelector(".filmstrip ul");
    reveal(strip.querySelector("[aria-current]").parentElement, strip);
  }

  get #evidence() {
    return document.querySelector("class-evidence");
  }

  #find(selector) {
    return this.querySelector(selector);
  }

  #listen() {
    window.addEventListener("hashchange", () => this.#readLink());
    this.addEventListener("choose-channel", ({ detail }) => this.#set({ channel: detail }));
    this.#evidence.addEventListener("choose-answer", ({ detail }) => this.#set({ answer: detail }));
    this.addEventListener("input", ({ target }) => {
      const name = target.dataset.setting;
      if (name === "smooth") this.#set({ smooth: target.checked });
      else if (name === "opacity") this.#set({ opacity: Number(target.value) });
      else if (name === "colour") this.#set({ [this.#colourSetting]: target.value });
      else if (name) this.#set({ [name]: target.value });
    });
    this.#find(".layers").addEventListener("click", (event) => {
      const link = event.target.closest("[data-layer]");
      if (!link || event.metaKey || event.ctrlKey || event.shiftKey) return;
      event.preventDefault();
      this.#set({ layer: link.dataset.layer, channel: this.#sameChannel(link.dataset.layer) }, true);
    });
  }

  /** The chosen channel where the other layer has it too, else that layer's last. */
  #sameChannel(layer) {
    return Math.min(this.#state.channel, this.#layers.get(layer).channels - 1);
  }

  #readLink() {
    if (this.#state && location.hash !== "" && !location.hash.includes("=")) {
      // A link within the page, such as the one to its content, is no view: keep the one there is.
      history.replaceState(null, "", format(this.#state));
      return;
    }
    const layers = [...this.#layers.values()];
    const first = (layers.find((layer) => layer.op === FIRST_OP) ?? layers[0]).name;
    const { state, notices } = parse(location.hash, layers, first);
    this.#state = state;
    this.#say(notices.join(" "));
    this.#render();
  }

  #set(changes, remember = false) {
    this.#state = { ...this.#state, ...changes };
    history[remember ? "pushState" : "replaceState"](null, "", format(this.#state));
    this.#say("");
    this.#render();
  }

  #say(text) {
    const notice = this.#find(".notice");
    notice.textContent = text;
    notice.hidden = text === "";
  }

  get #layer() {
    return this.#layers.get(this.#state.layer);
  }

  get #colourSetting() {
    return this.#layer.signed ? "diverging" : "sequential";
  }

  async #render() {
    const turn = ++this.#turn;
    const layer = this.#layer;
    const sheet = this.#entry.sheets.find(({ layer: name }) => name === layer.name);
    this.#showHeading(layer);
    this.#showControls();
    this.#keepViewInLinks();
    this.#evidence.show(this.#entry, this.#state.answer);
    try {
      const [figures, grey, shared, summary, component] = await Promise.all([
        this.#data.figures(sheet),
        this.#data.sheet(sheet),
        this.#data.shared(layer),
        this.#data.summary(sheet),
        this.#data.firstComponent(sheet),
      ]);
      if (turn !== this.#turn) return; // the visitor has gone on
      if (!canvasIsFaithful() || !isFaithful(grey, sheet, figures)) {
        this.#say("This browser changes pictures when a page reads them back, which protects privacy: values shown here are not exact.");
      }
      this.#showMaps({ layer, sheet, figures, grey, shared, summary, component });
    } catch (error) {
      if (turn === this.#turn) this.#say(`${layer.name} cannot be shown: ${error.message}`);
    }
  }

  #showMaps({ layer, sheet, figures, grey, shared, summary, component }) {
    const { scale, channel, sort, opacity, smooth } = this.#state;
    const map = this.#state[this.#colourSetting];
    const colours = palette(map);
    const ends = (number) =>
      domain(scale, layer.signed, {
        layer: sheet.scale,
        photos: layer.scale,
        low: figures.low[number],
        high: figures.high[number],
      });
    this.#find("layer-summary").show({
      layer,
      sheet,
      figures,
      shared,
      summary,
      component,
      own: this.#data.ownComponents(sheet),
      common: this.#data.sharedComponents(layer, this.#entry),
      map: (signed) => this.#state[signed ? "diverging" : "sequential"],
      alt: this.#entry.title,
    });
    const order = channelOrder(sort, figures);
    this.#find("channel-grid").show({ layer, sheet, figures, grey, order, colours, ends, chosen: channel });
    const bar = this.#find(".controls colour-bar");
    bar.hidden = scale === "channel";
    bar.show(map, ends(channel));
    const photos = this.#photos();
    this.#find("channel-inspector").show({
      layer, sheet, figures, shared, grey, channel, map, colours, opacity, smooth, photos,
      ends: ends(channel),
    });
    this.#keepViewInLinks();
  }

  #showHeading(layer) {
    this.#find("#layer-title code").textContent = layer.name;
    this.#find("#layer-title span").textContent = layer.title;
    const field = layer.receptive_field.size;
    const facts = [
      `${layer.channels} channels of ${layer.height}×${layer.width}`,
      `each value sees ${field[0]}×${field[1]} pixels`,
      layer.signed ? "signed" : "zero or more",
    ];
    if (layer.parameters) facts.push(`${layer.parameters.toLocaleString("en").replaceAll(",", "\u202f")} parameters`);
    facts.push(`from ${layer.inputs.join(" and ")}`);
    if (layer.dead) facts.push(`${layer.dead} channels never above zero on any photo`);
    this.#find(".layer-facts").textContent = facts.join(" · ");
    for (const link of this.querySelectorAll("[data-layer]")) {
      const current = link.dataset.layer === layer.name;
      if (current) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
      if (current) reveal(link, this.#find(".layers"));
    }
  }

  #showControls() {
    const colour = this.#find('[data-setting="colour"]');
    const maps = mapsFor(this.#layer.signed);
    colour.replaceChildren(...maps.map((name) => new Option(LABELS[name], name)));
    colour.value = this.#state[this.#colourSetting];
    this.#find('[data-setting="scale"]').value = this.#state.scale;
    this.#find('[data-setting="sort"]').value = this.#state.sort;
  }

  /** Another photo opens with the same layer, channel and settings. */
  #keepViewInLinks() {
    const hash = format(this.#state);
    for (const link of document.querySelectorAll("[data-keep-view]")) link.hash = hash;
  }

  #photos() {
    const links = document.querySelectorAll(".filmstrip [data-image]");
    return new Map(
      [...links].map((link) => {
        const picture = link.querySelector("img");
        return [link.dataset.image, { title: picture.alt, thumbnail: picture.src, href: link.href }];
      }),
    );
  }
}

/** Scroll `box`, and nothing else, until `item` can be seen in it. */
function reveal(item, box) {
  const [inner, outer] = [item.getBoundingClientRect(), box.getBoundingClientRect()];
  if (inner.top < outer.top || inner.bottom > outer.bottom) box.scrollTop += inner.top - outer.top - 40;
  if (inner.left < outer.left || inner.right > outer.right) box.scrollLeft += inner.left - outer.left - 40;
}
