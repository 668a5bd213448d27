// A visitor's own photo, computed on this device, as GalleryData hands out one of the gallery.

import { bitmap } from "./bitmap.js";
import { ranked } from "./ranked.js";

/** Name of an own photo among those of the gallery, and of its page. */
export const OWN = "your-photo";

/** The worker, as questions and answers. */
export class Computer {
  #over = null; // why it was stopped
  #worker = new Worker(new URL("./live-worker.js", import.meta.url), { type: "module" });
  #waiting = new Map();
  #asked = 0;

  constructor() {
    this.#worker.addEventListener("message", ({ data: { id, value, fault, isFatal, progress } }) => {
      const { resolve, reject, tell } = this.#waiting.get(id);
      if (progress) return tell?.(progress);
      this.#waiting.delete(id);
      if (fault === undefined) return resolve(value);
      return reject(Object.assign(new Error(fault), { isFatal }));
    });
    this.#worker.addEventListener("error", (event) => {
      event.preventDefault();
      this.stop(Object.assign(new Error(`The network could not be run here (${event.message || "its program could not be loaded"}).`), { isFatal: true }));
    });
  }

  /**
   * @param {string} ask what to do; see live-worker.js
   * @param {object} [of] on what
   * @param {(progress: {come: number, total: number}) => void} [tell]
   */
  ask(ask, of = {}, tell = undefined) {
    if (this.#over) return Promise.reject(this.#over);
    const id = ++this.#asked;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject, tell });
      this.#worker.postMessage({ id, ask, of });
    });
  }

  /** End all work and free its memory; whoever waits for an answer gets `error`. */
  stop(error) {
    this.#over = error;
    this.#worker.terminate();
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}

/** What is said of a photo of the gallery; of an own one only that a link does not lead to it. */
const UNSAID = { schema_version: 1, id: OWN, author: "", licence: "own photo, not published", source: "", modified: "", note: "", chart: false, true_class: null, correct: null, box: null };

let photos = 0; // that were opened

/** Has the methods of GalleryData. */
export class LiveData {
  #computer;
  #gallery;
  #rounding;
  #file;
  #photo; // its number
  #opened; // promise of what the computer says of it at first
  #entry = null;
  #kept = new Map();
  #urls = []; // null when closed

  /**
   * @param {{computer: Computer, gallery: import("./gallery-data.js").GalleryData, rounding: number}}
   *   network with the gallery of the same model; for rounding see GalleryData
   * @param {Blob} file the photo
   * @param {string} title
   */
  constructor({ computer, gallery, rounding }, file, title) {
    this.#computer = computer;
    this.#gallery = gallery;
    this.#rounding = rounding;
    this.#photo = ++photos;
    this.#opened = this.#ask("open", { file, title });
    this.#file = file;
  }

  get isPublished() {
    return false;
  }

  get rounding() {
    return this.#rounding;
  }

  of(image) {
    return image === OWN ? this : this.#gallery.of(image);
  }

  async entry() {
    const { entry, pixels } = await this.#opened;
    const side = Math.sqrt(pixels.length / 3);
    this.#entry ??= { ...UNSAID, ...entry, photo: this.#keepUrl(this.#file), input: this.#urlOf(pixels, side, side) };
    return this.#entry;
  }

  /** @returns {Promise<number>} how many seconds the computer worked on it */
  async seconds() {
    return (await this.#opened).seconds;
  }

  /** As for the gallery, with one photo more. */
  async model() {
    const model = await this.#gallery.model();
    return { ...model, photos: model.photos + 1 };
  }

  /** With them comes the range of the layer, which completes its TileSheet. */
  async figures({ layer }) {
    const { figures, range } = await this.#ask("sheet", { layer });
    Object.assign((await this.entry()).sheets.find((sheet) => sheet.layer === layer), range);
    return figures;
  }

  async wholeFigures({ layer }) {
    const [figures, { mean_low, mean_high, max_low, max_high }, { low, high, explained }] = await Promise.all([this.figures({ layer }), this.#ask("summary", { layer }), this.#ask("components", { layer })]);
    return { ...figures, mean_low, mean_high, max_low, max_high, pca: { low, high, explained } };
  }

  shared(layer) {
    return this.#gallery.shared(layer);
  }

  contributions({ answers }) {
    return this.#entry.evidence.length ? this.#ask("contributions", { answers }) : null;
  }

  origin(layer) {
    return this.#gallery.origin(layer);
  }

  url(path) {
    return this.#gallery.url(path);
  }

  file(path) {
    return this.#gallery.file(path);
  }

  kernels(kernels, file) {
    return this.#gallery.kernels(kernels, file);
  }

  /** As for the gallery, with this photo where it belongs. */
  async ranking(layer, first) {
    const [peaks, figures] = await Promise.all([this.#gallery.ranking(layer, first), this.figures({ layer: layer.name })]);
    return ranked(peaks, OWN, figures, first, layer.signed);
  }

  async input() {
    const { pixels } = await this.#opened;
    const rgba = new Uint8ClampedArray((pixels.length / 3) * 4).fill(255);
    for (let from = 0, to = 0; from < pixels.length; from += 3, to += 4) rgba.set(pixels.subarray(from, from + 3), to);
    return rgba;
  }

  inputOf(image) {
    return image === OWN ? this.#entry.input : this.#gallery.inputOf(image);
  }

  async sheet({ layer }) {
    return (await this.#ask("sheet", { layer })).grey;
  }

  async summary({ layer }) {
    return (await this.#ask("summary", { layer })).pixels;
  }

  async firstComponent({ layer }) {
    const { pixels } = await this.#ask("components", { layer });
    return pixels.filter((_, i) => i % 3 === 0);
  }

  async ownComponents({ layer, tile_width: width, tile_height: height }) {
    const { pixels } = await this.#ask("components", { layer });
    return this.#once(`URL of own ${layer}`, async () => this.#urlOf(pixels, width, height));
  }

  async sharedComponents(layer) {
    const { basis } = await this.shared(layer);
    const pixels = await this.#ask("shared", { layer: layer.name, basis });
    return this.#once(`URL of shared ${layer.name}`, async () => this.#urlOf(pixels, layer.width, layer.height));
  }

  /** URL of the depth strip. */
  async strip() {
    const tiles = await this.#ask("strip");
    const side = Math.sqrt(tiles[0].length);
    const wide = new Uint8Array(3 * side * side * tiles.length);
    tiles.forEach((tile, position) =>
      tile.forEach((value, i) => {
        const at = Math.floor(i / side) * side * tiles.length + position * side + (i % side);
        wide.fill(value, 3 * at, 3 * at + 3);
      }),
    );
    return this.#urlOf(wide, side * tiles.length, side);
  }

  /** Give all memory of the photo back. */
  close() {
    this.#urls?.forEach((url) => URL.revokeObjectURL(url));
    this.#urls = null;
    this.#kept.clear();
    this.#computer.ask("close", { photo: this.#photo }).catch(() => {}); // a stopped computer has none
  }

  #ask(ask, of = {}) {
    return this.#once(`${ask} ${of.layer ?? ""}`, () => this.#computer.ask(ask, { ...of, photo: this.#photo }));
  }

  #once(name, make) {
    if (!this.#kept.has(name)) {
      const made = make();
      made.catch(() => this.#kept.delete(name));
      this.#kept.set(name, made);
    }
    return this.#kept.get(name);
  }

  /** URL of a picture with these red, green and blue values. */
  #urlOf(rgb, width, height) {
    return this.#keepUrl(bitmap(rgb, width, height));
  }

  #keepUrl(blob) {
    if (!this.#urls) return ""; // it came too late
    const url = URL.createObjectURL(blob);
    this.#urls.push(url);
    return url;
  }
}
