"""What tests of several stages share: the real model, exported once, and a small real gallery."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from checked import MODEL

import precompute  # noqa: F401  before any test imports onnxruntime, which would report home

ROOT = Path(__file__).parent.parent
EXPORTER = ROOT / ".venv-export" / "bin" / "python"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--build",
        type=lambda name: Path(name).resolve(),
        help="folder of a build to check, instead of making a new one",
    )


def run(*command: object) -> subprocess.CompletedProcess[str]:
    """Run a stage of the pipeline as a person would, and fail with its message if it fails."""
    done = subprocess.run([str(part) for part in command], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done


@pytest.fixture(scope="session")
def exported(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The manifest of ResNet-18 with the bundled weights and the default layers."""
    if built := request.config.getoption("--build"):
        return built / "model" / f"{MODEL}.json"
    folder = tmp_path_factory.mktemp("model")
    run(EXPORTER, "-m", "export", "--weights", "bundled", "--out", folder)
    return folder / "resnet18.json"


@pytest.fixture(scope="session")
def example_photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the first three examples and the first chart, described as in examples/."""
    folder = tmp_path_factory.mktemp("photos")
    header, *tables = (ROOT / "examples" / "examples.toml").read_text("utf-8").split("[[photo]]\n")
    charts = [table for table in tables if "chart = true" in table]
    chosen = [*tables[:3], charts[0]]
    (folder / "examples.toml").write_text(
        header + "".join("[[photo]]\n" + table for table in chosen), "utf-8"
    )
    for table in chosen:
        name = table.split('file = "', 1)[1].split('"', 1)[0]
        shutil.copy(ROOT / "examples" / name, folder / name)
    return folder


@pytest.fixture(scope="session")
def tiles(
    request: pytest.FixtureRequest, exported: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The model's folder of tiles for the example photos, computed without PyTorch."""
    if built := request.config.getoption("--build"):
        return built / "tiles" / MODEL
    example_photos = request.getfixturevalue("example_photos")
    out = tmp_path_factory.mktemp("tiles")
    command = ["-m", "precompute", "--manifest", exported, "--images", example_photos, "--out", out]
    run(sys.executable, *command)
    return out / "resnet18"


@pytest.fixture(scope="session")
def runtime(request: pytest.FixtureRequest) -> Path:
    """The folder of onnxruntime-web, which make fetches before tests: they do not need the net."""
    folder: Path = (request.config.getoption("--build") or ROOT / "build") / "vendor"
    assert (folder / "runtime.json").is_file(), "run make build/vendor/runtime.json"
    return folder


@pytest.fixture(scope="session")
def site(
    request: pytest.FixtureRequest,
    exported: Path,
    tiles: Path,
    runtime: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """The website of those tiles."""
    if built := request.config.getoption("--build"):
        return built / "site"
    out = tmp_path_factory.mktemp("site") / "site"
    command = ["-m", "site_template", "--manifest", exported, "--tiles", tiles.parent]
    command += ["--runtime", runtime, "--surveys", out.with_name("none"), "--out", out]
    run(sys.executable, *command, "--author", "Ada <Lovelace>", "--url", "https://example.org/maps")
    return out
