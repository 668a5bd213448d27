"""Numbers are written short, and the ones that stand for a float32 stand for it exactly."""

import math

import msgspec
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from precompute.errors import NonFiniteError
from precompute.figures import EXACT, READABLE, named, number, numbers, rows

float32 = st.floats(width=32, allow_nan=False, allow_infinity=False)
digits = st.sampled_from([READABLE, EXACT])


@given(st.lists(float32))
@example([0.1, 1e-45, 3.4028235e38, -3.4028235e38, 999.99994, 1e-38, 16777217.0])
def test_nine_digits_bring_every_float32_back(values):
    exact = np.array(values, np.float32)
    text = msgspec.json.encode(numbers(exact, EXACT))
    assert np.array_equal(np.array(msgspec.json.decode(text), np.float32), exact)


def test_nine_digits_bring_back_float32_of_every_size():
    bits = np.random.default_rng(0).integers(0, 2**32, 200_000, np.uint32).view(np.float32)
    exact = bits[np.isfinite(bits)]
    assert np.array_equal(np.array(numbers(exact, EXACT)).astype(np.float32), exact)


@given(float32, digits)
def test_what_is_rounded_stays_as_it_is(value, places):
    once = number(value, places)
    assert number(once, places) == once


@given(st.floats(1e-12, 1e12), digits)
@example(0.1 + 0.2, READABLE)
@example(9.999999995, EXACT)
def test_rounding_is_to_the_nearest_decimal(value, places):
    shown = number(value, places)
    assert shown == pytest.approx(value, rel=0.501 * 10.0 ** (1 - places), abs=0)
    assert len(repr(float(f"{shown:.{places - 1}e}"))) >= len(repr(shown))
    assert math.isclose(shown, float(f"{shown:.{places - 1}e}"), rel_tol=0, abs_tol=0)


@pytest.mark.parametrize("value", [0.0, -0.0])
def test_zero_has_no_sign(value):
    assert math.copysign(1, number(value)) == 1


def test_any_shape_is_flattened_in_order():
    assert numbers(np.array([[1.0, 2.0], [3.0, 0.1234567]])) == [1.0, 2.0, 3.0, 0.123457]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_refused_with_its_position(value):
    told = r"^layer x: NaN or infinity .* at position 2$"
    with pytest.raises(NonFiniteError, match=told), named("layer x"):
        rows(np.array([[0.0, 1.0, 2.0], [3.0, 4.0, value]]), READABLE)
    with pytest.raises(NonFiniteError):
        number(value)


def test_numbers_beyond_float32_are_still_numbers():
    assert numbers(np.array([1e300, -1e-300])) == [1e300, pytest.approx(-1e-300)]
