// <feature-explorer>: holds the view and hands each part what it shows.

import { channelOrder, filterChannels, likeness } from "./channel-order.js";
import { LABELS, domain, mapsFor, palette } from "./colour-scale.js";
import { GalleryData, canvasIsFaithful } from "./gallery-data.js";
import { jumpTarget } from "./jump.js";
import { NORMS, normEnds } from "./norms.js";
import { residualParts } from "./residual-parts.js";
import { isFaithful, tile } from "./tile-sheet.js";
import { format, parse } from "./view-state.js";

const FIRST_OP = "relu"; // the first layer whose maps need no explanation of negative values

export class FeatureExplorer extends HTMLElement {
  #data;
  #entry;
  #layers;
  #classifier;
  #state;
  #inspected = null; // channel number to what the inspector shows of it
  #shown = ""; // name of the layer whose maps are on the page
  #turn = 0;

  async connectedCallback() {
    this.#data = new GalleryData(this.dataset.folder, this.dataset.shared);
    try {
      const [entry, model] = await Promise.all([this.#data.entry(), this.#data.model()]);
      this.#entry = entry;
      this.#classifier = model.classifier;
      this.#layers = new Map(model.layers.map((layer) => [layer.name, layer]));
    } catch (error) {
      this.#say(`The feature maps cannot be shown: ${error.message}`);
      this.dataset.failed = ""; // the plain list of layers takes over
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

  get #tour() {
    return document.querySelector("tour-bar");
  }

  #find(selector) {
    return this.querySelector(selector);
  }

  #listen() {
    window.addEventListener("hashchange", () => this.#readLink());
    this.addEventListener("preview-channel", ({ detail }) => this.#preview(detail));
    this.addEventListener("choose-channel", ({ detail }) => this.#set({ channel: detail }));
    this.#evidence.addEventListener("choose-answer", ({ detail }) => this.#set({ answer: detail }));
    this.#tour.addEventListener("leave-tour", () => this.#set({ tour: "", stop: 1 }));
    this.addEventListener("input", ({ target }) => {
      const name = target.dataset.setting;
      if (name === "smooth") this.#set({ smooth: target.checked });
      else if (name === "opacity") this.#set({ opacity: Number(target.value) });
      else if (name === "colour") this.#set({ [this.#colourSetting]: target.value });
      else if (name === "above") this.#set({ above: target.value === "" ? -Infinity : Number(target.value) });
      else if (name) this.#set({ [name]: target.value });
    });
    this.addEventListener("click", ({ target }) => {
      const view = target.closest("[data-view]")?.dataset.view;
      if (view) this.#set({ view });
    });
    this.addEventListener("saved", ({ target }) => this.#say(target.dataset.save === "link" ? "The link is copied." : ""));
    const wanted = this.#find(".jump input");
    this.#find(".jump .go").addEventListener("click", () => this.#jump(wanted.value));
    wanted.addEventListener("keydown", ({ key }) => key === "Enter" && this.#jump(wanted.value));
    this.#find(".jump .random").addEventListener("click", () => {
      const layers = [...this.#layers.values()];
      const layer = layers[Math.floor(Math.random() * layers.length)];
      this.#set({ layer: layer.name, channel: Math.floor(Math.random() * layer.channels) }, true);
    });
    this.#find(".layers").addEventListener("click", (event) => {
      const link = event.target.closest("[data-layer]");
      if (!link || event.metaKey || event.ctrlKey || event.shiftKey) return;
      event.preventDefault();
      this.#set({ layer: link.dataset.layer, channel: this.#sameChannel(link.dataset.layer) }, true);
    });
  }

  #jump(text) {
    const photos = [...this.#photos()].map(([id, { title }]) => ({ id, title }));
    const known = { layers: [...this.#layers.values()], photos, layer: this.#state.layer };
    const { notice, photo, layer, channel } = jumpTarget(text, known);
    if (photo) location.href = this.#photos().get(photo).href;
    else if (layer) this.#set({ layer, channel: channel ?? this.#sameChannel(layer) }, true);
    else this.#say(notice);
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
    this.#say("");
    this.#render();
    try {
      history[remember ? "pushState" : "replaceState"](null, "", format(this.#state));
    } catch {
      // Some browsers allow only so many changes in a while; the next one brings the link up to date.
    }
  }

  /** Show another channel in the inspector as long as the pointer is on it. */
  #preview(channel) {
    if (this.#inspected && !("stale" in this.dataset)) {
      this.#find("channel-inspector").show(this.#inspected(channel ?? this.#state.channel));
    }
  }

  #say(text) {
    const notice = this.#find(".notice");
    notice.textContent = text;
    notice.hidden = text === "";
  }

  get #layer() {
    return this.#layers.get(this.#state.layer);
  }

  /** Whether the colours have two sides; a logarithm has none for what is below zero. */
  get #twoSided() {
    return this.#layer.signed && this.#state.norm !== "log";
  }

  get #colourSetting() {
    return this.#twoSided ? "diverging" : "sequential";
  }

  async #render() {
    const turn = ++this.#turn;
    const layer = this.#layer;
    const sheet = this.#sheetOf(layer);
    this.#showHeading(layer);
    this.#showControls();
    this.#keepViewInLinks();
    this.#tour.show(this.#state);
    this.#showViews(layer);
    // Until its own maps are there, a layer must not stand above those of another.
    if (this.#shown !== layer.name) this.dataset.stale = "";
    try {
      const [figures, grey, shared, contributions] = await Promise.all([
        this.#data.figures(sheet),
        this.#data.sheet(sheet),
        this.#data.shared(layer),
        this.#needsContributions ? this.#data.contributions(this.#entry) : null,
      ]);
      if (turn !== this.#turn) return; // the visitor has gone on
      if (!canvasIsFaithful() || !isFaithful(grey, sheet, figures)) {
        this.#say("This browser changes pictures when a page reads them back, which protects privacy: values shown here are not exact.");
      }
      this.#evidence.show(this.#entry, this.#state.answer, contributions);
      this.#showMaps({ layer, sheet, figures, grey, shared, contributions });
      this.#shown = layer.name;
      delete this.dataset.stale;
    } catch (error) {
      if (turn === this.#turn) this.#say(`${layer.name} cannot be shown: ${error.message}`);
    }
  }

  get #needsContributions() {
    return this.#state.answer >= 0 || this.#state.sort === "class";
  }

  #sheetOf(layer) {
    return this.#entry.sheets.find((sheet) => sheet.layer === layer.name);
  }

  /** Show the parts that the chosen view has, and fill those that need more than one layer. */
  async #showViews(layer) {
    const { view } = this.#state;
    for (const button of this.querySelectorAll(".views [data-view]")) {
      button.setAttribute("aria-pressed", String(button.dataset.view === view));
    }
    const [whole, residual, all] = ["layer-summary", "residual-view", "all-layers"].map((name) => this.#find(name));
    whole.hidden = view !== "layer";
    residual.hidden = view !== "residual";
    all.hidden = view !== "layers";
    if (view === "layers") {
      all.show({
        entry: this.#entry,
        layers: [...this.#layers.values()].map((one) => ({ layer: one, sheet: this.#sheetOf(one) })),
        own: (sheet) => this.#data.ownComponents(sheet),
        common: (one) => this.#data.sharedComponents(one, this.#entry),
      });
    }
    if (view === "layer") await this.#showWholeLayer(layer, whole);
    if (view === "residual") await this.#showResidual(layer, residual);
  }

  async #showWholeLayer(layer, element) {
    const turn = this.#turn;
    const sheet = this.#sheetOf(layer);
    try {
      const [figures, shared, summary, component] = await Promise.all([
        this.#data.figures(sheet),
        this.#data.shared(layer),
        this.#data.summary(sheet),
        this.#data.firstComponent(sheet),
      ]);
      if (turn !== this.#turn) return;
      element.show({
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
    } catch (error) {
      element.textContent = `The layer as a whole cannot be shown: ${error.message}`;
    }
  }

  async #showResidual(layer, residual) {
    const { channel, diverging } = this.#state;
    const parts = residualParts([...this.#layers.values()], layer);
    if (!parts) {
      residual.explain(`${layer.name} stands in no residual block whose parts are all shown here: choose a layer of a block.`);
      return;
    }
    const turn = this.#turn;
    try {
      const loaded = await Promise.all(
        parts.map(async (part) => {
          const sheet = this.#sheetOf(part.layer);
          const [figures, grey] = await Promise.all([this.#data.figures(sheet), this.#data.sheet(sheet)]);
          return { ...part, sheet, figures, grey };
        }),
      );
      // Within a block the channels of the sum are those of its last convolution.
      const last = loaded[2].figures.high.length - 1;
      if (turn === this.#turn) residual.show(loaded, Math.min(channel, last), diverging);
    } catch (error) {
      residual.explain(`The block cannot be shown: ${error.message}`);
    }
  }

  #showMaps({ layer, sheet, figures, grey, shared, contributions }) {
    const { scale, norm, channel, sort, opacity, smooth, answer } = this.#state;
    const map = this.#state[this.#colourSetting];
    const colours = palette(map);
    const ends = (number) =>
      normEnds(
        norm,
        domain(scale, layer.signed, {
          layer: sheet.scale,
          photos: layer.scale,
          low: figures.low[number],
          high: figures.high[number],
        }),
      );
    const more = {};
    if (sort === "like") more.like = likeness((one) => tile(grey, sheet, one), layer.channels, channel);
    if (contributions && layer.name === contributions.layer) more.class = contributions.values[Math.max(0, answer)];
    const order = filterChannels(channelOrder(sort, figures, more), this.#state, figures);
    this.#find("channel-grid").show({ layer, sheet, figures, grey, order, colours, ends, norm, chosen: channel, look: [map, norm, scale].join() });
    this.#find(".count").textContent = `${order.length} of ${layer.channels}`;
    const bar = this.#find(".controls colour-bar");
    bar.hidden = scale === "channel";
    bar.show(map, ends(channel), norm);
    const photos = this.#photos();
    this.#inspected = (one) => ({
      layer, sheet, figures, shared, grey, map, colours, norm, opacity, smooth, photos,
      channel: one,
      ends: ends(one),
      inputOf: (image) => this.#data.inputOf(image),
    });
    this.#find("channel-inspector").show(this.#inspected(channel));
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
    const maps = mapsFor(this.#twoSided);
    colour.replaceChildren(...maps.map((name) => new Option(LABELS[name], name)));
    colour.value = this.#state[this.#colourSetting];
    const norm = this.#find('[data-setting="norm"]');
    if (!norm.length) norm.append(...Object.entries(NORMS).map(([name, label]) => new Option(label, name)));
    for (const name of ["scale", "norm", "sort", "show"]) {
      this.#find(`[data-setting="${name}"]`).value = this.#state[name];
    }
    this.#find('[data-setting="sort"] [value="class"]').disabled = this.#layer.name !== this.#classifier;
    const above = this.#find('[data-setting="above"]');
    if (document.activeElement !== above) above.value = Number.isFinite(this.#state.above) ? this.#state.above : "";
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
        return [link.dataset.image, { title: picture.alt, href: link.href }];
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
