"""A visitor's own photo, from the file to the pixels, in a real browser and with real faults."""

import gzip
import io
import re
import socket
import struct
import threading
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import numpy as np
import onnxruntime
import pytest
from accessibility import violations
from explorer import as_number
from PIL import Image
from serving import SUB_PATH, SubPath, serving

from export.manifest import read_manifest
from precompute.decode import open_picture
from precompute.preprocess import crop, normalise
from precompute.tiles import quantise

ROOT = Path(__file__).parents[2]
PAGE = "resnet18/your-photo.html"
LAYER, CHANNEL = "layer2.0.relu", 5
PIXELS = """() => [...document.querySelectorAll("channel-grid button")].map((button) => {
  const canvas = button.firstChild;
  const often = { willReadFrequently: true };
  const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d", often);
  copy.drawImage(canvas, 0, 0);
  const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
  return [Number(button.dataset.channel), Array.from(data.filter((_, i) => i % 4 === 0))];
})"""
GREY = f"layer={LAYER}&channel={CHANNEL}&scale=channel&sequential=gray"
"""A view in which a pixel's brightness is that of the sheet, where the smallest value is zero."""
VIEWS = ["channels", "layer", "origin", "residual", "photos", "compare", "layers"]


class Behaviour:
    """What a server does to some of its files, until it is told otherwise."""

    def __init__(self) -> None:
        self.broken: dict[str, str] = {}
        """Suffix of a path to a kind of Unreliable."""
        self.sent: list[str] = []


class Unreliable(SubPath):
    """Serves the site, with what a Behaviour asks for: files that are `missing`, a web `page` in
    their place, `cut`, `changed`, `slow`, `reset` halfway, called `plain` text, `packed` on the
    way, or `unpacked` there; of the last two nobody knows how long they are.
    """

    def __init__(self, *args, behaviour: Behaviour, **options) -> None:
        self.behaviour = behaviour
        super().__init__(*args, **options)

    def kind(self) -> str:
        path = self.path.partition("?")[0]
        broken = self.behaviour.broken
        return next((kind for end, kind in broken.items() if path.endswith(end)), "")

    def send_head(self):
        self.behaviour.sent.append(self.path.partition("?")[0])
        if self.kind() == "missing":
            self.send_error(404)
            return None
        return super().send_head()

    def send_header(self, keyword, value) -> None:
        kind = self.kind()
        if keyword == "Last-Modified" and kind in {"plain", "page"}:
            return  # or browsers would take them for the file itself, and keep them
        if keyword == "Content-type" and kind in {"plain", "page"}:
            value = {"plain": "text/plain", "page": "text/html"}[kind]
        if keyword == "Content-Length" and kind in {"packed", "unpacked", "page"}:
            keyword, value = "Content-Encoding", "identity" if kind == "page" else "gzip"
        super().send_header(keyword, value)

    def copyfile(self, source, outputfile) -> None:
        content, kind = source.read(), self.kind()
        if kind == "page":
            content = b"<!doctype html><title>Welcome</title>"
        if kind == "packed":
            content = gzip.compress(content, 1)
        if kind == "reset":
            outputfile.write(content[: len(content) // 2])
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            return
        if kind == "changed":
            content = content[:-1] + bytes([content[-1] ^ 1])
        if kind == "cut":
            content = content[: len(content) // 2]
        step = len(content) // 20 + 1
        for start in range(0, len(content), step):
            if kind == "slow":
                threading.Event().wait(0.25)
            outputfile.write(content[start : start + step])


@pytest.fixture
def behaviour():
    return Behaviour()


@pytest.fixture
def unreliable(site, behaviour):
    with serving(site, Unreliable, behaviour=behaviour) as address:
        yield address


@pytest.fixture(scope="module")
def network(exported):
    """The manifest, and the browser's copy of the network in Python."""
    manifest = read_manifest(exported)
    assert manifest.browser
    path = exported.parent / manifest.browser.file.name
    return manifest, onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])


def activations(network, path, layer):
    manifest, session = network
    seen = normalise(crop(open_picture(path), manifest.input), manifest.input)
    return session.run([layer], {manifest.input.name: seen})[0][0]


def give(page, path):
    """Choose a file and wait until its maps are there."""
    page.locator(".own-ways input").first.set_input_files(path)
    page.locator(
        f'.own[data-state="shown"] ~ .own-explored .own-photo-title:text-is("{path.stem}")'
    ).wait_for()
    page.locator("feature-explorer:not([data-stale]) channel-grid button").first.wait_for()


@pytest.fixture
def own(visit):
    """Return a function that opens the page at a view and gives it a photo."""

    def open_(path, view="", **options):
        watched = visit(f"{PAGE}{view and '#' + view}", **options)
        give(watched.page, path)
        return watched

    return open_


@pytest.fixture
def photos(tmp_path):
    """Two files as people have them: upright by EXIF only, and with transparency."""
    turned = tmp_path / "turned.jpg"
    with Image.open(ROOT / "examples" / "panda.jpg") as picture:
        exif = Image.Exif()
        exif[0x0112] = 6
        picture.resize((301, 205)).save(turned, exif=exif, quality=90)
    clear = tmp_path / "clear.png"
    ramp = np.zeros((260, 333, 4), np.uint8)
    ramp[..., 0] = np.linspace(0, 255, 333)
    ramp[..., 1] = np.linspace(255, 0, 260)[:, None]
    ramp[..., 3] = np.linspace(0, 255, 333)[::-1]
    Image.fromarray(ramp).save(clear)
    return [turned, clear]


def test_two_photos_in_a_row_give_the_pixels_that_python_computes(own, network, photos):
    watched = own(photos[0], GREY)
    page = watched.page
    for path in photos:
        if path != photos[0]:
            give(page, path)
        values = activations(network, path, LAYER)
        expected = quantise(values, LAYER)
        page.evaluate("dispatchEvent(new Event('beforeprint'))")  # which paints every channel
        painted = {channel: np.reshape(p, values.shape[1:]) for channel, p in page.evaluate(PIXELS)}
        assert sorted(painted) == list(range(len(values)))
        from_zero = [channel for channel in painted if expected.low[channel] == 0]
        assert len(from_zero) > len(values) // 2
        off = [abs(painted[c].astype(int) - expected.pixels[c]).max() for c in from_zero]
        assert max(off) <= 2  # a step of the sheet, and one of the colours
        with page.expect_download() as download:
            page.get_by_role("button", name="NPY of the layer").click()
        found = np.load(io.BytesIO(Path(download.value.path()).read_bytes()))
        assert found.shape == values.shape
        slack = (expected.high - expected.low) / 510 + 1e-4 * np.abs(values).max()
        assert (np.abs(found - values) <= slack[:, None, None]).all()


def test_the_answers_are_those_of_python(own, network, photos):
    manifest, _ = network
    page = own(photos[0]).page
    logits = activations(network, photos[0], manifest.logits)
    best = np.argsort(-logits, kind="stable")[:5]
    shown = page.locator(".answers .answer-name").all_inner_texts()
    assert shown == [manifest.categories[i] for i in best]
    written = page.locator(".answers .logit .number").all_inner_texts()
    assert [as_number(text) for text in written] == pytest.approx(logits[best], rel=5e-3)
    assert page.locator(".terminal b").inner_text() == shown[0]


def test_nothing_is_loaded_before_a_photo_is_given_and_nothing_is_ever_sent(visit, photos):
    watched = visit(PAGE)
    assert not [url for url in watched.requests if re.search(r"onnx|vendor|live-|explorer", url)]
    methods = []
    watched.page.on("request", lambda r: methods.append((r.method, r.post_data)))
    give(watched.page, photos[0])
    assert set(methods) == {("GET", None)}
    assert [u for u in watched.requests if not u.startswith((watched.address, "blob:"))] == []


def test_the_network_is_kept_for_the_next_visit_and_that_of_an_older_build_is_not(
    chromium, unreliable, behaviour, photos
):
    context = chromium.new_context()
    page = context.new_page()
    page.goto(unreliable + PAGE)
    shelf = f"feature maps of {SUB_PATH}/"
    page.evaluate("async (s) => (await caches.open(s)).put('old.onnx', new Response('x'))", shelf)
    give(page, photos[0])
    heavy = [path for path in behaviour.sent if path.endswith((".onnx", ".wasm.gz"))]
    assert len(heavy) == 2
    kept = page.evaluate(
        "async (s) => (await (await caches.open(s)).keys()).map((r) => r.url)", shelf
    )
    assert sorted(urlsplit(url).path for url in kept) == sorted(heavy)
    behaviour.sent.clear()
    page.goto(unreliable + PAGE)
    give(page, photos[1])
    assert [path for path in behaviour.sent if path.endswith((".onnx", ".wasm.gz", ".wasm"))] == []
    # What lies in the cache is checked like any download.
    page.evaluate(
        """async (s) => {
      const cache = await caches.open(s);
      for (const request of await cache.keys()) await cache.put(request, new Response("rotten"));
    }""",
        shelf,
    )
    page.goto(unreliable + PAGE)
    give(page, photos[0])
    assert [path for path in behaviour.sent if path.endswith((".onnx", ".wasm.gz"))] == heavy
    context.close()


def test_progress_is_shown_in_bytes_and_can_be_cancelled(visit, unreliable, behaviour, photos):
    behaviour.broken = {".onnx": "slow"}
    watched = visit("index.html")
    page = watched.page
    page.goto(unreliable + PAGE)
    page.locator(".own-ways input").first.set_input_files(photos[0])
    status = page.locator("#own-doing")
    status.filter(has_text=re.compile(r"[1-9]\d?\.\d of 2\d\.\d MB")).wait_for()
    said = page.locator(".own > [role=status]")
    assert said.inner_text() == "Loading the network …"  # once, not with every byte
    assert page.locator(".own-cancel:focus").is_visible()
    bar = page.locator(".own-busy progress")
    assert 0 < bar.evaluate("bar => bar.value / bar.max") < 1
    page.get_by_role("button", name="Cancel").click()
    assert not page.locator(".own-busy").is_visible()
    page.wait_for_timeout(1000)
    assert page.workers == [], "it goes on loading"
    assert not page.locator(".own-explored").is_visible()
    assert not page.locator(".own-fault").is_visible()
    assert page.locator("input:focus").count() == 1
    assert said.inner_text() == ""
    behaviour.broken = {}
    give(page, photos[0])
    # With the network there, what is cancelled is one photo, and the one before stays.
    page.evaluate(DROP, [list(photos[0].read_bytes()), "late.jpg", "image/jpeg", "drop"])
    page.evaluate("document.querySelector('.own-cancel').click()")
    page.wait_for_timeout(1000)
    assert page.locator(".own-photo-title").inner_text() == photos[0].stem
    watched.faults = [f for f in watched.faults if "onnx" not in f]  # the download that was ended


@pytest.mark.parametrize(
    ("suffix", "kind", "says"),
    [
        (".onnx", "missing", "is missing from this site (404)"),
        (".onnx", "cut", "broke off after"),
        (".onnx", "reset", "broke off after"),
        (".onnx", "page", "resnet18.browser.onnx is missing from this site (a web page comes"),
        (".onnx", "changed", "is not the file that this page was made with"),
        (".wasm.gz", "changed", "is not the file that this page was made with"),
        (".wasm.gz", "cut", "broke off after"),
        ("_browser/index.json", "missing", "is missing from this site (404)"),
        ("_browser/index.json", "page", "is missing from this site (a web page comes instead)"),
        ("_browser/index.json", "cut", "came damaged"),
        ("ort.wasm.min.mjs", "missing", "ort.wasm.min.mjs cannot be run"),
        ("ort.wasm.min.mjs", "plain", "ort.wasm.min.mjs cannot be run"),
        ("ort-wasm-simd-threaded.mjs", "page", "ort-wasm-simd-threaded.mjs cannot be run"),
        ("live-explorer.js", "missing", "A part of this page cannot be reached"),
        ("live-data.js", "missing", "A part of this page cannot be reached"),
        ("live-worker.js", "missing", "could not be run here"),
    ],
)
def test_a_broken_download_is_told_and_the_next_try_works(
    visit, unreliable, behaviour, photos, suffix, kind, says
):
    behaviour.broken = {suffix: kind}
    watched = visit("index.html")
    page = watched.page
    page.goto(unreliable + PAGE)
    page.locator(".own-ways input").first.set_input_files(photos[0])
    fault = page.get_by_role("alert")
    fault.wait_for()
    assert says in fault.inner_text()
    assert not page.locator(".own-busy").is_visible()
    behaviour.broken = {}
    give(page, photos[0])
    assert not fault.is_visible()
    name = suffix.split("/")[-1]
    watched.faults = [f for f in watched.faults if name not in f and "404" not in f]


def test_a_view_that_cannot_be_shown_does_not_stay_for_the_next_photo(
    visit, unreliable, behaviour, photos
):
    behaviour.broken = {"_layers.json": "missing"}
    watched = visit("index.html")
    page = watched.page
    page.goto(unreliable + PAGE)
    page.locator(".own-ways input").first.set_input_files(photos[0])
    page.locator(".notice").filter(has_text="_layers.json is missing").wait_for()
    behaviour.broken = {}
    give(page, photos[1])
    page.locator("channel-grid").wait_for()
    assert not page.locator(".notice").is_visible()
    watched.faults = [fault for fault in watched.faults if "404" not in fault]


def test_files_that_a_server_packs_or_unpacks_on_the_way_are_what_they_are(
    visit, unreliable, behaviour, photos
):
    behaviour.broken = {".onnx": "packed", ".mjs": "packed", ".json": "packed"}
    behaviour.broken |= {".wasm.gz": "unpacked"}
    page = visit("index.html").page
    page.goto(unreliable + PAGE)
    page.evaluate(
        """() => new MutationObserver(() => {
      const { value, max } = document.querySelector("progress");
      window.most = Math.max(window.most ?? 0, value / max);
    }).observe(document.querySelector("progress"), { attributes: true })"""
    )
    give(page, photos[0])
    assert page.evaluate("most") == 1
    behaviour.broken, behaviour.sent[:] = {}, []
    page.reload()
    give(page, photos[1])
    assert [path for path in behaviour.sent if path.endswith((".onnx", ".wasm.gz"))] == []


def test_it_works_without_https_and_files_are_still_checked(visit, unreliable, behaviour, photos):
    behaviour.broken = {".wasm.gz": "changed"}
    watched = visit("index.html")
    page = watched.page
    page.goto(unreliable.replace("127.0.0.1", "plain.test") + PAGE)
    assert page.evaluate("[isSecureContext, typeof caches]") == [False, "undefined"]
    page.locator(".own-ways input").first.set_input_files(photos[0])
    page.get_by_role("alert").filter(has_text="ort-wasm-simd-threaded.wasm.gz cannot").wait_for()
    watched.faults = [fault for fault in watched.faults if ".wasm.gz" not in fault]
    behaviour.broken = {".wasm.gz": "unpacked"}
    give(page, photos[0])


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("notes.txt", b"This is no picture at all, only a few words.", "not a photo"),
        ("empty.jpg", b"", "empty"),
        ("photo.heic", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(64), "HEIC"),
        ("page.jpg", b"<!doctype html><title>Not found</title>", "web page"),
        ("cut.jpg", (ROOT / "examples" / "panda.jpg").read_bytes()[:300], "damaged"),
    ],
)
def test_what_is_no_photo_is_refused_in_a_sentence_and_the_page_works_on(
    visit, photos, tmp_path, name, content, says
):
    path = tmp_path / name
    path.write_bytes(content)
    page = visit(PAGE).page
    give(page, photos[0])
    page.locator(".own-ways input").first.set_input_files(path)
    fault = page.get_by_role("alert")
    fault.wait_for()
    assert says in fault.inner_text()
    assert page.locator(".own-photo-title").inner_text() == photos[0].stem
    give(page, photos[1])
    assert not fault.is_visible()


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("WebAssembly.validate = () => false;", "WebAssembly SIMD"),
        (
            "Float32Array.from = () => { throw new RangeError('Array buffer allocation failed'); };",
            "memory",
        ),
        ("throw new Error('broken');", "could not be run here"),
    ],
)
def test_a_device_that_cannot_do_it_is_told_why(visit, photos, line, says):
    watched = visit(PAGE)
    page = watched.page

    def spoil(route):
        route.fulfill(response=(given := route.fetch()), body=f"{line}\n{given.text()}")

    page.route("**/live-worker.js", spoil)
    page.locator(".own-ways input").first.set_input_files(photos[0])
    fault = page.get_by_role("alert")
    fault.wait_for()
    assert says in fault.inner_text()
    page.unroute("**/live-worker.js")


def test_every_view_of_the_explorer_works_and_is_accessible(own, photos):
    page = own(photos[0], f"layer=layer2.0.conv1&channel={CHANNEL}").page
    found = {}
    for view in VIEWS:
        page.locator(f'[data-view="{view}"]').click()
        page.locator(f'feature-explorer[data-shows="{view}"]:not([data-stale])').wait_for()
        if view == "origin":
            page.locator(".origin-check").filter(has_text="The sum closes everywhere").wait_for()
        if view == "photos":
            page.locator('channel-photos [data-photo="your-photo"] canvas').wait_for()
        if view == "compare":
            page.locator("compare-view select").first.select_option(index=1)
            page.locator(".compare-figures th").nth(1).wait_for()
            assert len(set(page.locator("compare-view figcaption strong").all_inner_texts())) == 2
        if view == "layers":
            last = page.locator("all-layers img").last
            last.scroll_into_view_if_needed()
            page.locator("all-layers img[src^='blob:']").last.wait_for()
        if view == "layer":
            page.locator("layer-summary img[src^='blob:']").nth(1).wait_for()
        found[view] = violations(page)
    page.locator("[data-answer] button").first.click()
    page.locator(".contributions").wait_for()
    found["evidence"] = violations(page)
    assert found == {view: [] for view in [*VIEWS, "evidence"]}


def test_a_link_keeps_the_view_and_says_that_the_photo_is_needed(visit, photos):
    page = visit(f"{PAGE}#layer=layer3.0.conv1&channel=7&view=layer").page
    assert "cannot carry the photo" in page.get_by_role("alert").inner_text()
    give(page, photos[0])
    view = {name: v[0] for name, v in parse_qs(urlsplit(page.url).fragment).items()}
    assert (view["layer"], view["channel"], view["view"]) == ("layer3.0.conv1", "7", "layer")
    assert page.locator("#layer-title code").inner_text() == "layer3.0.conv1"
    assert page.locator("layer-summary").is_visible()
    # The next photo is shown at the view of now.
    page.locator('[data-layer="layer1.0.conv1"]').click()
    page.locator('#layer-title code:text-is("layer1.0.conv1")').wait_for()
    give(page, photos[1])
    assert page.locator("#layer-title code").inner_text() == "layer1.0.conv1"


DROP = """([bytes, name, type, kind, count = 1]) => {
  const data = new DataTransfer();
  const content = [Uint8Array.from(bytes)];
  for (let i = 0; i < count; i++) data.items.add(new File(content, i ? "more.jpg" : name, { type }));
  const more = { bubbles: true, cancelable: true };
  const event = kind === "drop" ? new DragEvent(kind, { dataTransfer: data, ...more })
    : new ClipboardEvent(kind, { clipboardData: data, ...more });
  document.body.dispatchEvent(event);
}"""


@pytest.mark.parametrize(("kind", "title"), [("drop", "turned"), ("paste", "Pasted photo")])
def test_a_photo_can_be_dropped_and_pasted(visit, photos, kind, title):
    page = visit(PAGE).page
    page.evaluate(DROP, [list(photos[0].read_bytes()), photos[0].name, "image/jpeg", kind])
    page.locator(f'.own-photo-title:text-is("{title}")').wait_for()


def test_what_holds_no_photo_is_refused_and_does_not_leave_the_page(visit):
    page = visit(PAGE).page
    dropped = """() => {
      const dataTransfer = new DataTransfer();
      dataTransfer.setData("text/uri-list", "https://example.org/");
      const event = new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true });
      return !document.body.dispatchEvent(event);
    }"""
    assert page.evaluate(dropped)
    assert "no photo in this" in page.get_by_role("alert").inner_text()
    assert page.locator(".own-fault").bounding_box()["y"] < 500  # above what the page offers


def test_the_next_photo_replaces_all_that_was_said_of_the_one_before(own, photos):
    page = own(photos[0]).page
    said = page.locator(".own > [role=status]")
    assert said.inner_text() == f"{photos[0].stem}: computed"
    page.locator(".own-photo-title:focus").wait_for()
    page.get_by_label("Choose a photo").focus()
    give(page, photos[1])
    assert said.inner_text() == f"{photos[1].stem}: computed"
    assert page.locator("input:focus").count() == 1  # the focus stays where the visitor is
    names = page.locator(".answers .answer-name").all_inner_texts()
    buttons = page.locator(".answers button")
    labels = [button.get_attribute("aria-label") for button in buttons.all()]
    assert labels == [f"Evidence for {name}" for name in names]
    buttons.nth(1).click()
    page.locator(".evidence-tools").filter(has_text=f"Evidence for {names[1]}:").wait_for()


def test_a_citation_does_not_claim_that_its_link_shows_the_photo(own, photos):
    page = own(photos[0]).page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Cite").click()
    told = page.locator("view-tools output").filter(has_text="Copied")
    assert f"“{photos[0].stem}” (own photo, not published)" in told.inner_text()


def test_of_several_photos_the_first_is_shown_and_the_page_says_so(visit, photos):
    page = visit(PAGE).page
    page.evaluate(DROP, [[], "", "", "drop", 0])
    assert not page.locator(".own-busy").is_visible()
    page.evaluate(DROP, [list(photos[0].read_bytes()), photos[0].name, "image/jpeg", "drop", 2])
    page.get_by_role("alert").filter(has_text="One photo at a time").wait_for()
    assert page.locator(".own-photo-title").inner_text() == photos[0].stem


def test_of_two_photos_that_are_given_one_upon_the_other_only_the_last_is_shown(visit, photos):
    page = visit(PAGE).page
    page.evaluate(
        """() => new MutationObserver((changes) => {
      (window.titles ??= []).push(...changes.flatMap((change) => change.addedNodes[0].data));
    }).observe(document.querySelector(".own-photo-title"), { childList: true })"""
    )
    content = list(photos[0].read_bytes())
    for name in ("first.jpg", "second.jpg"):
        page.evaluate(DROP, [content, name, "image/jpeg", "drop"])
    page.locator('.own-photo-title:text-is("second")').wait_for()
    page.wait_for_timeout(500)
    assert page.evaluate("titles") == ["second"]


def test_a_photo_can_be_given_while_the_one_before_is_being_cancelled(
    visit, unreliable, behaviour, photos
):
    behaviour.broken = {"live-explorer.js": "slow", ".onnx": "slow"}
    watched = visit("index.html")
    page = watched.page
    page.goto(unreliable + PAGE)
    page.locator(".own-ways input").first.set_input_files(photos[0])
    page.locator("#own-doing").filter(has_text="MB").wait_for()
    page.get_by_role("button", name="Cancel").click()
    behaviour.broken.pop(".onnx")
    give(page, photos[1])
    assert not page.get_by_role("alert").is_visible()
    watched.faults = [f for f in watched.faults if "onnx" not in f]  # the download that was ended


def test_a_sample_can_be_tried(visit):
    page = visit(PAGE).page
    sample = page.locator("[data-sample]").first
    name = sample.locator("img").get_attribute("alt")
    sample.click()
    page.locator(f'.own-photo-title:text-is("{name}")').wait_for()


def test_phones_offer_the_camera(visit):
    page = visit(PAGE, has_touch=True, is_mobile=True, viewport={"width": 390, "height": 844}).page
    camera = page.locator("input[capture=environment]")
    assert camera.get_attribute("accept") == "image/*"
    assert page.locator(".own-camera").is_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


KEEP = """() => void customElements.whenDefined("feature-explorer").then(() => {
  const { prototype } = customElements.get("feature-explorer");
  const { open } = prototype;
  prototype.open = function (data) {
    (window.opened ??= []).push(data);
    return open.call(this, data);
  };
})"""
"""Keeps what the explorer is given to show."""


def test_the_memory_of_a_photo_is_given_back_with_the_next(visit, photos):
    watched = visit(PAGE)
    page = watched.page
    page.evaluate(KEEP)
    give(page, photos[0])
    page.locator(".layers .strip image[href^='blob:']").first.wait_for(state="attached")
    urls = page.evaluate("[...document.querySelectorAll('[src^=blob]')].map(({ src }) => src)")
    assert urls
    give(page, photos[1])
    is_there = """(urls) => Promise.all(urls.map((url) => {
      const picture = new Image();
      picture.src = url;
      return picture.decode().then(() => true, () => false);
    }))"""
    assert set(page.evaluate(is_there, urls)) == {False}
    watched.faults = [fault for fault in watched.faults if "ERR_FILE_NOT_FOUND" not in fault]
    ask = "(i) => opened[i].sheet({ layer: 'layer4.0.conv1' }).then(() => 'there', () => 'gone')"
    assert [page.evaluate(ask, i) for i in (0, 1)] == ["gone", "there"]
    answers = page.locator(".answers .answer-name").all_inner_texts()
    assert (
        page.locator("#places .own-answer").evaluate_all("all => all.map(o => o.value)") == answers
    )
    assert page.locator("feature-explorer").count() == 1
    page.keyboard.press(".")  # heard by one explorer only: one channel on, not two
    page.locator('channel-grid [data-channel="1"][aria-pressed="true"]').wait_for()
    assert "channel=1" in page.url


def test_without_scripts_the_page_says_what_it_needs(visit):
    page = visit(PAGE, java_script_enabled=False).page
    assert "computes with a script" in page.locator(".own-needs").inner_text()
    assert not page.locator(".own-give").is_visible()
