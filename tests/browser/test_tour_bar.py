"""A tour leads from stop to stop, says what the page of tours says, and can be left and come back to."""

import re
from urllib.parse import parse_qsl, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from checked import MODEL

from precompute.lessons import read_tours

pytestmark = pytest.mark.built


@pytest.fixture(scope="session")
def tours(tiles):
    found = read_tours(tiles).tours
    if not found:
        pytest.skip("nothing in this gallery makes a tour")
    return found


def link_of(tour, number):
    stop = tour.stops[number - 1]
    view = {"layer": stop.layer, "channel": stop.channel, **stop.settings}
    parts = "&".join(f"{name}={value}" for name, value in view.items())
    return f"{MODEL}/{stop.image}.html#{parts}&tour={tour.id}&stop={number}"


def view_of(page):
    return dict(parse_qsl(urlsplit(page.url).fragment))


def at_stop(page, tour, number):
    """Wait until the bar shows a stop, and check that the explorer does."""
    page.locator(".tour-place", has_text=f"stop {number} of {len(tour.stops)}").wait_for()
    stop = tour.stops[number - 1]
    assert urlsplit(page.url).path.endswith(f"/{stop.image}.html")
    expected = {"layer": stop.layer, "channel": str(stop.channel), **stop.settings}
    assert expected.items() <= view_of(page).items()
    page.locator(
        f'channel-grid button[data-channel="{stop.channel}"][aria-pressed="true"]'
    ).wait_for()
    assert page.locator("#layer-title code").inner_text() == stop.layer
    assert page.get_by_role("link", name="Back to this stop").count() == 0


def test_a_tour_can_be_walked_from_the_page_to_its_end_and_back(visit, tours):
    tour = max(tours, key=lambda one: len({stop.image for stop in one.stops}))
    watched = visit("tours.html")
    page = watched.page
    said = page.locator(f"#{tour.id} .sentence").all_text_contents()
    page.locator(f"#{tour.id} .start").click()
    for number in range(1, len(tour.stops) + 1):
        at_stop(page, tour, number)
        words = page.locator(".tour-sentence").text_content()
        assert words == said[number - 1]
        if number < len(tour.stops):
            page.get_by_role("link", name="Next stop").click()
    assert page.get_by_role("link", name="Next stop").count() == 0
    if len(tour.stops) > 1:
        page.get_by_role("link", name="Previous stop").click()
        at_stop(page, tour, len(tour.stops) - 1)


def test_every_stop_opens_where_it_says(visit, tours):
    page = visit(link_of(tours[0], 1)).page
    for tour in tours:
        for number in range(1, len(tour.stops) + 1):
            page.goto(re.sub(rf"{MODEL}/.*", link_of(tour, number), page.url))
            at_stop(page, tour, number)


def test_what_a_stop_speaks_of_is_in_view_beside_the_bar(visit, tours):
    for tour in tours:
        page = visit(link_of(tour, 1)).page
        at_stop(page, tour, 1)
        answers = tour.stops[0].settings.keys() == {"answer"}
        subject = page.locator(".evidence-map" if answers else ".stage").bounding_box()
        bar = page.locator("tour-bar").bounding_box()
        assert subject["y"] >= 0, tour.id
        assert subject["y"] + subject["height"] <= bar["y"], tour.id


def test_another_view_keeps_the_tour_and_leads_back(visit, tours):
    tour = tours[0]
    page = visit(link_of(tour, 1)).page
    at_stop(page, tour, 1)
    other = (tour.stops[0].channel + 1) % 2
    page.locator(f'channel-grid button[data-channel="{other}"]').click()
    back = page.get_by_role("link", name="Back to this stop")
    back.wait_for()
    assert view_of(page)["tour"] == tour.id
    assert page.locator(".tour-sentence").inner_text() != ""
    back.click()
    at_stop(page, tour, 1)


def test_leaving_a_tour_leaves_the_view(visit, tours):
    tour = tours[0]
    page = visit(link_of(tour, 1)).page
    at_stop(page, tour, 1)
    page.get_by_role("button", name="Leave the tour").click()
    page.locator("tour-bar").wait_for(state="hidden")
    view = view_of(page)
    assert "tour" not in view
    assert view["channel"] == str(tour.stops[0].channel)


def test_unknown_tours_and_stops_say_so(visit, tours, photo):
    page = visit(f"{photo}#tour=<b>nowhere</b>&stop=2").page
    page.get_by_text("This gallery has no tour “<b>nowhere</b>”.").wait_for()
    assert page.get_by_role("link", name="All tours").get_attribute("href").endswith("tours.html")
    tour = tours[0]
    page = visit(link_of(tour, 1).replace("&stop=1", "&stop=99")).page
    stops = "1 stop" if len(tour.stops) == 1 else f"{len(tour.stops)} stops"
    page.get_by_text(f"it has {stops}; this is the last").wait_for()
    if len(tour.stops) > 1:  # else the view is that of the last stop already
        page.get_by_role("link", name="Back to this stop").click()
        at_stop(page, tour, len(tour.stops))


def test_without_a_tour_in_the_link_none_is_loaded(visit, photo):
    watched = visit(photo)
    assert watched.page.locator("tour-bar").is_hidden()
    assert not [url for url in watched.requests if url.endswith("tours.html")]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 390, 1280])
def test_the_bar_is_accessible_and_fits(visit, tours, scheme, width):
    tour = tours[-1]
    viewport = {"width": width, "height": 844}
    page = visit(link_of(tour, 1), color_scheme=scheme, viewport=viewport).page
    at_stop(page, tour, 1)
    violations = Axe().run(page).response["violations"]
    assert [(v["id"], node["html"][:120]) for v in violations for node in v["nodes"]] == []
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_what_has_the_focus_is_not_below_the_bar(visit, tours):
    page = visit(link_of(tours[0], 1)).page
    at_stop(page, tours[0], 1)
    page.locator("channel-grid button").nth(20).focus()
    for _ in range(40):
        page.keyboard.press("Tab")
        hidden = page.evaluate(
            """() => {
                const on = document.activeElement;
                const bar = document.querySelector("tour-bar");
                if (bar.contains(on) || on === document.body) return false;
                return on.getBoundingClientRect().top >= bar.getBoundingClientRect().top;
            }"""
        )
        assert not hidden
