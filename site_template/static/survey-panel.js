// <survey-panel>: what drives a channel most in the whole data set that was surveyed.

import { element, patch } from "./dom.js";
import { readable } from "./numbers.js";
import { cell, credits, facts } from "./survey-channel.js";

/** Patches with no more pixels than this are shown at least twice as large: as squares. */
const FEW = 32;
/** Photos that are named where there are no patches. */
const NAMED = 5;

class SurveyPanel extends HTMLElement {
  #layer = null;

  /** @param {object} view what the inspector shows; see feature-explorer.js */
  async show({ data, model: { survey }, layer, channel, isCurrent }) {
    if (this.#layer !== layer) this.replaceChildren(); // figures of one layer must not stand under another
    this.#layer = layer;
    const own = survey.layers[layer.name];
    if (!own) throw new Error(`${layer.name} is not in the survey.`);
    const [found, classes] = await Promise.all([data.file(own.figures), survey.classes ? data.file(survey.classes) : []]);
    if (!isCurrent()) return;
    const list = element("dl", "");
    list.append(...facts(found, channel, survey, classes).flatMap(([name, value]) => [element("dt", name), element("dd", value)]));
    const link = element("a", `Channel ${channel} among all of ${layer.name}`);
    link.href = data.url(`../../${own.page}#channel-${channel}`);
    this.replaceChildren(...strongest(found, channel, survey, own, classes, data), list, link);
  }
}

customElements.define("survey-panel", SurveyPanel);

/** The photos that drive a channel most, strongest first, and whose they are. */
function strongest(found, channel, { credit, private: isPrivate }, { patches }, classes, data) {
  const top = found.strongest[channel];
  if (!top) return [element("p", "Dead: never above zero on any of these photos.")];
  if (isPrivate) return [element("p", "Figures only: the photos are kept back.", "quiet")];
  const photos = top.photo.slice(0, patches?.each ?? NAMED).map((position) => found.photos[position]);
  const url = patches && data.url(`survey/${patches.sheet.path}`);
  const list = element("ol", "");
  list.setAttribute("aria-label", `What drives channel ${channel} most, strongest first`);
  list.classList.toggle("squares", patches?.sheet.side <= FEW);
  list.append(
    ...photos.map(({ name, label }, rank) => {
      const item = element("li", "");
      const kind = classes[label] ?? "";
      item.title = kind ? `${name}: ${kind}` : name;
      if (patches) item.append(patch(url, cell(patches, channel, rank), patches.sheet, `Part of ${item.title}, around row ${top.row[rank]}, column ${top.column[rank]} of the map`));
      item.append(element("span", readable(top.value[rank]), "number"), element("small", kind || name.split("/").at(-1)));
      return item;
    }),
  );
  const said = element("p", `Photos: ${credits(photos, credit)}`, "quiet");
  list.querySelector("image")?.addEventListener("error", () => list.after(element("p", `${url} cannot be shown. Reload the page; if that does not help, the site has to be published again.`)));
  return [list, said];
}
