// <shortcut-sheet>: single keys for what is done often, the list of them, and large type.

import { commandOf, neighbour } from "./shortcuts.js";
import { recall, remember } from "./storage.js";
import { CHOICES } from "./view-state.js";

const OFF = "shortcuts-off";
const PROJECTOR = "projector";

class ShortcutSheet extends HTMLElement {
  #dialog;

  connectedCallback() {
    this.#dialog = this.querySelector("dialog");
    this.addEventListener("click", ({ target }) => this.#do[target.dataset.do]?.());
    const box = this.querySelector("input");
    box.checked = recall(localStorage, OFF) !== "1";
    box.addEventListener("change", () => remember(localStorage, OFF, box.checked ? "" : "1"));
    document.addEventListener("keydown", (event) => this.#onKey(event));
    this.#project(recall(sessionStorage, PROJECTOR) === "1");
  }

  #onKey(event) {
    const typing = event.target.closest("input[type=text], input[type=number], select, textarea, dialog[open]");
    const command = commandOf(event, typing !== null);
    if (!command || (recall(localStorage, OFF) === "1" && command[0] !== "help")) return;
    if (!this.#explorer.state) return;
    event.preventDefault();
    this.#do[command[0]](command[1]);
  }

  get #explorer() {
    return this.closest("feature-explorer");
  }

  #do = {
    layer: (by) => this.#explorer.goTo(neighbour([...this.#explorer.layers.keys()], this.#explorer.state.layer, by)),
    channel: (by) => {
      const shown = [...document.querySelectorAll("channel-grid button")].map((one) => Number(one.dataset.channel));
      if (shown.length) this.#explorer.set({ channel: neighbour(shown, this.#explorer.state.channel, by) });
    },
    photo: (by) => document.querySelector(`.filmstrip [rel=${by < 0 ? "prev" : "next"}]`)?.click(),
    view: (by) => this.#turn("view", by),
    scale: (by) => this.#turn("scale", by),
    overlay: () => this.#explorer.set({ opacity: this.#explorer.state.opacity < 100 ? 100 : 50 }),
    evidence: () => document.querySelector("[data-answer] button")?.click(),
    random: () => this.#explorer.goToRandom(),
    jump: () => document.querySelector(".jump input").focus(),
    projector: () => this.#project(!("projector" in document.documentElement.dataset)),
    help: () => this.#dialog.showModal(),
    close: () => this.#dialog.close(),
  };

  #turn(setting, by) {
    this.#explorer.set({ [setting]: neighbour(CHOICES[setting], this.#explorer.state[setting], by, true) });
  }

  #project(large) {
    document.documentElement.toggleAttribute("data-projector", large);
    this.querySelector("[data-do=projector]").setAttribute("aria-pressed", String(large));
    remember(sessionStorage, PROJECTOR, large ? "1" : "");
  }
}

customElements.define("shortcut-sheet", ShortcutSheet);
