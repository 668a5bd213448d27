"""The page for teaching, in a real browser: its answers are what the explorer shows."""

import re
from urllib.parse import parse_qs

import pytest

pytestmark = pytest.mark.built


def links_of(page, selector):
    return [link.get_attribute("href") for link in page.locator(selector).all()]


def test_every_view_that_an_answer_leads_to_exists(visit):
    page = visit("teaching.html").page
    links = [link for link in links_of(page, ".exercises details a") if "#layer=" in link]
    assert len(links) >= 2
    for link in links:
        there = visit(link).page
        asked = parse_qs(link.partition("#")[2])
        there.locator("channel-grid button").first.wait_for(state="attached")
        assert there.locator(".notice").is_hidden(), link
        assert there.locator("#layer-title code").inner_text() == asked["layer"][0]
        if "channel" in asked:
            heading = there.locator(".inspector h3").first.inner_text()
            assert re.search(rf"\b{asked['channel'][0]}\b", heading), link
        there.context.close()


@pytest.mark.parametrize("key", ["mean", "winner"])
def test_the_channel_of_an_answer_comes_first_in_the_order_that_it_names(visit, key):
    page = visit("teaching.html").page
    found = links_of(page, f"#exercise-{key} details a")
    if not found:
        pytest.skip("this gallery has no such exercise")
    channel = parse_qs(found[0].partition("#")[2])["channel"][0]
    first = visit(found[0]).page.locator("channel-grid button").first
    assert first.locator("span").inner_text() == channel


def test_the_silent_channels_are_those_that_the_explorer_counts(visit):
    page = visit("teaching.html").page
    answer = page.locator("#exercise-silent details p")
    if not answer.count():
        pytest.skip("no channel is silent")
    said = int(re.match(r"\d+", answer.text_content())[0])
    there = visit(links_of(page, "#exercise-silent details a")[0]).page
    assert there.locator("channel-grid button:not([hidden])").count() == said


def test_the_share_of_the_evidence_is_what_the_photo_page_says(visit):
    page = visit("teaching.html").page
    answer = page.locator("#exercise-wrong details p")
    said = answer.count() and re.search(r"(\S+ %) of what adds to it lies", answer.text_content())
    if not said:
        pytest.skip("no wrong answer with a box")
    there = visit(links_of(page, "#exercise-wrong details a")[0]).page
    assert f"{said[1]} of what adds to it lies" in there.locator(".evidence-tools").inner_text()


def test_a_program_is_copied_as_it_stands(visit, site):
    watched = visit("teaching.html", permissions=["clipboard-read", "clipboard-write"])
    program = watched.page.locator(".program").first
    program.get_by_role("button", name="Copy").click()
    program.get_by_text("Copied").wait_for()
    copied = watched.page.evaluate("navigator.clipboard.readText()")
    assert copied.replace("\r", "") == (site / "snippets/with_pytorch.py").read_text("utf-8")


def test_code_scrolls_by_itself_and_by_keyboard(visit):
    page = visit("teaching.html", viewport={"width": 320, "height": 700}).page
    code = page.locator(".code").first
    assert code.evaluate("one => one.scrollWidth > one.clientWidth")
    code.focus()
    page.keyboard.press("ArrowRight")
    for _ in range(40):  # wait_for_function needs what the page's policy forbids
        if code.evaluate("one => one.scrollLeft") > 0:
            break
        page.wait_for_timeout(50)
    assert code.evaluate("one => one.scrollLeft") > 0


def test_answers_are_hidden_until_asked_for_and_are_printed(visit):
    page = visit("teaching.html", java_script_enabled=False).page
    answer = page.locator("#exercise-size details p")
    assert not answer.is_visible()
    page.emulate_media(media="print")
    assert answer.is_visible()
    page.emulate_media(media="screen")
    page.locator("#exercise-size summary").click()
    assert answer.is_visible()
