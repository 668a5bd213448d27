// <tour-bar>: the guided tour that a link belongs to, with the way to its other stops.
//
// What is said at a stop is taken from the page of tours, which says it to everybody.

import { element } from "./dom.js";
import { counted } from "./numbers.js";
import { isView } from "./view-state.js";

class TourBar extends HTMLElement {
  #tours = null; // promise of the page of tours
  #turn = 0;
  #scrolled = ""; // the stop that was last brought into view

  connectedCallback() {
    this.querySelector("button").addEventListener("click", () => this.dispatchEvent(new CustomEvent("leave-tour")));
  }

  /**
   * @param {{tour: string, stop: number}} state the view, see view-state.js
   */
  async show(state) {
    const turn = ++this.#turn;
    document.documentElement.toggleAttribute("data-tour", state.tour !== "");
    this.hidden = state.tour === "";
    if (this.hidden) {
      this.#scrolled = "";
      return;
    }
    let tour = null;
    try {
      tour = await this.#find(state.tour);
    } catch {
      if (turn === this.#turn) this.#say("The tours cannot be reached.");
      return;
    }
    if (turn !== this.#turn) return; // the visitor has gone on
    if (!tour) this.#say(`This gallery has no tour “${state.tour}”.`);
    else this.#showStop(tour, state);
  }

  /** The section of a tour on the page of tours, or null where there is none. */
  async #find(tour) {
    if (!this.dataset.tours) return null;
    this.#tours ??= loaded(this.dataset.tours);
    this.#tours.catch(() => (this.#tours = null));
    const page = await this.#tours;
    return [...page.querySelectorAll(".tour")].find(({ id }) => id === tour) ?? null;
  }

  #say(text) {
    this.querySelector(".tour-place").textContent = "";
    this.querySelector(".tour-sentence").textContent = text;
    this.#lead({ all: this.dataset.tours });
  }

  #showStop(tour, state) {
    const stops = [...tour.querySelectorAll(".stop")];
    const number = Math.min(state.stop, stops.length);
    const hrefs = stops.map((stop) => new URL(stop.querySelector(".stop-link a").getAttribute("href"), this.#address).href);
    const here = hrefs[number - 1];
    const isHere = new URL(here).pathname === location.pathname && isView(state, new URL(here).hash);
    const title = tour.querySelector("h2").textContent;
    this.querySelector(".tour-place").replaceChildren(
      element("strong", title),
      ` · ${number < state.stop ? `it has ${counted(stops.length, "stop")}; this is the last` : `stop ${number} of ${stops.length}`}: ${stops[number - 1].querySelector("h3").textContent}`,
    );
    const words = document.importNode(stops[number - 1].querySelector(".sentence"), true);
    const sentence = this.querySelector(".tour-sentence");
    if (sentence.textContent !== words.textContent) sentence.replaceChildren(...words.childNodes);
    this.#lead({
      back: isHere ? null : here,
      previous: hrefs[number - 2],
      next: hrefs[number],
      all: number === stops.length ? `${this.dataset.tours}#${tour.id}` : null,
    });
    if (isHere && this.#scrolled !== here) {
      this.#scrolled = here;
      const about = state.answer >= 0 && state.sort !== "class" ? ".overview" : ".explorer";
      document.querySelector(about).scrollIntoView();
    }
  }

  get #address() {
    return new URL(this.dataset.tours, document.baseURI);
  }

  /** Let each link lead to where it should, and hide those that lead nowhere. */
  #lead(targets) {
    for (const link of this.querySelectorAll("[data-step]")) {
      const target = targets[link.dataset.step];
      link.hidden = !target;
      if (target) link.href = target;
    }
  }
}

customElements.define("tour-bar", TourBar);

async function loaded(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(response.statusText);
  return new DOMParser().parseFromString(await response.text(), "text/html");
}
