// <network-map>: says what the layer under the pointer or the focus is.

class NetworkMap extends HTMLElement {
  connectedCallback() {
    for (const type of ["pointerover", "focusin"]) this.addEventListener(type, ({ target }) => this.#tell(target.closest("[data-facts]")));
    for (const type of ["pointerleave", "focusout"]) this.addEventListener(type, () => this.#tell(null));
  }

  /** Mark a layer as the chosen one, in view and not folded away. */
  choose(name) {
    for (const link of this.querySelectorAll("[data-layer]")) {
      if (link.dataset.layer !== name) {
        link.removeAttribute("aria-current");
        continue;
      }
      link.setAttribute("aria-current", "true");
      link.closest("details").open = true;
      reveal(link, this.querySelector(".layers"));
    }
    this.#tell(null);
  }

  #tell(link) {
    const told = link ?? this.querySelector("[aria-current]");
    if (told) this.querySelector(".network-facts").textContent = told.dataset.facts;
  }
}

customElements.define("network-map", NetworkMap);

/** Scroll `box`, and nothing else, until `item` can be seen in it. */
export function reveal(item, box) {
  const [inner, outer] = [item.getBoundingClientRect(), box.getBoundingClientRect()];
  if (inner.top < outer.top || inner.bottom > outer.bottom) box.scrollTop += inner.top - outer.top - 40;
  if (inner.left < outer.left || inner.right > outer.right) box.scrollLeft += inner.left - outer.left - 40;
}
