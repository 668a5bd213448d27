"""A visitor's own photo: from the file to the first maps, against the network alone."""

import io
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from PIL import Image
from playwright.sync_api import Browser

ROUNDS = 11
GOAL = 1.5
EXAMPLE = Path("examples/german-shepherd.jpg")
PHONE = (4032, 3024)
"""Pixels of a photo as phones take them."""

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


def own_photo_report(browser: Browser, address: str) -> Iterator[str]:
    """Yield how long a photo takes from the drop to the first maps, run by run beside the bare
    network in the same page.
    """
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.goto(address)
    with Image.open(EXAMPLE) as picture:
        large = picture.resize(PHONE)
    files = {
        f"{picture.width}×{picture.height}": EXAMPLE.read_bytes(),
        f"{PHONE[0]}×{PHONE[1]}": _jpeg(large),
    }
    encoded = {size: b64encode(content).decode() for size, content in files.items()}
    first, _ = page.evaluate(ROUND_TRIP, [next(iter(encoded.values())), "first"])
    yield f"own photo, first of a visit: {first:.0f} ms to the first maps, the network on this machine"
    page.wait_for_load_state("networkidle")
    page.evaluate(BARE, page.locator(".own").get_attribute("data-site"))
    for size, content in encoded.items():
        whole, bare, stuck = [], [], []
        for number in range(ROUNDS):
            bare.append(page.evaluate("window.bare()"))
            took, longest = page.evaluate(ROUND_TRIP, [content, f"{size}, round {number}"])
            whole.append(took)
            stuck.append(longest)
            page.wait_for_timeout(
                500
            )  # what comes after the first maps must not count for the next
        goal = f" (goal: {GOAL})" if size == next(iter(encoded)) else ""
        yield (
            f"own photo of {size}, network loaded: {median(whole):.0f} ms to the first maps, the bare "
            f"network {median(bare):.0f} ms: {median(whole) / median(bare):.2f}{goal}; the page stood "
            f"still for at most {max(stuck):.0f} ms"
        )
    page.context.close()


def _jpeg(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    picture.convert("RGB").save(file, "JPEG", quality=90)
    return file.getvalue()
