// <shortcut-sheet>: single keys for what is done often, the list of them, and large type.

import { element } from "./dom.js";
import { SHORTCUTS, WITHIN, commandOf, neighbour } from "./shortcuts.js";
import { recall, remember } from "./storage.js";
import { CHOICES } from "./view-state.js";

const OFF = "shortcuts-off";
const PROJECTOR = "projector";

class ShortcutSheet extends HTMLElement {
  #dialog;

  connectedCallback() {
    if (this.#dialog) return;
    this.#dialog = this.#sheet();
    const open = button("Keys", () => this.#dialog.showModal());
    open.setAttribute("aria-haspopup", "dialog");
    const projector = button("Large type", () => this.#do.projector());
    projector.className = "projector-switch";
    this.append(open, " ", projector, this.#dialog);
    document.addEventListener("keydown", (event) => this.#onKey(event));
    this.#project(recall(sessionStorage, PROJECTOR) === "1");
  }

  #sheet() {
    const dialog = document.createElement("dialog");
    dialog.setAttribute("aria-label", "Keyboard shortcuts");
    const list = document.createElement("dl");
    for (const { keys, says } of [...SHORTCUTS, ...WITHIN]) {
      const term = document.createElement("dt");
      term.append(...keys.flatMap((key, i) => [i ? " " : "", element("kbd", key)]));
      list.append(term, element("dd", says));
    }
    const label = document.createElement("label");
    const box = document.createElement("input");
    box.type = "checkbox";
    box.checked = recall(localStorage, OFF) !== "1";
    box.addEventListener("change", () => remember(localStorage, OFF, box.checked ? "" : "1"));
    label.append(box, " single keys work");
    const text = element("p", "On a touch screen: pinch the large map to zoom, swipe the photo at the top to see the next.", "quiet");
    dialog.append(element("h2", "Keys"), list, text, label, button("Close", () => dialog.close()));
    return dialog;
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
  };

  #turn(setting, by) {
    this.#explorer.set({ [setting]: neighbour(CHOICES[setting], this.#explorer.state[setting], by, true) });
  }

  #project(large) {
    document.documentElement.toggleAttribute("data-projector", large);
    this.querySelector(".projector-switch").setAttribute("aria-pressed", String(large));
    remember(sessionStorage, PROJECTOR, large ? "1" : "");
  }
}

customElements.define("shortcut-sheet", ShortcutSheet);

function button(text, act) {
  const made = element("button", text);
  made.type = "button";
  made.addEventListener("click", act);
  return made;
}
