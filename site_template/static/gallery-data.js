// Reads the gallery's files. Everything is loaded when it is first asked for, and once.

/** A photo's files and the model's, by the contracts of the index. */
export class GalleryData {
  #folder;
  #shared;
  #kept;

  /**
   * @param {string} folder URL of the photo's data
   * @param {string} shared URL of the model's data
   * @param {Map<string, Promise>} [kept] what has been loaded
   */
  constructor(folder, shared, kept = new Map()) {
    this.#folder = folder;
    this.#shared = shared;
    this.#kept = kept;
  }

  /** Whether a link to a view shows this photo to everybody. */
  get isPublished() {
    return true;
  }

  /** How far the weights that made the maps may be off from kernels(), relative to each. */
  get rounding() {
    return 0;
  }

  /** The files of another photo of the same model. */
  of(image) {
    return new GalleryData(this.url(image), this.#shared, this.#kept);
  }

  /** @returns {Promise<object>} GalleryIndex */
  index() {
    return this.file("index.json");
  }

  /** @returns {Promise<object>} ImageEntry */
  entry() {
    return this.#once(`${this.#folder}/index.json`, json);
  }

  /** @returns {Promise<object>} ExplorerModel: layers, and what holds over all photos */
  model() {
    return this.file("_layers.json");
  }

  /** @returns {Promise<object>} LayerFigures, of the channels at least */
  figures(sheet) {
    return this.#once(`${this.#folder}/${sheet.figures}`, json);
  }

  /** @returns {Promise<object>} the same with what is said of the layer as a whole */
  wholeFigures(sheet) {
    return this.figures(sheet);
  }

  /** @returns {Promise<object>} SharedFigures */
  shared(layer) {
    return this.file(layer.figures);
  }

  /** @returns {Promise<object|null>} Contributions, or null where the model has none */
  contributions(entry) {
    return entry.contributions ? this.#once(`${this.#folder}/${entry.contributions}`, json) : null;
  }

  /** @returns {Promise<object>} Origin of a layer that has one */
  origin(layer) {
    return this.file(layer.origin);
  }

  /** @returns {Promise<ArrayBuffer>} one of the files of a convolution's kernels */
  kernels({ folder }, file) {
    return this.#once(this.url(`_model/${folder}/${file}.bin`), (response) => response.arrayBuffer());
  }

  /** @returns {Promise<object>} Peaks of the channels from `first` on, over all photos */
  ranking(layer, first) {
    return this.file(`_shared/${layer.slug}/${first}.json`);
  }

  /** @returns {Promise<Uint8ClampedArray>} red, green, blue, alpha of what the network saw */
  input(entry) {
    return this.#once(`${this.#folder}/${entry.input}`, colourPixels);
  }

  /** URL of a file among the model's data. */
  url(path) {
    return `${this.#shared}/${path}`;
  }

  /** @returns {Promise<object>} what that file says */
  file(path) {
    return this.#once(this.url(path), json);
  }

  /** URL of the pixels that the network saw of any photo. */
  inputOf(image) {
    return this.url(`${image}/_input.png`);
  }

  /** @returns {Promise<Uint8Array>} the grey pixels of a sheet, in rows */
  sheet(sheet) {
    return this.#once(`${this.#folder}/${sheet.path}`, greyPixels);
  }

  /** @returns {Promise<Uint8Array>} channel mean, then channel maximum, in rows */
  summary(sheet) {
    return this.#once(`${this.#folder}/${sheet.summary}`, greyPixels);
  }

  /** @returns {Promise<Uint8Array>} the first component in the photo's own basis, in rows */
  firstComponent(sheet) {
    return this.#once(`${this.#folder}/${sheet.pca}`, greyPixels); // it is the red of the picture
  }

  /** @returns {Promise<string>} URL of the principal components in the photo's own basis */
  async ownComponents(sheet) {
    return `${this.#folder}/${sheet.pca}`;
  }

  /** @returns {Promise<string>} URL of the same in the basis that all photos share */
  async sharedComponents(layer, entry) {
    return this.url(`_shared/${layer.slug}/${entry.id}.png`);
  }

  #once(url, read) {
    if (!this.#kept.has(url)) {
      const loading = load(url, read);
      loading.catch(() => this.#kept.delete(url));
      this.#kept.set(url, loading);
    }
    return this.#kept.get(url);
  }
}

/**
 * Whether this browser gives back the pixels that were put on a canvas. Some add noise, so that
 * pages cannot tell visitors apart by their graphics hardware.
 */
export function canvasIsFaithful() {
  faithful ??= readsBackWhatWasPut();
  return faithful;
}

let faithful;

function readsBackWhatWasPut() {
  const side = 128;
  const context = new OffscreenCanvas(side, side).getContext("2d", { willReadFrequently: true });
  const known = context.createImageData(side, side);
  for (let i = 0; i < known.data.length; i++) known.data[i] = i % 4 === 3 ? 255 : (i * 7) % 256;
  context.putImageData(known, 0, 0);
  const { data } = context.getImageData(0, 0, side, side);
  return known.data.every((value, i) => value === data[i]);
}

/** @throws {Error} what is wrong with which file, for the visitor */
async function load(url, read) {
  let fault = "cannot be reached";
  try {
    const response = await fetch(url);
    fault = response.ok ? "is damaged" : `is missing (${response.status})`;
    if (response.ok) return await read(response);
  } catch {
    // as just said
  }
  throw new Error(`${url} ${fault}. Reload the page; if that does not help, the site has to be published again.`);
}

function json(response) {
  return response.json();
}

async function colourPixels(response) {
  const options = { colorSpaceConversion: "none", premultiplyAlpha: "none" };
  const picture = await createImageBitmap(await response.blob(), options);
  const canvas = new OffscreenCanvas(picture.width, picture.height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(picture, 0, 0);
  const { data } = context.getImageData(0, 0, picture.width, picture.height);
  picture.close();
  return data;
}

async function greyPixels(response) {
  const data = await colourPixels(response);
  const grey = new Uint8Array(data.length / 4);
  for (let i = 0; i < grey.length; i++) grey[i] = data[4 * i]; // red: grey has three equal colours
  return grey;
}
