"""Amounts of bytes are read and written as people do."""

import pytest

from sizes import parse_size, readable


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("500MB", 500_000_000),
        ("1GB", 1_000_000_000),
        ("1.5GB", 1_500_000_000),
        (" 1.5 gb ", 1_500_000_000),
        ("20k", 20_000),
        ("2T", 2 * 10**12),
        ("1234", 1234),
        ("1 B", 1),
        ("none", None),
        ("None", None),
    ],
)
def test_a_size_is_read(text, size):
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "0", "0.0001k", "-1GB", "1 PB", "1,5GB", "GB", "1e9", "1.GB"])
def test_what_is_no_size_is_refused_with_an_example(text):
    with pytest.raises(ValueError, match=f"^invalid size '{text}': expected one such as 500MB"):
        parse_size(text)


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (999, "999 bytes"),
        (1_000, "1 kB"),
        (820_000, "820 kB"),
        (999_499, "999 kB"),
        (999_999, "1 MB"),
        (1_234_567, "1.23 MB"),
        (9_996_000, "10.0 MB"),
        (47_260_000, "47.3 MB"),
        (1_500_000_000, "1.50 GB"),
        (10**9, "1 GB"),
        (5 * 10**12, "5000 GB"),
    ],
)
def test_a_size_is_said_with_three_digits(size, text):
    assert readable(size) == text


def test_what_is_said_can_be_read():
    for size in (1, 999, 820_000, 1_500_000_000):
        assert parse_size(readable(size)) == size
