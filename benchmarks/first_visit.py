"""What a first visit loads, and how far the page jumps about while it does."""

from collections.abc import Iterator
from typing import Any

from playwright.sync_api import Browser

WIDTHS = (390, 1280)
SHIFTS = """() => {
  window.shift = 0;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shift += entry.value;
  }).observe({ type: "layout-shift", buffered: true });
}"""
SCROLL = """async () => {
  for (let y = 0; y < document.documentElement.scrollHeight; y += innerHeight / 2) {
    scrollTo(0, y);
    await new Promise((done) => setTimeout(done, 60));
  }
}"""


def first_visit_report(browser: Browser, pages: dict[str, str]) -> Iterator[str]:
    """Yield bytes, requests and cumulative layout shift of each named address."""
    for name, address in pages.items():
        for width in WIDTHS:
            context = browser.new_context(viewport={"width": width, "height": 900})
            page = context.new_page()
            sizes: list[float] = []
            loaded = context.new_cdp_session(page)
            loaded.send("Network.enable")
            loaded.on("Network.loadingFinished", lambda e, s=sizes: s.append(_size(e)))
            page.add_init_script(f"({SHIFTS})()")
            page.goto(address)
            page.wait_for_load_state("networkidle")
            load = f"{sum(sizes) / 1e3:.0f} kB in {len(sizes)} requests"
            page.evaluate(SCROLL)
            page.wait_for_load_state("networkidle")
            shift = page.evaluate("window.shift")
            context.close()
            yield f"{name}, {width} px: {load}; layout shift {shift:.3f}, scrolled to the end (goal: 0)"


def _size(event: dict[str, Any]) -> float:
    return float(event["encodedDataLength"])
