"""A visitor's own photo: from the file to the first maps, against the network alone."""

from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from playwright.sync_api import Browser

ROUNDS = 7
GOAL = 1.5

BARE = """async (root) => {
  const at = (path) => new URL(path, new URL(root, location.href)).href;
  const model = await (await fetch(document.querySelector(".own").dataset.browser)).json();
  const ort = await import(at(model.runtime.entry.path));
  const packed = await fetch(at(model.runtime.wasm.path));
  const inflated = packed.body.pipeThrough(new DecompressionStream("gzip"));
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmBinary = await new Response(inflated).arrayBuffer();
  const network = await (await fetch(at(model.onnx.path))).arrayBuffer();
  const session = await ort.InferenceSession.create(network);
  const { crop, name } = model.input;
  const noise = Float32Array.from({ length: 3 * crop * crop }, (_, i) => Math.sin(i * i));
  window.bare = async () => {
    const began = performance.now();
    await session.run({ [name]: new ort.Tensor("float32", noise, [1, 3, crop, crop]) });
    return performance.now() - began;
  };
  await window.bare();
}"""
ROUND_TRIP = """async ([bytes, title]) => {
  const data = new DataTransfer();
  const content = Uint8Array.from(atob(bytes), (character) => character.charCodeAt(0));
  data.items.add(new File([content], `${title}.jpg`, { type: "image/jpeg" }));
  const isThere = () => {
    if (document.querySelector(".own-photo-title")?.textContent !== title) return false;
    const explorer = document.querySelector("feature-explorer");
    return !("stale" in explorer.dataset) && explorer.querySelector("channel-grid button")?.painted;
  };
  let longest = 0;
  const began = performance.now();
  let before = began;
  document.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
  while (!isThere()) {
    await new Promise(requestAnimationFrame);
    longest = Math.max(longest, performance.now() - before);
    before = performance.now();
  }
  await new Promise((done) => setTimeout(done)); // when the frame is out
  return [performance.now() - began, longest];
}"""


def own_photo_report(browser: Browser, address: str, photo: Path) -> Iterator[str]:
    """Yield what the page of own photos loads, and how long a photo takes, run by run beside the
    bare network in the same page.
    """
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.goto(address)
    content = b64encode(photo.read_bytes()).decode()
    first, _ = page.evaluate(ROUND_TRIP, [content, "first"])
    page.wait_for_load_state("networkidle")
    page.evaluate(BARE, page.locator(".own").get_attribute("data-site"))
    whole, bare, stuck = [], [], []
    for number in range(ROUNDS):
        bare.append(page.evaluate("window.bare()"))
        took, longest = page.evaluate(ROUND_TRIP, [content, f"round {number}"])
        whole.append(took)
        stuck.append(longest)
        page.wait_for_timeout(500)  # what comes after the first maps must not count for the next
    page.context.close()
    ratio = median(whole) / median(bare)
    yield f"own photo, first of a visit: {first:.0f} ms to the first maps, the network on this machine"
    yield (
        f"own photo, network loaded: {median(whole):.0f} ms to the first maps, the bare network "
        f"{median(bare):.0f} ms: {ratio:.2f} (goal: {GOAL}); the page stood still for at most "
        f"{max(stuck):.0f} ms"
    )
