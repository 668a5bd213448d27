"""What a person gives to make arrives as it was given, and nothing of it is run."""

import os
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")
TEXTS = (
    'it\'s $5, `id` & "more"',
    "$(shell touch made) ${HOME} $$ $HOME $(",
    "a\\b; touch made #1 | * ?",
    "Ω × 日本",
    "  two  spaces  ",
    "-n, --help",
)


MADE = (
    ".venv/.installed-onnxruntime",
    ".venv/.ray",
    ".venv/.survey",
    ".venv-export/.installed",
    ".venv-export/.efficientnet-lite0",
)
"""What says that an environment is whole."""


def make(folder, *arguments, **given):
    outside = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    command = ["make", "-s", "-f", ROOT / "Makefile", *arguments]
    return subprocess.run(
        command, cwd=folder, env={**outside, **given}, capture_output=True, text=True
    )


@pytest.fixture
def probe(tmp_path):
    """A rule that hands a setting on in the way of all others."""
    (tmp_path / "site_template").mkdir()  # make asks what is in it
    path = tmp_path / "probe.mk"
    names = ("TITLE", "AUTHOR", "IMAGES", "WEIGHTS", "LAYERS", "REPOSITORY", "SITE_URL")
    words = " ".join(f"$(call quote,$({name}))" for name in names)
    path.write_text(f"probe:\n\t@printf '%s\\n' {words}\n")
    return lambda *settings, **given: make(tmp_path, "-f", path, "probe", *settings, **given)


@pytest.mark.parametrize("text", TEXTS)
def test_a_setting_arrives_as_it_was_given(probe, tmp_path, text):
    done = probe(f"TITLE={text}", f"IMAGES={text}", f"WEIGHTS={text}", AUTHOR=text, LAYERS=text)
    assert (done.returncode, done.stderr) == (0, "")
    title, author, images, weights, layers, *_ = done.stdout.split("\n")
    if text.startswith(" "):  # make strips what stands behind the equals sign
        title, images, weights = (f"  {given}" for given in (title, images, weights))
    assert [title, author, images, weights, layers] == [text] * 5
    assert {path.name for path in tmp_path.iterdir()} == {"probe.mk", "site_template"}


def test_what_is_not_given_is_as_the_makefile_says(probe):
    assert probe().stdout.split("\n")[:3] == ["Feature maps", "", "examples"]


def test_programs_of_an_environment_are_run_by_its_python():
    """A script's first line names its Python, and breaks where a folder is called "a b"."""
    scripts = [line for line in MAKEFILE.splitlines() if "/bin/" in line]
    binaries = ("/bin/python ", "/bin/ruff ")
    assert [line for line in scripts if not any(name in line for name in binaries)] == []
    venv = (ROOT / "scripts" / "venv").read_text("utf-8")
    assert '/bin/pip"' not in venv


# Several models


@pytest.fixture
def project(tmp_path):
    """A folder in which make finds environments, whose programs write down how they are called."""
    for environment in (".venv", ".venv-export"):
        python = tmp_path / environment / "bin" / "python"
        python.parent.mkdir(parents=True)
        python.write_text(RECORD)
        python.chmod(0o755)
    shutil.copytree(ROOT / "locks", tmp_path / "locks")
    for made in (*MADE, "artifacts.py"):
        (tmp_path / made).touch()
    (tmp_path / "site_template").mkdir()

    def run(*settings):
        """Run make; return each program's name and its options."""
        (tmp_path / "calls").write_text("")
        done = make(tmp_path, *settings)
        assert done.returncode == 0, done.stderr
        calls = [shlex.split(line) for line in (tmp_path / "calls").read_text("utf-8").splitlines()]
        return [(name, options) for _, name, *options in calls]

    return run


RECORD = r"""#!/bin/sh
for word; do printf "'%s' " "$(printf %s "$word" | sed "s/'/'\\\\''/g")"; done >> calls
echo >> calls
while [ $# -gt 0 ]; do
  case $1 in (--name) name=$2;; (--out) out=$2;; esac
  shift
done
[ -z "$name" ] || { mkdir -p "$out" && touch "$out/$name.json"; }
"""


def option(options, name):
    return options[options.index(name) + 1] if name in options else None


def exported(calls):
    """Return, by name, what each model was exported from."""
    return {
        option(options, "--name"): {
            key: option(options, f"--{key}")
            for key in ("model", "weights", "sha256", "labels", "input", "layers")
            if f"--{key}" in options
        }
        for name, options in calls
        if name == "export"
    }


def test_every_word_of_model_is_exported_computed_and_shown(project):
    calls = project("site", "MODEL=resnet18 resnet18@random:0 nets/my_net.onnx", "LAYERS=a,b")
    assert exported(calls) == {
        "resnet18": {"model": "resnet18", "weights": "auto", "layers": "a,b"},
        "resnet18-random-0": {"model": "resnet18", "weights": "random:0", "layers": "a,b"},
        "my_net": {"model": "nets/my_net.onnx", "layers": "a,b"},
    }
    manifests = [f"build/model/{name}.json" for name in exported(calls)]
    computed = [word for name, options in calls if name == "precompute" for word in options]
    assert [word for word in computed if word.endswith(".json")] == manifests
    ((_, shown),) = [call for call in calls if call[0] == "site_template"]
    assert shown[: shown.index("--tiles") + 2] == [
        "--manifest",
        *manifests,
        "--tiles",
        "build/tiles",
    ]
    assert option(shown, "--max-site-size") == "1GB"


def test_only_what_changed_is_exported_again(project, tmp_path):
    weights = tmp_path / "mine.pth"
    weights.write_text("first")
    both = f"MODEL=resnet18 resnet34@{weights}"
    assert set(exported(project("export", both))) == {"resnet18", "resnet34-mine"}
    assert exported(project("export", both)) == {}
    weights.write_text("trained on")
    assert set(exported(project("export", both))) == {"resnet34-mine"}
    assert set(exported(project("export", f"{both} vgg11"))) == {"vgg11"}
    assert set(exported(project("export", both, "WEIGHTS=random:1"))) == {"resnet18"}


def test_a_changed_onnx_file_or_what_describes_it_is_exported_again(project, tmp_path):
    network, told = tmp_path / "net.onnx", tmp_path / "net.toml"
    network.write_text("network")
    line = ["export", f"ONNX={network}"]
    assert set(exported(project(*line))) == {"net"}
    assert exported(project(*line)) == {}
    told.write_text("labels = 'imagenet'")
    assert set(exported(project(*line))) == {"net"}
    network.write_text("another")
    assert set(exported(project(*line))) == {"net"}
    assert exported(project(*line)) == {}
    told.write_text('labels = "classes.txt"  # or "imagenet"')
    assert set(exported(project(*line))) == {"net"}
    (tmp_path / "classes.txt").write_text("ash")
    assert set(exported(project(*line))) == {"net"}
    (tmp_path / "classes.txt").write_text("birch")
    assert set(exported(project(*line))) == {"net"}
    assert exported(project(*line)) == {}


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("nets/my  best net.onnx", "my-best-net"),
        ("it's $HOME & `id`.onnx", "it-s-HOME-id"),
        ("a@b/Ünet.v2.onnx", "net.v2"),
    ],
)
def test_the_path_of_an_onnx_file_can_hold_anything(project, tmp_path, path, name):
    assert exported(project("export", f"ONNX={path}", "LABELS=my labels.txt")) == {
        name: {"model": path, "labels": "my labels.txt", "layers": "auto"}
    }
    assert (tmp_path / "build" / "model" / f"{name}.json").is_file()


def test_settings_are_for_models_without_their_own(project):
    given = ["WEIGHTS=all.pth", "WEIGHTS_SHA256=abc", "LABELS=l.txt", "INPUT=i.toml"]
    found = exported(project("export", "MODEL=resnet18 vgg11@random:3", *given))
    common = {"labels": "l.txt", "input": "i.toml", "layers": "auto"}
    assert found == {
        "resnet18": {"model": "resnet18", "weights": "all.pth", "sha256": "abc", **common},
        "vgg11-random-3": {"model": "vgg11", "weights": "random:3", **common},
    }


def test_a_network_that_is_made_here_is_made_first(project):
    calls = project("export", "MODEL=efficientnet_lite0")
    assert [name for name, _ in calls] == ["export.efficientnet_lite0", "export"]
    assert option(calls[0][1], "--out") == "build/given"
    assert option(calls[1][1], "--model") == "build/given/efficientnet_lite0.onnx"
    for other in (
        "MODEL=vgg11",
        "MODEL=nets/efficientnet_lite0-x.onnx",
        "ONNX=efficientnet_lite0.onnx",
    ):
        assert "export.efficientnet_lite0" not in [name for name, _ in project("export", other)]


def test_the_hash_of_an_onnx_file_is_handed_on(project):
    found = exported(
        project("export", "ONNX=net.onnx", "WEIGHTS_SHA256=abc", "WEIGHTS=random:1; x")
    )
    assert (found["net"]["sha256"], found["net"]["weights"]) == ("abc", "random:1; x")


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("", "MODEL names no model: give one such as resnet18"),
        ("resnet18 resnet18", "two models of MODEL have one id: resnet18 resnet18"),
        ("a/net.onnx b/net.onnx", "two models of MODEL have one id: net net"),
    ],
)
def test_what_names_no_model_or_one_twice_is_refused(tmp_path, model, message):
    done = make(tmp_path, "export", f"MODEL={model}")
    assert done.returncode == 2
    assert message in done.stderr
    assert not list(tmp_path.iterdir())
