"""Which packages compute a survey: another version may round otherwise."""

from importlib.metadata import PackageNotFoundError, version

from precompute import plan
from survey.errors import SurveyError


def producers() -> dict[str, str]:
    """Return the versions of the packages that do the work; raises SurveyError where one is missing."""
    try:
        compiler = {name: version(name) for name in ("llvmlite", "numba")}
    except PackageNotFoundError as error:
        raise SurveyError(
            f"{error.name} is not installed here: run make survey, which does that"
        ) from None
    return {**plan.producers(), **compiler}
