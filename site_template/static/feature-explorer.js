// <feature-explorer>: holds the view and hands each part what it shows.

import "./channel-grid.js";
import "./channel-inspector.js";
import { channelOrder, filterChannels, likeness } from "./channel-order.js";
import "./class-evidence.js";
import "./colour-bar.js";
import { LABELS, domain, mapsFor, palette } from "./colour-scale.js";
import { element } from "./dom.js";
import { canvasIsFaithful } from "./gallery-data.js";
import { jumpTarget } from "./jump.js";
import { reveal } from "./network-map.js";
import { placeBefore, rememberPlace } from "./place.js";
import { NORMS, normEnds } from "./norms.js";
import "./shortcut-sheet.js";
import { isFaithful, tile } from "./tile-sheet.js";
import "./tour-bar.js";
import { firstLayer, format, parse } from "./view-state.js";
import "./view-tools.js";

/** Each view that stands above the channels: its element, and its module, loaded when first shown. */
const VIEWS = {
  layer: ["layer-summary", () => import("./layer-summary.js")],
  origin: ["origin-view", () => import("./origin-view.js")],
  residual: ["residual-view", () => import("./residual-view.js")],
  photos: ["channel-photos", () => import("./channel-photos.js")],
  compare: ["compare-view", () => import("./compare-view.js")],
  layers: ["all-layers", () => import("./all-layers.js")],
};

/** Settings that are numbers or switches; the others are what their control says. */
const READ = {
  smooth: (control) => control.checked,
  opacity: (control) => Number(control.value),
  above: (control) => (control.value === "" ? -Infinity : Number(control.value)),
};

class FeatureExplorer extends HTMLElement {
  #data;
  #entry;
  #model;
  #layers;
  #state;
  #inspected = null; // channel number to what the inspector shows of it
  #shown = ""; // name of the layer whose maps are on the page
  #turn = 0;
  #looks = 0;

  /**
   * Show a photo, or the next.
   * @param {import("./gallery-data.js").GalleryData} data or what has its methods
   * @returns {Promise<void>} kept when the view that the link names is shown
   */
  async open(data) {
    this.#data = data;
    try {
      const [entry, model] = await Promise.all([this.#data.entry(), this.#data.model()]);
      this.#entry = entry;
      this.#model = model;
      this.#layers = new Map(model.layers.map((layer) => [layer.name, layer]));
    } catch (error) {
      this.#say(`The feature maps cannot be shown: ${error.message}`);
      this.dataset.failed = ""; // the plain list of layers takes over
      return;
    }
    if (!this.#state) this.#listen();
    this.#shown = "";
    const toPlace = placeBefore(this);
    const shown = this.#readLink();
    toPlace();
    const strip = document.querySelector(".filmstrip ul");
    reveal(strip.querySelector("[aria-current]").parentElement, strip);
    await shown;
    toPlace(); // now that the page is as long as it was
  }

  /** What is shown, as the settings of view-state.js; undefined until the data is there. */
  get state() {
    return this.#state;
  }

  /** The layers in forward order, by name. */
  get layers() {
    return this.#layers;
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
    this.addEventListener("choose-channel", ({ detail }) => this.set({ channel: detail }));
    this.addEventListener("cursor", ({ detail }) => this.#view?.cursor?.(detail));
    this.#evidence.addEventListener("choose-answer", ({ detail }) => this.set({ answer: detail }));
    this.#evidence.addEventListener("click", (event) => {
      const link = event.target.closest(".contributions a");
      if (!link || goesElsewhere(event)) return;
      event.preventDefault();
      this.goTo(this.#model.classifier, Number(link.dataset.channel));
      this.scrollIntoView();
    });
    document.addEventListener("click", ({ target }) => {
      if (target.closest("[data-keep-view], .peaks a, channel-photos a")) rememberPlace(this);
    });
    this.#tour.addEventListener("leave-tour", () => this.set({ tour: "", stop: 1 }));
    this.addEventListener("input", ({ target }) => {
      const { setting } = target.dataset;
      if (!setting) return;
      const name = setting === "colour" ? this.#colourSetting : setting;
      this.set({ [name]: (READ[name] ?? ((control) => control.value))(target) });
    });
    this.addEventListener("click", ({ target }) => {
      const view = target.closest("[data-view]")?.dataset.view;
      if (view) this.set({ view }, true);
    });
    const survey = this.#find(".survey");
    survey?.addEventListener("toggle", () => survey.open === this.#state.survey || this.set({ survey: survey.open }));
    const wanted = this.#find(".jump input");
    this.#find(".jump .go").addEventListener("click", () => this.#jump(wanted.value));
    wanted.addEventListener("keydown", ({ key }) => key === "Enter" && this.#jump(wanted.value));
    this.#find(".jump .random").addEventListener("click", () => this.goToRandom());
    this.#find(".layers").addEventListener("click", (event) => {
      const link = event.target.closest("[data-layer]");
      if (!link || goesElsewhere(event)) return;
      event.preventDefault();
      this.goTo(link.dataset.layer);
    });
  }

  #jump(text) {
    const photos = [...this.#photos()].map(([id, photo]) => ({ id, ...photo }));
    const answers = this.#entry.evidence.length ? this.#entry.answers.map(({ name }) => name) : [];
    const known = { layers: [...this.#layers.values()], photos, answers, layer: this.#state.layer };
    const { notice, photo, answer, layer, channel } = jumpTarget(text, known);
    if (answer !== undefined) this.#showEvidence(answer);
    else if (photo === this.#entry.id) this.#say(`This is ${this.#entry.title}.`);
    else if (photo) location.href = this.#photos().get(photo).href;
    else if (layer) this.goTo(layer, channel);
    else this.#say(notice);
  }

  #showEvidence(answer) {
    this.set({ answer }, true);
    this.#evidence.scrollIntoView();
  }

  /** Show a layer, and a channel of it: the chosen one where none is named and the layer has it. */
  goTo(layer, channel = this.#sameChannel(layer)) {
    this.set({ layer, channel }, true);
  }

  goToRandom() {
    const layers = [...this.#layers.values()];
    const layer = layers[Math.floor(Math.random() * layers.length)];
    this.goTo(layer.name, Math.floor(Math.random() * layer.channels));
  }

  #sameChannel(layer) {
    return Math.min(this.#state.channel, this.#layers.get(layer).channels - 1);
  }

  /** @returns {Promise<void>|undefined} kept when the view that the link names is shown */
  #readLink() {
    if (this.#state && location.hash !== "" && !location.hash.includes("=")) {
      // A link within the page, such as the one to its content, is no view: keep the one there is.
      history.replaceState(null, "", format(this.#state));
      return;
    }
    const layers = [...this.#layers.values()];
    const { state, notices } = parse(location.hash, layers, firstLayer(layers).name, [...this.#photos().keys()]);
    this.#state = state;
    this.#say(notices.join(" "));
    return this.#render();
  }

  /**
   * Change what is shown.
   * @param {object} changes settings of view-state.js
   * @param {boolean} remember whether “back” undoes it
   */
  set(changes, remember = false) {
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
      this.#inspect(channel ?? this.#state.channel);
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

  /** The element of the chosen view; none where the channels alone are shown. */
  get #view() {
    return VIEWS[this.#state.view] && this.#find(VIEWS[this.#state.view][0]);
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
    this.#showView();
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

  /** Show the chosen view, which finds for itself what it needs. */
  #showView() {
    for (const button of this.querySelectorAll(".views [data-view]")) {
      button.setAttribute("aria-pressed", String(button.dataset.view === this.#state.view));
      if (button.dataset.view === this.#state.view) reveal(button, button.parentElement);
    }
    this.dataset.shows = this.#state.view;
    const view = this.#view;
    for (const [tag] of Object.values(VIEWS)) this.#find(tag).hidden = tag !== view?.localName;
    if (view) fill(view, VIEWS[this.#state.view][1], this.#context());
  }

  /** What a view is told: the data, what is chosen, and how to link to something else. */
  #context() {
    const turn = this.#turn;
    return {
      data: this.#data,
      entry: this.#entry,
      model: this.#model,
      layers: this.#layers,
      layer: this.#layer,
      photos: this.#photos(),
      state: this.#state,
      twoSided: this.#twoSided,
      sheetOf: (layer) => this.#sheetOf(layer),
      isCurrent: () => turn === this.#turn,
      linkTo: (changes) => {
        const channel = Math.min(this.#state.channel, this.#layers.get(changes.layer ?? this.#state.layer).channels - 1);
        return format({ ...this.#state, channel, ...changes });
      },
      pageOf: (image) => `${image}.html${format(this.#state)}`,
    };
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
      data: this.#data,
      entry: this.#entry,
      model: this.#model,
      layer, sheet, figures, shared, grey, map, colours, norm, opacity, smooth, photos,
      channel: one,
      ends: ends(one),
      inputOf: (image) => this.#data.inputOf(image),
      isPublished: this.#data.isPublished,
    });
    this.#inspect(channel);
  }

  /** Show a channel in the inspector, and what a survey found of it where that is asked for. */
  #inspect(channel) {
    const turn = ++this.#looks;
    const view = { ...this.#inspected(channel), isCurrent: () => turn === this.#looks };
    this.#find("channel-inspector").show(view);
    const survey = this.#find(".survey"); // only some sites have one
    if (survey && (survey.open = this.#state.survey)) fill(survey.lastElementChild, () => import("./survey-panel.js"), view);
  }

  #showHeading(layer) {
    this.#find("#layer-title code").textContent = layer.name;
    this.#find("#layer-title span").textContent = layer.title;
    this.#find(".layer-facts").textContent = layer.facts;
    this.#find("network-map").choose(layer.name);
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
    this.#find('[data-setting="sort"] [value="class"]').disabled = this.#layer.name !== this.#model.classifier;
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
        return [link.dataset.image, { title: picture.alt, href: link.href, classes: link.dataset.classes.split("\n") }];
      }),
    );
  }
}

customElements.define("feature-explorer", FeatureExplorer);

/** Load what a part of the page is made by, and let it show something. */
async function fill(part, load, view) {
  try {
    await load();
    if (view.isCurrent()) await part.show(view);
  } catch (error) {
    if (view.isCurrent()) part.replaceChildren(element("p", `This cannot be shown: ${error.message}`, "quiet"));
  }
}

/** Whether a click on a link opens it in another tab or window. */
function goesElsewhere({ metaKey, ctrlKey, shiftKey }) {
  return metaKey || ctrlKey || shiftKey;
}
