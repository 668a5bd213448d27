// <survey-panel>: what drives a channel most in the whole data set that was surveyed.

import { element, patch } from "./dom.js";
import { readable } from "./numbers.js";
import { FEW, cell, credits, facts } from "./survey-channel.js";

class SurveyPanel extends HTMLElement {
  #layer;

  /** @param {object} view what the inspector shows; see feature-explorer.js */
  async show({ data, model: { survey }, layer, channel, isCurrent }) {
    if (this.#layer !== layer) this.replaceChildren(); // what was found of another
    this.#layer = layer;
    const own = survey.layers[layer.name];
    const [found, classes] = await Promise.all([data.file(own.figures), survey.classes ? data.file(survey.classes) : []]);
    if (!isCurrent()) return;
    const list = element("dl", "");
    list.append(...facts(found, channel, survey, classes).flatMap(([name, value]) => [element("dt", name), element("dd", value)]));
    const link = element("a", `Channel ${channel} among all of ${layer.name}`);
    link.href = data.url(`../../${own.page}#c${channel}`);
    this.replaceChildren(...strongest(found, channel, survey, own.patches, classes, data), list, link);
  }
}

customElements.define("survey-panel", SurveyPanel);

/** The photos that drive a channel most, strongest first, and whose they are. */
function strongest(found, channel, survey, patches, classes, data) {
  const top = found.strongest[channel];
  if (!top) return [element("p", "Dead: never above zero on any of these photos.")];
  if (survey.private) return [element("p", "Figures only: the photos are kept back.", "quiet")];
  const photos = top.photo.slice(0, patches?.each).map((position) => found.photos[position]);
  const list = element("ol", "");
  list.setAttribute("aria-label", `What drives channel ${channel} most, strongest first`);
  const url = patches && data.url(`survey/${patches.sheet.path}`);
  photos.forEach(({ name, label }, rank) => {
    const kind = classes[label];
    const item = element("li", "");
    item.title = kind ? `${name}: ${kind}` : name;
    if (patches) item.append(patch(url, cell(patches, channel, rank), patches.sheet, `Part of ${item.title}`));
    item.append(element("span", readable(top.value[rank]), "number"), element("small", kind ?? name.split("/").at(-1)));
    list.append(item);
  });
  if (patches) {
    list.classList.toggle("squares", patches.sheet.side <= FEW);
    list.querySelector("image")?.addEventListener("error", () => list.after(element("p", `${url} cannot be shown. Reload the page.`)));
  }
  const whose = credits(photos, survey.credit);
  return whose ? [list, element("p", `Photos: ${whose}`, "quiet")] : [list];
}
