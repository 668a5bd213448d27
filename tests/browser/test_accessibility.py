"""Every view of a photo's page, for everyone: axe-core finds nothing wrong with any of them."""

import pytest
from accessibility import violations

pytestmark = pytest.mark.built

VIEWS = ["view=channels", "view=layer", "view=residual", "view=layers", "answer=0"]
IN_FOCUS = [".skip", ".controls select", "channel-grid button"]


@pytest.fixture(params=["light", "dark"])
def scheme(request):
    return request.param


@pytest.fixture(params=[390, 1280])
def opened(request, visit, photo, scheme):
    viewport = {"width": request.param, "height": 900}
    return visit(photo, color_scheme=scheme, viewport=viewport)


def test_every_view_is_accessible(opened):
    page = opened.page
    layers = page.locator(".layers [data-layer]")
    layer = layers.nth(min(4, layers.count() - 1)).get_attribute("data-layer")
    found = {}
    for view in VIEWS:
        page.evaluate("hash => { location.hash = hash; }", f"#layer={layer}&{view}")
        page.locator("feature-explorer:not([data-stale])").wait_for()
        page.wait_for_load_state("networkidle")
        found[view] = violations(page)
    assert (
        page.locator(".evidence-tools").is_visible() or not page.locator(".answers button").count()
    )
    assert found == {view: [] for view in VIEWS}


def test_it_stays_accessible_whatever_has_the_focus(opened):
    page = opened.page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    found = {}
    for place in IN_FOCUS:
        page.locator(place).first.focus()
        found[place] = violations(page)
    assert found == {place: [] for place in IN_FOCUS}


def test_the_plain_list_of_layers_is_accessible(visit, photo, scheme):
    watched = visit("about.html", color_scheme=scheme)
    page = watched.page
    page.route("**/index.json", lambda route: route.abort())
    page.goto(watched.address + photo)
    page.locator(".plain-layers summary").first.click()
    assert page.locator(".notice").is_visible()
    watched.faults.clear()  # the file that was kept from it
    assert violations(page) == []
