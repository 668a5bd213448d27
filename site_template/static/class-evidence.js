// <class-evidence>: where on the photo the evidence for an answer lies.

import { palette, pixelColours, stops } from "./colour-scale.js";
import { element } from "./dom.js";
import { shareInside } from "./evidence-share.js";
import { percent, signed } from "./numbers.js";
import { paint } from "./paint.js";

const MAP = "RdBu_r";

class ClassEvidence extends HTMLElement {
  #entry = null;
  #canvas = document.createElement("canvas");
  #chosen = -1;

  /**
   * Offer the evidence for each answer.
   * @param {object} entry ImageEntry
   * @param {number} chosen position of the answer whose evidence is shown, or −1
   * @param {object|null} contributions Contributions, once they are loaded
   */
  show(entry, chosen, contributions) {
    if (!entry.evidence.length) return;
    if (this.#entry !== entry) {
      this.#entry = entry;
      this.#build();
    }
    this.#choose(chosen, contributions);
  }

  #build() {
    const frame = this.querySelector(".photo-frame");
    const { crop, width, height } = this.#entry;
    this.#canvas.className = "evidence-map smooth";
    this.#canvas.style.left = `${(100 * crop[0]) / width}%`;
    this.#canvas.style.top = `${(100 * crop[1]) / height}%`;
    this.#canvas.style.width = `${(100 * (crop[2] - crop[0])) / width}%`;
    this.#canvas.style.height = `${(100 * (crop[3] - crop[1])) / height}%`;
    frame.append(this.#canvas);
    this.querySelectorAll("[data-answer]").forEach((item, position) => {
      const button = element("button", "evidence");
      button.type = "button";
      button.setAttribute("aria-label", `Evidence for ${this.#entry.answers[position].name}`);
      button.addEventListener("click", () => {
        const detail = this.#chosen === position ? -1 : position;
        this.dispatchEvent(new CustomEvent("choose-answer", { detail, bubbles: true }));
      });
      item.append(button);
    });
  }

  #choose(chosen, contributions) {
    this.#chosen = chosen;
    this.querySelectorAll("[data-answer] button").forEach((button, position) => {
      button.setAttribute("aria-pressed", String(position === chosen));
    });
    const tools = this.querySelector(".evidence-tools");
    this.#canvas.hidden = tools.hidden = chosen < 0;
    if (chosen < 0) return;
    const { answers, evidence } = this.#entry;
    const { values, width, height, bias } = evidence[chosen];
    // One scale for all answers, so that their maps compare.
    const reach = Math.max(...evidence.flatMap((map) => map.values.map(Math.abs)));
    const levels = Uint8Array.from(values, (value) => Math.round(((value + reach) / (2 * reach)) * 255));
    const ends = { low: -reach, high: reach };
    paint(this.#canvas, levels, width, height, pixelColours(ends, ends, palette(MAP)));
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    tools.innerHTML = '<p></p><span class="legend"><span class="number"></span><i></i><span class="number"></span></span>';
    tools.querySelector("p").textContent =
      `Evidence for ${answers[chosen].name}: red adds to its score, blue takes away (${height}×${width} values, drawn smooth). The mean of the map, ` +
      `${signed(mean)}, plus the constant ${signed(bias)} is the logit ${signed(answers[chosen].logit)}.`;
    if (this.#entry.box) {
      const share = shareInside(evidence[chosen], this.#entry.crop, this.#entry.box);
      const text = `${percent(share.evidence)} of what adds to it lies in the subject’s box, which covers ${percent(share.area)} of what the network sees.`;
      tools.append(element("p", text));
    }
    if (contributions) tools.append(channelBars(contributions, chosen));
    const [low, high] = tools.querySelectorAll(".legend .number");
    low.textContent = signed(-reach);
    high.textContent = signed(reach);
    tools.querySelector("i").style.background = `linear-gradient(to right, ${stops(MAP).join(",")})`;
  }
}

customElements.define("class-evidence", ClassEvidence);

const SHOWN = 5;

/** The channels that add most to an answer's logit, and those that take most from it, with bars. */
function channelBars({ layer, values }, answer) {
  const own = values[answer];
  const order = own.map((_, channel) => channel).sort((a, b) => own[b] - own[a]);
  const reach = Math.max(Math.abs(own[order[0]]), Math.abs(own[order.at(-1)]));
  const list = element("ol", "", "contributions");
  for (const channel of [...order.slice(0, SHOWN), ...order.slice(-SHOWN)]) {
    const item = element("li", "");
    const link = element("a", `channel ${channel}`);
    link.href = `#layer=${encodeURIComponent(layer)}&channel=${channel}&answer=${answer}`;
    link.dataset.channel = channel;
    const bar = element("i", "", own[channel] < 0 ? "minus" : "plus");
    bar.style.width = `${(50 * Math.abs(own[channel])) / reach}%`;
    item.append(link, bar, element("span", signed(own[channel]), "number"));
    list.append(item);
  }
  const section = element("section", "");
  section.append(element("h3", `Channels of ${layer} that add most, and take most`, "label"), list);
  return section;
}
