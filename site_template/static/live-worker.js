// Computes a visitor's own photo, apart from the page: loads the network, runs it, and answers
// questions about its activations, which stay here. One question after the other.

import { answers as answersOf, contributions, evidence } from "./classifier.js";
import { componentPicture, sharedPicture } from "./components.js";
import { LoadFault, download, keepOnly, name, reach } from "./download.js";
import { stripTile, summary } from "./layer-pictures.js";
import { PhotoFault, decodePhoto } from "./photo-decoder.js";
import { cropBox, cropPixels, normalise } from "./preprocess.js";
import { grid, quantise, range } from "./quantise.js";

const STRIP_TILE = 28;
const LINEAR = ["classifier.weight", "classifier.bias"];
const SIMD = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11]);

let model = null; // BrowserModel: what the site says of the network and its files
let session = null;
let Tensor = null;
let linear = null; // weights and bias of the linear layer at the end
const photos = new Map(); // by number, what the network made of a photo: name to Float32Array

const ANSWERS = {
  /** Load the network, telling how many bytes of how many have come. */
  async load({ address, root }, tell) {
    if (!WebAssembly.validate(SIMD)) throw new LoadFault("This browser is too old to run a network: it lacks WebAssembly SIMD. Browsers since 2021, and Safari since 2023, have it.");
    model = await settings(address);
    const at = (path) => new URL(path, root).href;
    const files = [model.runtime.wasm, model.onnx].map((file) => ({ ...file, url: at(file.path) }));
    const shelf = `feature maps of ${new URL(root).pathname}`;
    const come = [0, 0];
    const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
    const tellBoth = (i) => (bytes) => {
      come[i] = bytes;
      tell({ come: come[0] + come[1], total });
    };
    const [packed, network] = await Promise.all(files.map((file, i) => download(file, shelf, tellBoth(i))));
    await keepOnly(files, shelf);
    tell({ come: total, total });
    const ort = await program(model.runtime, at);
    ort.env.wasm.numThreads = 1; // more need headers that static hosts do not send
    ort.env.wasm.wasmBinary = await inflate(packed);
    session = await ort.InferenceSession.create(network);
    Tensor = ort.Tensor;
    return { rounding: model.rounding };
  },

  /** Run the network on a photo. @returns ImageEntry without its pictures, and what it saw */
  async open({ photo, file, title }) {
    const began = performance.now();
    const picture = await decodePhoto(file);
    const { width, height } = picture;
    let pixels;
    try {
      pixels = cropPixels(picture.readRows, picture, model.input);
    } finally {
      picture.close();
    }
    const { crop, name: place } = model.input;
    const input = new Tensor("float32", normalise(pixels, model.input), [1, 3, crop, crop]);
    const wanted = [...model.layers.map((layer) => layer.name), model.logits];
    if (model.classifier && !linear) wanted.push(...LINEAR); // the same for every photo
    const outputs = await session.run({ [place]: input }, wanted);
    linear ??= LINEAR.map((array) => outputs[array]?.data);
    photos.set(photo, new Map(wanted.map((layer) => [layer, outputs[layer].data])));
    const entry = { width, height, title, crop: cropBox(width, height, model.input), ...judgement(photo), sheets: model.layers.map(sheetOf) };
    return { entry, pixels, seconds: (performance.now() - began) / 1000 };
  },

  /** Give the memory of a photo back. */
  close: ({ photo }) => void photos.delete(photo),

  sheet({ photo, layer }) {
    const { values, channels, height, width } = maps(photo, layer);
    const { grey, columns, rows, ...figures } = quantise(values, channels, height, width);
    return { grey, figures: { layer, ...figures }, range: range(values) };
  },

  summary({ photo, layer }) {
    const { values, channels, height, width } = maps(photo, layer);
    return summary(values, channels, height, width);
  },

  components({ photo, layer }) {
    const { values, channels, height, width } = maps(photo, layer);
    return componentPicture(values, channels, height, width);
  },

  /** From the 8-bit activations, as for the gallery. */
  shared({ photo, layer, basis }) {
    const { grey, figures } = ANSWERS.sheet({ photo, layer });
    return sharedPicture(grey, sheetOf(maps(photo, layer)), figures, basis);
  },

  contributions({ photo, answers }) {
    const { values, channels } = maps(photo, model.classifier);
    return { layer: model.classifier, values: contributions(values, channels, linear[0], answers) };
  },

  strip: ({ photo }) =>
    model.layers.map(({ name }) => {
      const { values, channels, height, width } = maps(photo, name);
      return stripTile(values, channels, height, width, STRIP_TILE);
    }),
};

/** A layer of the network, with its values for a photo. */
function maps(photo, name) {
  return { ...model.layers.find((layer) => layer.name === name), values: photos.get(photo).get(name) };
}

/** The network's answers, and the evidence for each where it ends in averages and one linear layer. */
function judgement(photo) {
  const answers = answersOf(photos.get(photo).get(model.logits), model.categories);
  if (!model.classifier) return { answers, evidence: [] };
  const { values, channels, height, width } = maps(photo, model.classifier);
  return { answers, evidence: evidence(values, channels, height, width, ...linear, answers) };
}

/** TileSheet of a layer, whose range comes with its pixels. */
function sheetOf({ name, channels, height, width }) {
  return { layer: name, ...grid(channels), tile_width: width, tile_height: height };
}

async function settings(address) {
  const response = await reach(address, { cache: "no-cache" });
  try {
    return await response.json();
  } catch {
    throw new LoadFault("The description of the network came damaged. Check the connection and try again.");
  }
}

/** The program that runs networks. It imports `glue` itself, but could not say so plainly what ails it. */
async function program({ glue, entry }, at) {
  let made;
  for (const { path } of [glue, entry]) {
    try {
      made = await import(at(path));
    } catch {
      throw new LoadFault(`${name(at(path))} cannot be run: it did not come, or this site’s server does not send it as JavaScript. Check the connection and try again.`);
    }
  }
  return made;
}

async function inflate(packed) {
  const [first, second] = new Uint8Array(packed, 0, 2);
  if (first !== 0x1f || second !== 0x8b) return packed; // the server did it
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).arrayBuffer();
}

/** What a visitor is told of a fault. */
function sentence(error) {
  if (error instanceof LoadFault || error instanceof PhotoFault) return error.message;
  if (error instanceof RangeError || /memory|alloc|OOM/i.test(error.message)) return "This device has not enough free memory for the network. Close other tabs or programs and try again, or take a smaller photo.";
  return `The network could not be run here (${error.message}).`;
}

let last = Promise.resolve();

self.addEventListener("message", ({ data: { id, ask, of } }) => {
  last = last.then(async () => {
    const tell = (progress) => self.postMessage({ id, progress });
    try {
      self.postMessage({ id, value: await ANSWERS[ask](of, tell) });
    } catch (error) {
      // After a fault of its own the program's memory cannot be trusted any more.
      self.postMessage({ id, fault: sentence(error), isFatal: !(error instanceof PhotoFault) });
    }
  });
});
