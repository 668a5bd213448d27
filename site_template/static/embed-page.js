// The page that other sites show in a frame: one map, or the channels of a layer.

import "./channel-grid.js";
import { ColourBar } from "./colour-bar.js";
import { domain, palette, pixelColours } from "./colour-scale.js";
import { channelOrder, filterChannels } from "./channel-order.js";
import { element, labelledCanvas } from "./dom.js";
import { GalleryData } from "./gallery-data.js";
import { normEnds } from "./norms.js";
import { readable } from "./numbers.js";
import { paint } from "./paint.js";
import { tile } from "./tile-sheet.js";
import { format, parse } from "./view-state.js";

const main = document.querySelector("main");
window.addEventListener("hashchange", show);
show();

async function show() {
  try {
    main.replaceChildren(...(await parts(new URLSearchParams(location.hash.slice(1)))));
  } catch (error) {
    main.replaceChildren(element("p", `This cannot be shown: ${error.message}`));
  }
}

async function parts(link) {
  const shared = new GalleryData("", main.dataset.shared);
  const { images } = await shared.index();
  const wanted = link.get("photo");
  const { id } = images.find((image) => image.id === wanted) ?? images[0];
  const data = shared.of(id);
  const [entry, model] = await Promise.all([data.entry(), data.model()]);
  const { state, notices } = parse(location.hash, model.layers, model.layers[0].name);
  if (wanted && id !== wanted) notices.push(`There is no photo “${wanted}”; here is ${entry.title}.`);
  const layer = model.layers.find(({ name }) => name === state.layer);
  const sheet = entry.sheets.find((one) => one.layer === layer.name);
  const [figures, grey] = await Promise.all([data.figures(sheet), data.sheet(sheet)]);
  const map = state[layer.signed && state.norm !== "log" ? "diverging" : "sequential"];
  const look = { layer, sheet, figures, grey, state, map, colours: palette(map), title: entry.title };
  look.ends = (channel) => {
    const own = { low: figures.low[channel], high: figures.high[channel] };
    return normEnds(state.norm, domain(state.scale, layer.signed, { layer: sheet.scale, photos: layer.scale, ...own }));
  };
  const whole = link.get("embed") === "layer";
  const bar = new ColourBar();
  bar.show(map, look.ends(state.channel), state.norm);
  const page = `${id}.html${format(state)}`;
  const shown = whole ? grid(look, id) : picture(look, data.inputOf(id));
  const what = whole ? `All channels of ${layer.name}` : `Channel ${state.channel} of ${layer.name} (${layer.signed ? "signed" : "zero or more"})`;
  const open = element("a", "open in the gallery");
  open.href = page;
  open.target = "_top";
  const caption = element("h1", `${what}, ${entry.title}`);
  const way = element("p", "");
  way.append(open);
  document.title = caption.textContent;
  const scale = whole && state.scale === "channel" ? [element("p", "Each channel on its own scale.")] : [bar];
  return [...notices.map((notice) => element("p", notice)), shown, ...scale, caption, way];
}

function picture({ layer, sheet, figures, grey, state, colours, ends, title }, url) {
  const { channel, norm, opacity, smooth } = state;
  const range = { low: figures.low[channel], high: figures.high[channel] };
  const stage = element("div", "", "stage");
  const photo = new Image();
  photo.src = url;
  photo.alt = "";
  const canvas = labelledCanvas(`Map of channel ${channel} of ${layer.name} for ${title}, from ${readable(range.low)} to ${readable(range.high)}`);
  canvas.style.opacity = opacity / 100;
  canvas.classList.toggle("smooth", smooth);
  paint(canvas, tile(grey, sheet, channel), sheet.tile_width, sheet.tile_height, pixelColours(range, ends(channel), colours, { mark: norm !== "log", norm }));
  stage.append(photo, canvas);
  return stage;
}

function grid(look, id) {
  const { state, figures } = look;
  const channels = document.createElement("channel-grid");
  channels.setAttribute("aria-label", "Channels");
  const order = filterChannels(channelOrder(state.sort, figures), state, figures);
  channels.show({ ...look, order, norm: state.norm, chosen: state.channel, look: location.hash });
  channels.addEventListener("choose-channel", ({ detail }) => window.open(`${id}.html${format({ ...state, channel: detail })}`, "_top"));
  return channels;
}
