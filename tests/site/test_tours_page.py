"""The page of tours: what it says are the numbers that were measured, and it is left out without."""

import re
from dataclasses import replace
from urllib.parse import parse_qsl

import pytest
from checked import MODEL
from website import read_page

from precompute.index import read_entry
from precompute.lessons import TOURS, read_tours
from site_template.pages import part, percent, readable


def words_of(page_path, anchor):
    """Return the text of a stop's sentence, without markup."""
    source = page_path.read_text("utf-8")
    stop = source.split(f'id="{anchor}"', 1)[1]
    sentence = re.search(r'<p class="sentence">(.*?)</p>', stop, re.S)[1]
    return re.sub(r"<[^>]+>", "", sentence).replace("&gt;", ">").replace("&lt;", "<")


def spoken(stop, manifest_crop=224):
    """Return every number that a stop may say, as it may be written."""
    values = [*stop.numbers.values(), stop.channel, manifest_crop]
    if "share" in stop.numbers:
        values.append(1 - stop.numbers["share"])
    if {"value", "plus"} <= stop.numbers.keys():
        values.append(stop.numbers["value"] / stop.numbers["plus"])
    written = {f(v) for v in values for f in (readable, part, percent) if f is readable or v >= 0}
    written |= {readable(-v) for v in values} | {str(round(v)) for v in values}
    return {text.replace(" %", "%") for text in written}


@pytest.mark.built
def test_every_number_of_every_sentence_was_measured(site, tiles):
    checked = 0
    for tour in read_tours(tiles).tours:
        for number, stop in enumerate(tour.stops, start=1):
            text = words_of(site / "tours.html", f"{tour.id}-{number}")
            for name in [stop.layer, *stop.names.values()]:
                text = text.replace(name, "")
            text = text.replace("−1 would make", "").replace(" %", "%").replace("> ", ">")
            text = text.replace("< ", "<").replace("×", " ")
            allowed = {one.replace(" ", "") for one in spoken(stop)}
            said = {one.strip(" .") for one in re.findall(r"[<>]?−?\d[\d.]*%?", text)}
            assert said <= allowed, (stop.kind, said - allowed, text)
            checked += len(said)
    assert checked > sum(len(tour.stops) for tour in read_tours(tiles).tours)


@pytest.mark.built
def test_every_stop_links_to_its_view(site, tiles):
    page = read_page(site / "tours.html")
    links = [a.attributes["href"] for a in page.all("a") if "tour=" in a.attributes["href"]]
    expected = []
    for tour in read_tours(tiles).tours:
        stops = []
        for number, stop in enumerate(tour.stops, start=1):
            view = {"layer": stop.layer, "channel": str(stop.channel), **stop.settings}
            view |= {"tour": tour.id, "stop": str(number)}
            stops.append((f"{MODEL}/{stop.image}.html", view))
        expected += [stops[0], *stops]  # the tour as a whole begins at its first stop
    found = [(link.partition("#")[0], dict(parse_qsl(link.partition("#")[2]))) for link in links]
    assert found == expected


@pytest.mark.built
def test_every_picture_is_there(site, tiles):
    page = read_page(site / "tours.html")
    shown = [image.attributes["src"] for image in page.all("img")]
    assert [src for src in shown if not (site / src).is_file()] == []
    drawn = {p.path for t in read_tours(tiles).tours for stop in t.stops for p in stop.pictures}
    assert {src.rsplit("/", 1)[1] for src in shown if f"/{TOURS}/" in src} == drawn
    assert all(
        image.attributes["alt"] for image in page.all("img") if "loading" in image.attributes
    )


def test_other_numbers_give_other_sentences(workshop):
    tour = read_tours(workshop.tiles).tours[0]
    numbers = tour.stops[0].numbers | {"likeness": 0.4321}
    stops = (replace(tour.stops[0], numbers=numbers),)
    workshop.change_tours(replace(tour, stops=stops))
    workshop.render()
    assert "0.432" in words_of(workshop.out / "tours.html", f"{tour.id}-1")


def test_without_a_tour_there_is_no_page_and_no_link_to_one(workshop):
    workshop.change_tours()
    workshop.render()
    assert not (workshop.out / "tours.html").exists()
    for path in workshop.out.rglob("*.html"):
        assert "tours.html" not in path.read_text("utf-8"), path.name


def test_titles_and_classes_are_text(workshop):
    hostile = '"><script>alert(1)</script>{{ 7*7 }}'
    tours = read_tours(workshop.tiles).tours
    for image in workshop.images:
        workshop.change_entry(image, title=hostile)
    named = tuple(
        replace(t, stops=tuple(replace(s, names={k: v if k in {"silent_on", "wrong_on"} else hostile
                                                 for k, v in s.names.items()}) for s in t.stops))
        for t in tours
    )  # fmt: skip
    workshop.change_tours(*named)
    workshop.render()
    page = read_page(workshop.out / "tours.html")
    assert page.all("script") == []
    assert any(hostile in caption.text for caption in page.all("figcaption"))


def test_what_the_weights_hardly_know_is_said(workshop):
    image = next(i for i in workshop.images if not read_entry(workshop.tiles, i).chart)
    tour = read_tours(workshop.tiles).tours[0]
    stop = replace(
        tour.stops[0], kind="wrong", image=image, settings={"answer": "0"},
        numbers={"probability": 0.5, "rank": 2.0, "inside": 0.25, "area": 0.5},
        names={"answer": "tench", "true": "llama"},
    )  # fmt: skip
    workshop.change_tours(replace(tour, id="wrong", stops=(stop,)))
    workshop.render()
    text = words_of(workshop.out / "tours.html", "wrong-1")
    assert "“llama”, which these weights hardly know; it comes as number 2." in text
    assert "25 % of what adds to the answer lies in the subject’s box, which covers 50 %" in text
    crowded = replace(stop, numbers={"probability": 0.5, "inside": 1.0, "area": 0.98})
    workshop.change_tours(replace(tour, id="wrong", stops=(crowded,)))
    workshop.render()
    text = words_of(workshop.out / "tours.html", "wrong-1")
    assert "is not among the first five" in text
    assert "box" not in text, "a box around everything tells nothing"
