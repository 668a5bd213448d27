"""In a real browser, no text of a gallery, of an address or of a file name does anything."""

import io
import re
import shutil

import pytest
from hostile import HALVES, TEXT, UNSEEN, fill
from hypothesis import strategies as st
from PIL import Image
from serving import serving
from watched import Watched
from website import copied

from precompute.index import read_index

WATCH = """
globalThis.pwned = undefined;
globalThis.violations = [];
document.addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) =>
  violations.push(`${violatedDirective} ${blockedURI}`));
"""


class Guarded(Watched):
    """A page on which nothing may be run, asked or refused."""

    def __init__(self, context, address):
        super().__init__(context, address)
        context.add_init_script(WATCH)
        self.page.on("dialog", self._dialog)

    def _dialog(self, dialog):
        self.faults.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def check(self):
        assert self.faults == []
        assert self.page.evaluate("[globalThis.pwned, violations]") == [None, []]
        beyond = [url for url in self.requests if not url.startswith((self.address, "blob:"))]
        assert beyond == []


@pytest.fixture(scope="module")
def published(exported, tiles, runtime, tmp_path_factory):
    """A site of two photos and a chart, and the address of its server."""
    folder = tmp_path_factory.mktemp("hostile")
    workshop = copied(exported, tiles, runtime, folder)
    fill(workshop, TEXT + UNSEEN, TEXT + UNSEEN + HALVES)
    workshop.render()
    with serving(workshop.out) as address:
        yield workshop, address
    shutil.rmtree(folder)


@pytest.fixture
def guarded(chromium, published):
    context = chromium.new_context(permissions=["clipboard-read", "clipboard-write"])
    yield Guarded(context, published[1])
    context.close()


def shown(page, text=TEXT):
    """Count the elements whose own words are `text`, as the browser sees them."""
    return page.evaluate(
        """(text) => [...document.querySelectorAll("body *")].filter(({ childNodes }) =>
            [...childNodes].some((node) => node.nodeType === 3 && node.data.includes(text))).length""",
        text,
    )


@pytest.mark.parametrize("scripts", [True, False])
def test_every_page_of_a_hostile_gallery_is_inert(chromium, published, scripts):
    workshop, address = published
    context = chromium.new_context(java_script_enabled=scripts)
    guarded = Guarded(context, address)
    pages = sorted(path.relative_to(workshop.out) for path in workshop.out.rglob("*.html"))
    photos = {f"{image}.html" for image in workshop.images[1:]}
    pages = [path for path in pages if path.name not in photos and path.name != "404.html"]
    assert len(pages) >= 8
    for path in pages:
        page = guarded.open(path.as_posix())
        if scripts:
            guarded.check()
            assert shown(page), path
        assert guarded.faults == [], path
    context.close()


def test_every_view_of_the_explorer_is_inert(guarded, published):
    workshop, _ = published
    first, second = workshop.images[:2]
    for view in ("channels", "layer", "origin", "residual", "photos", "compare", "layers"):
        page = guarded.open(
            f"resnet18/{first}.html#layer=layer2.0.relu_1&view={view}&with={second}"
        )
        page.locator("channel-grid button").first.wait_for()
        page.reload()
        page.locator("channel-grid button").first.wait_for()
        page.wait_for_load_state("networkidle")
        guarded.check()
    page.locator(".answers button").first.click()
    assert TEXT in page.locator(".evidence-tools p").first.inner_text()
    page.locator(".jump input").fill(TEXT)
    page.locator(".jump .go").click()
    said = page.locator("view-tools output")
    for what, words in (
        ("map", "The HTML"),
        ("layer", "The HTML"),
        ("link", "The link"),
        ("cite", "Copied"),
    ):
        page.locator(f"[data-take={what}]").click()
        said.filter(has_text=re.compile(f"^{words}")).wait_for()
    assert TEXT in page.evaluate("navigator.clipboard.readText()")
    guarded.check()


def test_an_embedded_map_of_a_hostile_photo_is_inert(guarded, published):
    workshop, _ = published
    page = guarded.open(f"resnet18/embed.html#photo={workshop.images[0]}&embed=map&layer=conv1")
    page.locator("canvas").first.wait_for()
    assert TEXT in page.locator("h1").inner_text()
    guarded.check()


LINKS = [
    "layer=<img src=x onerror=pwned=1>",
    "layer=%3Cimg%20src%3Dx%20onerror%3Dpwned%3D1%3E&view=compare&with=%22%3E%3Csvg/onload=pwned=1%3E",
    "photo=javascript:alert(1)&embed=map",
    "photo=../../x&embed=layer",
    "tour=%22%5D%3Cscript%3E&stop=-1",
    "tour=stem&stop=999999999999999999999",
    "channel=1e999&above=1e999&opacity=NaN&answer=%00",
    "view=__proto__&sort=constructor&scale=toString&norm=valueOf",
    "%E0%A4%A=%ff&=&&==&%",
    "layer=" + "x" * 60_000,
    "x" * 10_000,
    "filter-99999",
    "filter--1",
    "main=",
    "javascript:alert(1)",
    "\u202e\u2028=\u2029",
]
hostile_link = st.lists(
    st.tuples(
        st.sampled_from(["layer", "channel", "view", "with", "against", "tour", "stop", "photo"]),
        st.text(st.characters(codec="utf-8"), max_size=12)
        | st.sampled_from(["conv1", "compare", "photos", "-1", "<svg onload=pwned=1>", "stem"]),
    ).map("=".join)
    | st.text(st.characters(codec="utf-8"), max_size=12),
    max_size=5,
).map("&".join)


def some_links(count):
    """Return links of hypothesis' making, the same every time."""
    from hypothesis import Phase, given, seed, settings

    found = []

    @seed(0)
    @settings(max_examples=count, database=None, phases=[Phase.generate])
    @given(hostile_link)
    def collect(link):
        found.append(link)

    collect()
    return found


def test_no_address_breaks_a_photo_page(guarded, published):
    workshop, _ = published
    links = [*LINKS, *some_links(250)]
    assert len(links) > 200
    page = guarded.open(f"resnet18/{workshop.images[0]}.html")
    page.locator("channel-grid button").first.wait_for()
    known = page.evaluate(
        """async (links) => {
          const explorer = document.querySelector("feature-explorer");
          const notice = explorer.querySelector(".notice");
          const kept = [];
          for (const link of links) {
            location.hash = link;
            await new Promise((resolve) => setTimeout(resolve, 0));
            kept.push([explorer.state.layer, explorer.state.channel, notice.children.length]);
          }
          return kept;
        }""",
        links,
    )
    layers = {layer.layer for layer in read_index(workshop.tiles).layers}
    assert {layer for layer, _, _ in known} <= layers
    assert len({layer for layer, _, _ in known}) > 1
    assert all(isinstance(channel, int) for _, channel, _ in known)
    assert all(children == 0 for _, _, children in known), "a notice is text"
    page.evaluate("location.hash = 'layer=conv1&channel=5'")
    page.locator('channel-grid [data-channel="5"][aria-pressed="true"]').wait_for()
    page.locator("feature-explorer:not([data-stale])").wait_for()
    guarded.check()


@pytest.mark.parametrize("path", ["embed", "photo", "filters", "your-photo", "teaching", "tours"])
def test_no_address_that_is_opened_breaks_a_page(guarded, published, path):
    workshop, address = published
    at = {
        "photo": f"resnet18/{workshop.images[0]}.html",
        "embed": "resnet18/embed.html",
        "your-photo": "resnet18/your-photo.html",
    }.get(path, f"{path}.html")
    if not (workshop.out / at).is_file():
        pytest.skip("this gallery has no such page")
    for link in LINKS[:-1]:
        guarded.page.goto("about:blank")
        guarded.page.goto(f"{address}{at}?{link.replace('#', '')[:2000]}#{link}")
        guarded.page.wait_for_load_state("load")
    guarded.page.wait_for_load_state("networkidle")
    guarded.check()


def test_the_name_of_an_own_photo_is_text(guarded, published):
    workshop, _ = published
    if not (workshop.out / "resnet18" / "your-photo.html").is_file():
        pytest.skip("this model has no copy for browsers")
    name = '"><img src=x onerror=pwned=1>\u202e{{7*7}}'
    content = io.BytesIO()
    Image.effect_noise((64, 48), 80).save(content, "PNG")
    page = guarded.open("resnet18/your-photo.html")
    file = {"name": f"{name}.png", "mimeType": "image/png", "buffer": content.getvalue()}
    page.locator("input[type=file]").first.set_input_files(file)
    page.locator("channel-grid button").first.wait_for(timeout=120_000)
    assert page.locator(".own-photo-title").text_content() == name
    assert page.locator("img[src=x]").count() == 0
    page.locator("[data-take=cite]").click()
    page.locator("view-tools output", has_text=re.compile("^Copied")).wait_for()
    guarded.check()
