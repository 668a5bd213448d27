// <channel-grid>: every channel of a layer, numbered, painted when it comes into view.

import { pixelColours } from "./colour-scale.js";
import { element } from "./dom.js";
import { readable } from "./numbers.js";
import { paint } from "./paint.js";
import { tile } from "./tile-sheet.js";

class ChannelGrid extends HTMLElement {
  #tiles = new Map();
  #view = null;
  #seen = new IntersectionObserver((changes) => this.#onSeen(changes), { rootMargin: "300px" });

  connectedCallback() {
    // On paper there is no scrolling: every tile is seen.
    window.addEventListener("beforeprint", () => this.#tiles.forEach((button) => this.#paint(button)));
    this.setAttribute("role", "group");
    this.addEventListener("click", (event) => this.#onClick(event));
    this.addEventListener("keydown", (event) => this.#onKey(event));
    // A page that scrolls under a resting pointer asks for no preview.
    let resting = "";
    const where = ({ screenX, screenY }) => `${screenX} ${screenY}`;
    document.addEventListener("pointermove", (event) => (resting = where(event)), { capture: true, passive: true });
    this.addEventListener("pointerover", (event) => {
      const button = event.target.closest("button");
      if (button && event.pointerType === "mouse" && where(event) !== resting) this.#say("preview-channel", Number(button.dataset.channel));
    });
    this.addEventListener("pointerleave", () => this.#say("preview-channel", null));
  }

  disconnectedCallback() {
    this.#seen.disconnect();
  }

  /**
   * @param {object} view layer, sheet, figures, grey, order, colours, ends(channel), norm,
   *   chosen, look (what names the colours: tiles are painted anew when it changes)
   */
  show(view) {
    const before = this.#view;
    const same = before?.layer === view.layer && String(before.order) === String(view.order);
    this.#view = view;
    if (!same) this.#build();
    else if (before.grey !== view.grey || before.look !== view.look) for (const button of this.#tiles.values()) this.#refresh(button);
    this.choose(view.chosen);
  }

  /** Mark a channel as the chosen one. */
  choose(channel) {
    for (const [number, button] of this.#tiles) {
      const chosen = number === channel;
      button.setAttribute("aria-pressed", String(chosen));
      button.tabIndex = chosen ? 0 : -1;
    }
  }

  #build() {
    this.#seen.disconnect();
    this.#tiles.clear();
    const { layer, sheet, order } = this.#view;
    const rows = order.map((channel) => {
      const button = element("button", "");
      button.type = "button";
      button.dataset.channel = channel;
      this.#label(button);
      const canvas = document.createElement("canvas");
      canvas.width = sheet.tile_width;
      canvas.height = sheet.tile_height;
      button.append(canvas, element("span", channel));
      this.#tiles.set(channel, button);
      this.#seen.observe(button);
      return button;
    });
    this.replaceChildren(...(rows.length ? rows : [element("p", `No channel of ${layer.name} passes the filter.`)]));
  }

  #onSeen(changes) {
    for (const { target, isIntersecting } of changes) {
      target.inView = isIntersecting;
      if (isIntersecting) this.#paint(target);
    }
  }

  #label(button) {
    const { layer, figures } = this.#view;
    const { channel } = button.dataset;
    const dead = !layer.signed && figures.high[channel] <= 0;
    const range = `${readable(figures.low[channel])} to ${readable(figures.high[channel])}`;
    button.setAttribute("aria-label", `Channel ${channel}, ${dead ? "never above zero" : range}`);
    button.title = `channel ${channel}: ${dead ? "never above zero on this photo" : range}`;
    button.classList.toggle("silent", dead);
  }

  #refresh(button) {
    this.#label(button);
    button.painted = false;
    if (button.inView) this.#paint(button);
  }

  #paint(button) {
    if (button.painted) return;
    button.painted = true;
    const { sheet, figures, grey, colours, ends, norm } = this.#view;
    const channel = Number(button.dataset.channel);
    const range = { low: figures.low[channel], high: figures.high[channel] };
    const painted = pixelColours(range, ends(channel), colours, { norm });
    const pixels = tile(grey, sheet, channel);
    paint(button.firstChild, pixels, sheet.tile_width, sheet.tile_height, painted);
  }

  #onClick(event) {
    const button = event.target.closest("button");
    if (button) this.#announce(Number(button.dataset.channel));
  }

  #onKey(event) {
    const buttons = [...this.children];
    const at = buttons.indexOf(document.activeElement);
    if (at < 0) return;
    const top = buttons[at].offsetTop;
    const columns = buttons.filter((button) => button.offsetTop === buttons[0].offsetTop).length;
    const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns };
    const edges = { Home: 0, End: buttons.length - 1 };
    const to = event.key in edges ? edges[event.key] : at + (steps[event.key] ?? NaN);
    if (!(to in buttons)) return;
    event.preventDefault();
    this.#announce(Number(buttons[to].dataset.channel));
    buttons[to].focus({ preventScroll: buttons[to].offsetTop === top });
  }

  #announce(channel) {
    this.#say("choose-channel", channel);
  }

  #say(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true }));
  }
}

customElements.define("channel-grid", ChannelGrid);
