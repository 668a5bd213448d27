// <compare-view>: the chosen channel beside that of another photo or layer, on one scale.

import { ColourBar } from "./colour-bar.js";
import { palette, pixelColours } from "./colour-scale.js";
import { sharedScale, telling } from "./comparison.js";
import { element, place, svg } from "./dom.js";
import { receptiveBox } from "./geometry.js";
import { normEnds } from "./norms.js";
import { percent, readable, signed } from "./numbers.js";
import { paint } from "./paint.js";
import { tile, valueOf } from "./tile-sheet.js";

class CompareView extends HTMLElement {
  #view = null;

  /** @param {object} context what the explorer shows; see feature-explorer.js */
  async show(context) {
    const { data, entry, layer, layers, photos, state, sheetOf, isCurrent } = context;
    const other = layers.get(state.against) ?? layer;
    const otherData = state.with && state.with !== entry.id ? data.of(state.with) : data;
    const otherEntry = await otherData.entry();
    const sides = await Promise.all([
      side(data, entry, layer, state.channel, sheetOf(layer)),
      side(otherData, otherEntry, other, Math.min(state.channel, other.channels - 1), otherEntry.sheets.find((sheet) => sheet.layer === other.name)),
    ]);
    if (!isCurrent()) return;
    this.#view = { ...context, sides };
    this.#build(photos);
    this.cursor([sides[0].figures.row[state.channel], sides[0].figures.column[state.channel]]);
  }

  #build(photos) {
    const { entry, layers, model, state, linkTo, data } = this.#view;
    const { sides } = this.#view;
    const twoSided = sides.some(({ layer }) => layer.signed) && state.norm !== "log";
    const map = state[twoSided ? "diverging" : "sequential"];
    const ends = normEnds(state.norm, sharedScale(state.scale, sides));
    const choices = [
      choose("with", "Photo", [...photos].map(([id, { title }]) => [id, title]), sides[1].entry.id),
      choose("against", "Layer", [...layers.keys()].map((name) => [name, name]), sides[1].layer.name),
    ];
    const controls = element("div", "", "compare-controls");
    controls.append("Beside it: ", ...choices);
    const pair = element("div", "", "pair");
    pair.append(...sides.map((one) => this.#stage(one, map, ends, data.inputOf(one.entry.id))));
    const bar = new ColourBar();
    const same = sides[0].layer === sides[1].layer;
    const parts = [controls, pair, bar, this.#table()];
    if (same && sides[0].entry !== sides[1].entry) parts.push(tellingChannels(sides, linkTo));
    this.replaceChildren(...parts);
    bar.show(map, ends, state.norm);
    this.dataset.crop = model.crop;
    this.setAttribute("aria-label", `${entry.title} beside ${sides[1].entry.title}`);
  }

  #stage(one, map, ends, url) {
    const { model, state } = this.#view;
    const { sheet, figures, grey, channel, layer, entry } = one;
    const frame = document.createElement("figure");
    const stage = element("div", "", "stage");
    stage.tabIndex = 0;
    stage.setAttribute("role", "application");
    stage.setAttribute("aria-label", `Map of channel ${channel} of ${layer.name}, ${entry.title}; arrow keys move both cursors`);
    const picture = new Image();
    picture.src = url;
    picture.alt = "";
    const canvas = document.createElement("canvas");
    const range = { low: figures.low[channel], high: figures.high[channel] };
    paint(canvas, tile(grey, sheet, channel), sheet.tile_width, sheet.tile_height, pixelColours(range, ends, palette(map), { norm: state.norm }));
    canvas.style.opacity = state.opacity / 100;
    canvas.classList.toggle("smooth", state.smooth);
    const marks = svg("svg", { viewBox: `0 0 ${model.crop} ${model.crop}`, "aria-hidden": "true" });
    marks.append(svg("rect", { class: "field" }), svg("rect", { class: "cursor" }));
    stage.append(picture, canvas, marks);
    const follow = (event) => {
      const box = stage.getBoundingClientRect();
      this.#moveTo(one, ((event.clientY - box.top) / box.height) * sheet.tile_height, ((event.clientX - box.left) / box.width) * sheet.tile_width);
    };
    stage.addEventListener("pointermove", follow);
    stage.addEventListener("pointerdown", follow);
    stage.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
      if (!step) return;
      event.preventDefault();
      this.#moveTo(one, one.at[0] + step[0], one.at[1] + step[1]);
    });
    const caption = document.createElement("figcaption");
    caption.append(element("strong", entry.title), element("span", `channel ${channel} of ${layer.name}`), element("output", "", "readout"));
    frame.append(stage, caption);
    Object.assign(one, { stage, caption });
    return frame;
  }

  /** Put both cursors where that of the inspector is. */
  cursor([row, column]) {
    if (this.#view) this.#moveTo(this.#view.sides[0], row, column);
  }

  /** Move the cursor of one side, and that of the other to the same place of its picture. */
  #moveTo(from, row, column) {
    const within = (value, size) => Math.min(size - 1, Math.max(0, Math.floor(value)));
    const down = (within(row, from.sheet.tile_height) + 0.5) / from.sheet.tile_height;
    const across = (within(column, from.sheet.tile_width) + 0.5) / from.sheet.tile_width;
    for (const one of this.#view.sides) {
      one.at = [within(down * one.sheet.tile_height, one.sheet.tile_height), within(across * one.sheet.tile_width, one.sheet.tile_width)];
      this.#mark(one);
    }
  }

  #mark({ at: [row, column], sheet, figures, grey, channel, layer, stage, caption }) {
    const { crop } = this.#view.model;
    const cell = { width: crop / sheet.tile_width, height: crop / sheet.tile_height };
    place(stage.querySelector(".cursor"), column * cell.width, row * cell.height, cell.width, cell.height);
    const field = receptiveBox(layer.receptive_field, row, column, crop);
    place(stage.querySelector(".field"), field.left, field.top, field.right - field.left, field.bottom - field.top);
    const pixel = tile(grey, sheet, channel)[row * sheet.tile_width + column];
    const value = valueOf(pixel, figures.low[channel], figures.high[channel]);
    const text = layer.signed ? signed(value) : readable(value);
    caption.querySelector(".readout").textContent = `${text} at row ${row}, column ${column}`;
  }

  #table() {
    const { sides } = this.#view;
    const table = element("table", "", "compare-figures");
    table.append(element("caption", "The channel in figures"));
    const head = table.createTHead().insertRow();
    head.append(element("th", ""), ...sides.map(({ entry, layer }) => element("th", `${entry.title}, ${layer.name}`)));
    const body = table.createTBody();
    for (const [name, key, write] of [["low", "low", readable], ["high", "high", readable], ["mean", "mean", readable], ["standard deviation", "std", readable], ["zeros", "zeros", percent]]) {
      const row = body.insertRow();
      const header = element("th", name);
      header.scope = "row";
      row.append(header, ...sides.map(({ figures, channel }) => element("td", write(figures[key][channel]), "number")));
    }
    for (const cell of head.cells) cell.scope = "col";
    head.cells[0].replaceWith(element("td", ""));
    return table;
  }
}

customElements.define("compare-view", CompareView);

async function side(data, entry, layer, channel, sheet) {
  const [figures, grey] = await Promise.all([data.figures(sheet), data.sheet(sheet)]);
  return { entry, layer, channel, sheet, figures, grey };
}

function choose(setting, label, options, chosen) {
  const made = element("label", `${label} `);
  const select = document.createElement("select");
  select.dataset.setting = setting;
  select.append(...options.map(([value, text]) => new Option(text, value, false, value === chosen)));
  made.append(select);
  return made;
}

/** The channels whose means differ most between two photos. */
function tellingChannels(sides, linkTo) {
  const section = element("section", "", "telling");
  section.append(element("h4", `Channels of ${sides[0].layer.name} that tell the two apart, by their means`));
  const { first, second } = telling(sides[0].figures, sides[1].figures, 6);
  for (const [channels, one] of [[first, sides[0]], [second, sides[1]]]) {
    const line = element("p", `larger on ${one.entry.title}: `);
    channels.forEach(({ channel, difference }, i) => {
      const link = element("a", String(channel));
      link.href = linkTo({ channel });
      line.append(i ? ", " : "", link, " ", element("span", `(${signed(difference)})`, "number quiet"));
    });
    if (!channels.length) line.append("none");
    section.append(line);
  }
  return section;
}
