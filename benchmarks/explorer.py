"""How long a visitor waits in the explorer: for another layer, and for the value under the pointer."""

import random
from collections.abc import Iterator
from statistics import median, quantiles

from playwright.sync_api import Browser, Page

PHOTOS = 3
ROUNDS = 2
"""Times that every layer is opened again once it has been loaded."""
POINTS = 200
FRAME = 1000 / 60

OPEN_LAYER = """async (name) => {
  const explorer = document.querySelector("feature-explorer");
  const painted = () => {
    if (explorer.querySelector("#layer-title code").textContent !== name) return false;
    if ("stale" in explorer.dataset) return false;
    for (const button of explorer.querySelector("channel-grid").children) {
      if (button.getBoundingClientRect().top > innerHeight) break;
      if (!button.painted) return false;
    }
    return true;
  };
  const frame = () => new Promise(requestAnimationFrame);
  await frame();
  const began = performance.now();
  explorer.querySelector(`[data-layer="${name}"]`).click();
  do await frame(); while (!painted());
  await new Promise((done) => {  // a message comes after the frame that is being made is painted
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = done;
    port2.postMessage(null);
  });
  return performance.now() - began;
}"""

WATCH = """([container, shown]) => {
  const text = document.querySelector(shown);
  let moved = 0;
  window.times = [];
  for (const type of ["pointerover", "pointermove"]) {
    document.querySelector(container).addEventListener(
      type, ({ timeStamp }) => { moved = timeStamp; }, { capture: true });
  }
  new MutationObserver(() => { if (moved) window.times.push(performance.now() - moved); moved = 0; })
    .observe(text, { childList: true, characterData: true, subtree: true });
}"""


def explorer_report(browser: Browser, pages: list[str]) -> Iterator[str]:
    """Yield the times of changing layers and of reading values, on pages of photos."""
    cold: list[float] = []
    warm: list[float] = []
    for address in pages[:PHOTOS]:
        page = opened(browser, address)
        names = [
            str(link.get_attribute("data-layer")) for link in page.locator("[data-layer]").all()
        ]
        random.Random(0).shuffle(names)
        cold += [page.evaluate(OPEN_LAYER, name) for name in names]
        warm += [page.evaluate(OPEN_LAYER, name) for _ in range(ROUNDS) for name in names]
        page.context.close()
    for what, times in (("first time", cold), ("again", warm)):
        yield f"change of layer, {what}: {tail(times)} until painted (goal: 95 % in 100 ms)"
    for what, container, shown in (
        ("value under the pointer", ".stage", ".readout"),
        ("channel under the pointer", "channel-grid", ".inspector h3"),
    ):
        page = opened(browser, pages[0])
        times = hover(page, container, shown)
        page.context.close()
        yield f"{what}: {tail(times)} from its event (goal: a frame, {FRAME:.1f} ms)"


def opened(browser: Browser, address: str) -> Page:
    """Return a page of its own, with nothing kept from earlier ones, when its maps are there."""
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.goto(address)
    page.locator("channel-grid canvas").first.wait_for()
    page.wait_for_load_state("networkidle")
    return page


def hover(page: Page, container: str, shown: str) -> list[float]:
    """Return the milliseconds from each move of the pointer to the change of what is shown."""
    element = page.locator(container)
    element.evaluate("element => element.scrollIntoView({ block: 'start' })")
    page.evaluate(WATCH, [container, shown])
    box = element.bounding_box()
    assert box
    height = min(box["height"], 850 - box["y"])
    points = random.Random(0)
    for _ in range(POINTS):
        page.mouse.move(
            box["x"] + points.random() * box["width"], box["y"] + points.random() * height
        )
        page.evaluate("() => new Promise(requestAnimationFrame)")
    times: list[float] = page.evaluate("window.times")
    return times


def tail(times: list[float]) -> str:
    """Return the median, the 95th percentile and the largest of times in milliseconds."""
    slow = quantiles(times, n=20)[-1]
    many = f"median {median(times):.3g} ms, 95 % {slow:.3g} ms, at most {max(times):.3g} ms"
    return f"{many} (n = {len(times)})"
