"""Which category of the model a class is."""

import msgspec
import pytest

from survey.classes import find_classes, imagenet_begins_at, synsets

SMALL = ("tench", "Cardigan", "cardigan", "church", "crane", "crane")


@pytest.fixture(scope="module")
def imagenet(exported):
    """ImageNet's classes as the export names them."""
    return tuple(msgspec.json.decode(exported.read_bytes())["categories"])


def found(told, categories, folders=()):
    """Return name and category of each class."""
    classes = find_classes(told, folders, categories)
    return dict(zip(classes.names, classes.categories, strict=True))


def test_the_synsets_are_imagenet_s_in_order(imagenet):
    assert len(synsets()) == 1000
    assert list(synsets()) == sorted(synsets())
    assert tuple(synsets().values()) == imagenet
    # Facts that can be looked up: https://image-net.org/challenges/LSVRC/2012/browse-synsets
    known = {
        "n01440764": (0, "tench"), "n02102040": (217, "English springer"),
        "n03028079": (497, "church"), "n15075141": (999, "toilet tissue"),
    }  # fmt: skip
    places = list(synsets())
    assert {synset: (places.index(synset), synsets()[synset]) for synset in known} == known


@pytest.mark.parametrize(
    ("change", "begin"),
    [
        pytest.param(lambda names: names, 0, id="as exported"),
        pytest.param(lambda names: ("background", *names), 1, id="after a background"),
        pytest.param(lambda names: [f"{name.upper()}, a thing" for name in names], 0, id="spelled"),
        pytest.param(lambda names: sorted(names), None, id="in another order"),
        pytest.param(lambda names: names[1:], None, id="too few"),
        pytest.param(lambda names: [f"class {n}" for n in range(1000)], None, id="other names"),
    ],
)
def test_imagenet_is_told_from_its_names(imagenet, change, begin):
    assert imagenet_begins_at(change(imagenet)) == begin


def test_a_class_is_the_category_of_its_name():
    given = {"Tench", "church ", "cardigan", "Cardigan", "salmon"}
    assert found(given, SMALL) == {
        "Cardigan": 1, "cardigan": 2, "church": 3, "salmon": None, "tench": 0
    }  # fmt: skip


def test_several_words_can_mean_one_class():
    classes = find_classes({"TENCH", "tench", "0"}, (), SMALL)
    assert classes.names == ("tench",)
    assert classes.position == {"TENCH": 0, "tench": 0, "0": 0}


def test_a_name_of_two_categories_is_neither():
    classes = find_classes({"crane", "CARDIGAN"}, (), SMALL)
    assert classes.categories == (None, None)
    assert "the name of several categories: CARDIGAN, crane" in classes.remarks


def test_classes_of_one_name_are_kept_apart():
    assert found({"4", "5", "crane"}, SMALL) == {
        "crane (4)": 4,
        "crane (5)": 5,
        "crane (crane)": None,
    }


def test_a_wordnet_id_is_a_category_of_imagenet(imagenet):
    given = {"n02012849", "n03126707", "n03710721"}
    expected = {"crane bird": 134, "crane": 517, "maillot tank suit": 639}
    assert found(given, imagenet) == expected
    shifted = ("background", *imagenet)
    assert found(given, shifted) == {name: place + 1 for name, place in expected.items()}


def test_two_ids_of_one_name_are_kept_apart(imagenet):
    names = [name.replace("crane bird", "crane") for name in imagenet]
    assert found({"n02012849", "n03126707"}, names) == {
        "crane (n02012849)": 134,
        "crane (n03126707)": 517,
    }


def test_a_wordnet_id_is_called_by_its_name_with_any_model():
    given = {"n01440764", "n02102040", "n00000000"}
    assert found(given, SMALL) == {"tench": 0, "English springer": None, "n00000000": None}
    assert found(given, ("x", "n01440764")) == {
        "n01440764": 1, "English springer": None, "n00000000": None
    }  # fmt: skip


def test_a_number_is_a_category():
    assert found({"0", "003", "99"}, SMALL) == {"tench": 0, "church": 3, "99": None}
    assert found({"0", "1"}, ("1", "0")) == {"0": 1, "1": 0}, "a name goes before a number"


def test_numbers_of_folders_are_categories_only_where_all_are_there():
    some = [str(number) for number in range(5)]
    assert set(found((), SMALL, some).values()) == {None}
    assert sorted(found((), SMALL, [*some, "5"]).values()) == [0, 1, 2, 3, 4, 5]
    assert find_classes((), some, SMALL).remarks == [
        "no class of the data set is a category of the model: nothing tells its right answers"
    ]


def test_what_numbers_are_taken_for_is_told():
    remarks = find_classes({"3"}, (), SMALL).remarks
    assert remarks == [
        "1 of the classes are numbers, and taken for the model's categories counted from 0: "
        "3 is church"
    ]


def test_classes_that_are_not_judged_are_told():
    assert find_classes({"tench", "salmon"}, (), SMALL).remarks == [
        "no categories of the model, and not judged: salmon"
    ]


def test_names_of_any_bytes_can_be_written_and_differ():
    names = find_classes({"a\n", "a ", "\udcff", "\\xff"}, (), SMALL).names
    assert len(set(names)) == 4
    assert all(name.isprintable() and name.encode() for name in names)


def test_categories_without_letters_differ():
    assert found({"+", "−"}, ("+", "-")) == {"+": 0, "−": None}
