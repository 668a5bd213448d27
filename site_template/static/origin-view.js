// <origin-view>: the sum that a map is, input channel by input channel, and whether it closes.

import { afterSteps, boundAfter, decompose, kernelFile, readKernel, windowAt } from "./convolution.js";
import { element, figure, labelledCanvas } from "./dom.js";
import { readable, signed } from "./numbers.js";
import { paint, paintSigned } from "./paint.js";
import { tile, valueOf } from "./tile-sheet.js";

const SHOWN = 8;
const PRIMARIES = ["red", "green", "blue"];
/** Sums of float32 numbers round; this share of the largest value is no fault. */
const ROUNDING = 1e-5;

class OriginView extends HTMLElement {
  #view = null;
  #term = 0;

  /** @param {object} context what the explorer shows; see feature-explorer.js */
  async show(context) {
    const { data, entry, layer, layers, model, state, sheetOf, isCurrent } = context;
    this.#view = null;
    if (!layer.origin) {
      this.replaceChildren(explanation(context));
      return;
    }
    const origin = await data.origin(layer);
    const [buffer, source, stored] = await Promise.all([
      data.kernels(origin.kernels, kernelFile(origin.kernels, state.channel)),
      origin.source === "input" ? pictureSource(data, entry, model) : layerSource(data, sheetOf(layers.get(origin.source))),
      storedMap(data, sheetOf(layer), state.channel),
    ]);
    if (!isCurrent()) return;
    const { channel } = state;
    const { kernels, groups, steps, bias } = origin;
    const first = Math.floor(channel / (layer.channels / groups)) * kernels.inputs;
    const kernel = readKernel(buffer, kernels, channel);
    const valuesOf = (input) => source.valuesOf(first + input);
    const slackOf = (input) => source.slackOf(first + input);
    const whole = decompose({ valuesOf, slackOf, size: source.size, out: layer, kernel, kernels, steps: origin, bias: bias?.[channel] ?? 0, rounding: data.rounding }, SHOWN);
    const made = afterSteps(whole.sum, steps, channel);
    const bound = boundAfter(whole.bound, steps, channel).map((value) => value + stored.slack);
    this.#view = { ...context, origin, first, kernel, valuesOf, size: source.size, whole, made, bound, stored, bias: bias?.[channel] ?? null };
    this.#term = 0;
    this.#build();
    this.cursor(stored.peak);
  }

  /** Show the numbers at a position of the map. */
  cursor(position) {
    if (!this.#view) return;
    const { stored } = this.#view;
    const at = position[0] * stored.width + position[1];
    for (const number of this.querySelectorAll("[data-part]")) number.textContent = signed(this.#parts[number.dataset.part][at]);
    this.#say(position, at);
    this.#showArithmetic(position);
  }

  #parts = {};

  #build() {
    const { layer, origin, state, whole, made, stored, bias, kernel, linkTo } = this.#view;
    const { width, height } = stored;
    const { strongest, rest, others, sum } = whole;
    const biases = new Float32Array(sum.length).fill(bias ?? 0);
    this.#parts = { rest, bias: biases, sum, made, stored: stored.values };
    strongest.forEach(({ map }, i) => (this.#parts[i] = map));
    const reach = Math.max(...[...strongest.map(({ map }) => map), rest, sum].map(farthest)) || 1;
    const area = origin.kernels.rows * origin.kernels.columns;
    const heaviest = farthest(kernel.weights) || 1;

    const card = (part, map, label, ...under) => {
      const canvas = labelledCanvas(label);
      const limit = part === "made" || part === "stored" ? farthest(stored.values) || 1 : reach;
      paintSigned(canvas, map, width, height, limit, state.diverging);
      const number = element("strong", "", "number");
      number.dataset.part = part;
      return figure(canvas, number, ...under);
    };
    const terms = strongest.map(({ input, map }, i) => {
      const name = this.#nameOf(input);
      const small = labelledCanvas(`Its kernel, ${origin.kernels.rows}×${origin.kernels.columns} weights`);
      const own = kernel.weights.subarray(input * area, (input + 1) * area);
      paintSigned(small, own, origin.kernels.columns, origin.kernels.rows, heaviest, state.diverging);
      small.className = "kernel";
      const button = element("button", "arithmetic");
      button.type = "button";
      button.setAttribute("aria-label", `Arithmetic of ${name}`);
      button.addEventListener("click", () => {
        this.#term = i;
        this.#showArithmetic(this.#at);
      });
      let link = element("span", name);
      if (origin.source !== "input") {
        link = element("a", name);
        link.href = linkTo({ layer: origin.source, channel: this.#view.first + input });
      }
      return card(String(i), map, `What ${name} adds`, small, link, button);
    });
    if (others) terms.push(card("rest", rest, `What the other ${others} channels add`, element("span", `the other ${others} channels, added up`)));
    if (bias !== null) terms.push(card("bias", biases, "The bias", element("span", "bias, the same everywhere")));

    const results = [card("sum", sum, "The sum", element("span", "sum of all"), element("code", origin.convolution))];
    if (origin.steps.length) results.push(card("made", made, "After the steps since", element("span", `after ${origin.steps.map(({ op }) => op).join(" and ")}`), element("code", layer.name)));
    results.push(card("stored", stored.values, "As stored", element("span", "as this gallery stores it"), element("code", layer.name)));
    const list = (className, cards) => {
      const row = element("div", "");
      row.className = className;
      row.append(...cards);
      return row;
    };
    const scale = `The terms that are strongest over the whole map come first. Terms and sum on one scale, from ${readable(-reach)} to ${readable(reach)}; kernels from ${readable(-heaviest)} to ${readable(heaviest)}. The numbers are those under the cursor of the large map.`;
    const head = list("origin-head", [element("p", this.#sentence())]);
    if (origin.source === "input") head.prepend(this.#colourKernel(heaviest));
    const check = element("p", "", "origin-check");
    const arithmetic = list("arithmetic", []);
    this.replaceChildren(head, list("terms", terms), list("terms results", results), check, element("p", scale, "quiet"), arithmetic);
  }

  #nameOf(input) {
    const { origin, first } = this.#view;
    return origin.source === "input" ? PRIMARIES[input] : `channel ${first + input}`;
  }

  #sentence() {
    const { layer, origin, state, bias, first } = this.#view;
    const { rows, columns, inputs } = origin.kernels;
    const from = origin.source === "input" ? "the three colours of the normalised picture" : `${inputs > 1 ? `channels ${first}–${first + inputs - 1}` : `channel ${first} alone`} of ${origin.source}`;
    const steps = origin.steps.map(({ op, scale, shift }) =>
      scale
        ? `then ${op} multiplies by ${readable(scale[state.channel])} and adds ${readable(shift[state.channel])}`
        : `then the ReLU sets what is below zero to zero${op === "relu6" ? " and above six to six" : ""}`,
    );
    const end = bias === null ? ", without a bias" : "";
    const parts = [`Channel ${state.channel} of ${layer.name} adds up a ${rows}×${columns} kernel on ${inputs > 1 ? "each of " : ""}${from}${end}`, ...steps];
    return `${parts.join("; ")}. Kernels are drawn red where a weight is above zero, blue below.`;
  }

  /** The three planes of a kernel as one colour picture: grey is zero. */
  #colourKernel(heaviest) {
    const { kernel, origin, state } = this.#view;
    const { rows, columns } = origin.kernels;
    const area = rows * columns;
    const canvas = labelledCanvas(`Kernel ${state.channel} in colour`);
    const bytes = new Uint8Array(4 * area);
    for (let i = 0; i < area; i++) {
      for (let plane = 0; plane < 3; plane++) bytes[4 * i + plane] = Math.round(127.5 * (1 + kernel.weights[plane * area + i] / heaviest));
      bytes[4 * i + 3] = 255;
    }
    const colours = new Uint32Array(bytes.buffer);
    paint(canvas, Uint8Array.from({ length: area }, (_, i) => i), columns, rows, colours);
    return figure(canvas, element("span", `kernel ${state.channel} in colour, grey is zero`));
  }

  #say([row, column], at) {
    const { whole, made, stored, bound, bias, origin } = this.#view;
    const count = whole.strongest.length + (whole.others ? 1 : 0) + (bias === null ? 0 : 1);
    let [farthestOff, beyond] = [0, 0];
    const slack = ROUNDING * farthest(stored.values);
    made.forEach((value, i) => {
      const off = Math.abs(value - stored.values[i]);
      farthestOff = Math.max(farthestOff, off);
      if (off > bound[i] + slack) beyond += 1;
    });
    const after = origin.steps.length ? `, ${signed(made[at])} after ${origin.steps.map(({ op }) => op).join(" and ")}` : "";
    const verdict = beyond
      ? `The sum does not close at ${beyond} of ${made.length} positions: these files do not belong together.`
      : `The sum closes everywhere: nowhere on the map do the two differ by more than ${readable(farthestOff)}.`;
    this.querySelector(".origin-check").textContent =
      `At row ${row}, column ${column} the ${count} terms add up to ${signed(whole.sum[at])}${after}; stored is ${signed(stored.values[at])}. ` +
      `They may differ by ${readable(bound[at])} here, because inputs and maps are stored with 8 bits and weights with 16. ${verdict}`;
  }

  #at = [0, 0];

  /** The window under one kernel, number by number. */
  #showArithmetic(position) {
    this.#at = position;
    const { whole, origin, kernel, valuesOf, size } = this.#view;
    const term = whole.strongest[this.#term];
    const box = this.querySelector("div.arithmetic");
    this.querySelectorAll(".terms button").forEach((button, i) => button.setAttribute("aria-pressed", String(i === this.#term)));
    if (!term) return;
    const { rows, columns } = origin.kernels;
    const seen = windowAt(valuesOf(term.input), size, origin.kernels, origin, position);
    const weights = kernel.weights.subarray(term.input * rows * columns, (term.input + 1) * rows * columns);
    const products = seen.map((value, i) => (value ?? 0) * weights[i]);
    const sum = products.reduce((total, product) => total + product, 0);
    const table = (title, numbers, places) => {
      const made = document.createElement("table");
      made.append(element("caption", title));
      for (let row = 0; row < rows; row++) {
        const line = made.insertRow();
        for (let column = 0; column < columns; column++) {
          const value = numbers[row * columns + column];
          line.append(element("td", value === null ? "·" : short(value, places), value < 0 ? "minus" : ""));
        }
      }
      return made;
    };
    const scroller = element("div", "", "tables");
    scroller.tabIndex = 0;
    scroller.setAttribute("role", "group");
    scroller.setAttribute("aria-label", `Values, weights and products of ${this.#nameOf(term.input)}`);
    scroller.append(table("values under the kernel", seen, 2), element("span", "×"), table("weights", [...weights], 3), element("span", "="), table(`products, together ${signed(sum)}`, products, 3));
    const title = element("h4", `The arithmetic of ${this.#nameOf(term.input)} at row ${position[0]}, column ${position[1]}`);
    const note = seen.includes(null) ? [element("p", "A dot lies beyond the border, where zeros stand.", "quiet")] : [];
    box.replaceChildren(title, scroller, ...note);
  }
}

customElements.define("origin-view", OriginView);

/** What a layer that is no convolution is made from. */
function explanation({ layer, state: { channel }, linkTo }) {
  const text = element("p", "", "quiet");
  const link = (words, changes) => {
    const made = element("a", words);
    made.href = linkTo(changes);
    return made;
  };
  const [first, name] = layer.sources.findLast(([start]) => start <= channel) ?? [];
  if (name) text.append(`Channel ${channel} is `, link(`channel ${channel - first} of ${name}`, { layer: name, channel: channel - first }), ". ");
  text.append(...layer.computed.map((part, i) => (i % 2 ? link(part, { layer: part }) : part)));
  if (layer.residual.length) text.append(" ", link("Residual sum", { view: "residual" }));
  return text;
}

function farthest(values) {
  let most = 0;
  for (const value of values) most = Math.max(most, Math.abs(value));
  return most;
}

function short(value, places) {
  return Math.abs(value) < 0.5 / 10 ** places ? "0" : value.toFixed(places).replace("-", "−");
}

async function storedMap(data, sheet, channel) {
  const [figures, grey] = await Promise.all([data.figures(sheet), data.sheet(sheet)]);
  const [low, high] = [figures.low[channel], figures.high[channel]];
  return {
    width: sheet.tile_width,
    height: sheet.tile_height,
    values: Float32Array.from(tile(grey, sheet, channel), (pixel) => valueOf(pixel, low, high)),
    slack: (high - low) / 510,
    peak: [figures.row[channel], figures.column[channel]],
  };
}

/** The layer that a convolution reads, as numbers. */
async function layerSource(data, sheet) {
  const [figures, grey] = await Promise.all([data.figures(sheet), data.sheet(sheet)]);
  return {
    size: { width: sheet.tile_width, height: sheet.tile_height },
    valuesOf: (input) => Float32Array.from(tile(grey, sheet, input), (pixel) => valueOf(pixel, figures.low[input], figures.high[input])),
    slackOf: (input) => (figures.high[input] - figures.low[input]) / 510,
  };
}

/** The normalised picture, which is stored as it is. */
async function pictureSource(data, entry, { crop, mean, std }) {
  const pixels = await data.input(entry);
  return {
    size: { width: crop, height: crop },
    valuesOf: (plane) => Float32Array.from({ length: crop * crop }, (_, i) => (pixels[4 * i + plane] / 255 - mean[plane]) / std[plane]),
    slackOf: () => 0,
  };
}
