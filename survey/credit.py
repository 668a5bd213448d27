"""Whose photos they are: survey.toml."""

import tomllib
from pathlib import Path

import msgspec

import artifacts
from precompute.errors import one_line
from survey.contract import Credit
from survey.errors import SurveyError

DESCRIPTION = "survey.toml"
_LARGEST = 1_000_000


class _Given(msgspec.Struct, forbid_unknown_fields=True):
    title: str = ""
    author: str = ""
    licence: str = ""
    source: str = ""


def read_credit(photos: Path) -> Credit:
    """Return what survey.toml in the folder `photos` says, or the .toml file of the same name
    beside a list or an archive. Without a title it is the name of `photos`.

    Raises SurveyError.
    """
    photos = photos.expanduser().absolute()
    folder = photos.is_dir()
    path = photos / DESCRIPTION if folder else photos.with_suffix(".toml")
    given = _read(path) if path.is_file() else _Given()
    name = photos.resolve().name if folder else photos.stem
    return Credit(
        artifacts.seen(given.title).strip() or artifacts.printable(name).strip() or "Photos",
        *(artifacts.seen(text).strip() for text in (given.author, given.licence, given.source)),
    )


def _read(path: Path) -> _Given:
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST + 1)
        if len(data) > _LARGEST:
            raise SurveyError(f"{path} has more than {_LARGEST // 10**6} MB: expected a few lines")
        return msgspec.convert(tomllib.loads(data.decode("utf-8-sig")), _Given)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise SurveyError(f"{path} cannot be read as TOML: {one_line(error)}") from None
    except msgspec.ValidationError as error:
        raise SurveyError(
            f"{path}: {one_line(error)}; known keys are {', '.join(_Given.__struct_fields__)}, each "
            "a text"
        ) from None
