"""Values of the contracts' dataclasses, for property-based tests."""

import json
import types
import typing
from dataclasses import fields, is_dataclass
from typing import Any

import msgspec
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

TEXTS = st.text(st.characters(codec="utf-8"), max_size=8)
ODD_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=5,
)


def values(kind: Any) -> st.SearchStrategy:
    """Return what a field of type `kind` can hold."""
    origin, inside = typing.get_origin(kind), typing.get_args(kind)
    if is_dataclass(kind):
        hints = typing.get_type_hints(kind, include_extras=True)
        return st.builds(kind, **{one.name: values(hints[one.name]) for one in fields(kind)})
    if origin is typing.Annotated:
        return _within(inside[0], inside[1])
    if origin in {types.UnionType, typing.Union}:
        return st.one_of([values(one) for one in inside])
    if origin is list:
        return st.lists(values(inside[0]), max_size=3)
    if origin is tuple and inside[-1] is Ellipsis:
        return st.lists(values(inside[0]), max_size=2).map(tuple)
    if origin is tuple:
        return st.tuples(*map(values, inside))
    if origin is dict:
        return st.dictionaries(values(inside[0]), values(inside[1]), max_size=3)
    return {
        str: TEXTS,
        bool: st.booleans(),
        int: st.integers(-(2**63), 2**64 - 1),
        float: st.floats(allow_nan=False, allow_infinity=False),
        type(None): st.none(),
    }[kind]


def _within(kind: Any, bounds: msgspec.Meta) -> st.SearchStrategy:
    if bounds.pattern:
        found = st.from_regex(bounds.pattern, alphabet=st.characters(codec="ascii"))
        return found.filter(lambda text: len(text) <= (bounds.max_length or len(text)))
    if kind is int:
        return st.integers(bounds.ge, bounds.le)
    if kind is float:
        return st.floats(bounds.ge, bounds.le, allow_nan=False, allow_infinity=False)
    return values(kind).filter(lambda some: len(some) >= (bounds.min_length or 0))


def validator(contract: types.ModuleType, kind: type) -> Draft202012Validator:
    """Return what checks JSON against the schema that is shipped for `kind`."""
    shipped = json.loads(contract.SCHEMA_PATH.read_bytes())
    return Draft202012Validator({"$ref": f"#/$defs/{kind.__name__}", "$defs": shipped["$defs"]})


@st.composite
def damaged(draw: st.DrawFn, content: st.SearchStrategy[bytes]) -> bytes:
    """Return JSON with something changed: a value, a field, or any of its bytes."""
    data = draw(content)
    if draw(st.booleans()):
        return _other_bytes(draw, data)
    whole = json.loads(data)
    place = whole
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        if not keys:
            break
        key = draw(st.sampled_from(keys))
        if isinstance(place[key], dict | list) and draw(st.booleans()):
            place = place[key]
            continue
        if draw(st.booleans()):
            place[key] = draw(ODD_JSON)
        else:
            del place[key]
        break
    return msgspec.json.encode(whole)


def _other_bytes(draw: st.DrawFn, data: bytes) -> bytes:
    start = draw(st.integers(0, len(data)))
    gone = draw(st.integers(0, 3) | st.just(len(data)))
    return data[:start] + draw(st.binary(max_size=3)) + data[start + gone :]
