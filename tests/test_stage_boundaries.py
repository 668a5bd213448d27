"""What each stage may import, and who may speak: read from the source, not from what runs."""

import ast
import importlib.util
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SHARED = {path.stem for path in ROOT.glob("*.py")}
"""Modules that every stage may use."""
SOURCES = [
    *ROOT.glob("*.py"),
    *[
        path
        for stage in ("export", "precompute", "survey", "site_template")
        for path in ROOT.glob(f"{stage}/**/*.py")
    ],
]
PYTORCH = {"torch", "torchvision", "onnx", "onnxscript", "safetensors"}
STANDARD = sys.stdlib_module_names
OURS = SHARED | {"export", "precompute", "survey", "site_template"}


def name_of(path):
    return path.relative_to(ROOT).with_suffix("").as_posix().replace("/", ".")


def tree_of(path):
    return ast.parse(path.read_text("utf-8"))


def imports(path):
    """Return every module that a file imports anywhere, functions included."""
    found = set()
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            module = node.module or ""
            inside = {f"{module}.{alias.name}" for alias in node.names}
            ours = {name for name in inside if (ROOT / f"{name.replace('.', '/')}.py").is_file()}
            found |= ours or {module}
    return found


IMPORTS = {name_of(path): imports(path) for path in SOURCES}


def importing(unwanted, modules):
    """Return the modules that import something for which `unwanted` is true, and what."""
    faults = {module: {name for name in IMPORTS[module] if unwanted(name)} for module in modules}
    return {module: names for module, names in faults.items() if names}


def within(stage):
    return [module for module in IMPORTS if module.split(".")[0] == stage]


def test_every_stage_is_looked_at():
    assert {module.split(".")[0] for module in IMPORTS} == OURS
    assert "torch" in IMPORTS["export.graph"]
    assert "export.manifest" in IMPORTS["precompute.build"]


def test_only_the_export_needs_pytorch():
    others = [module for module in IMPORTS if module not in within("export")]
    assert importing(lambda name: name.split(".")[0] in PYTORCH, others) == {}


def test_the_environment_of_precompute_has_no_pytorch():
    assert [name for name in sorted(PYTORCH) if importlib.util.find_spec(name)] == []


def test_contracts_need_nothing_but_the_shared_file_format():
    for contract in ("export.manifest", "precompute.index", "survey.contract"):
        outside = {name.split(".")[0] for name in IMPORTS[contract]} - STANDARD
        assert outside - {"msgspec"} == {"artifacts"}, contract
    lessons = {n for n in IMPORTS["precompute.lessons"] if n.split(".")[0] not in STANDARD}
    assert lessons - {"msgspec"} == {"artifacts", "precompute.index"}


@pytest.mark.parametrize(
    ("stage", "contracts"),
    [
        *[(module, set()) for module in sorted(SHARED)],
        ("export", set()),
        ("precompute", {"export.manifest", "export.presets"}),
        (
            "site_template",
            {"export.manifest", "precompute.index", "precompute.lessons", "survey.contract"},
        ),
    ],
)
def test_a_stage_imports_only_the_contracts_of_those_before_it(stage, contracts):
    allowed = contracts | SHARED | {*within(stage), stage}
    assert importing(lambda n: n.split(".")[0] in OURS and n not in allowed, within(stage)) == {}


def test_the_site_needs_no_numbers_and_no_pictures():
    allowed = {"jinja2", "markupsafe", "msgspec"} | OURS | sys.stdlib_module_names
    assert importing(lambda name: name.split(".")[0] not in allowed, within("site_template")) == {}


def speaks(path):
    """Return how a file prints or exits."""
    calls = [node.func for node in ast.walk(tree_of(path)) if isinstance(node, ast.Call)]
    return {ast.unparse(call) for call in calls} & {"print", "exit", "quit", "sys.exit", "os._exit"}


def test_only_the_commands_print_and_exit():
    speaking = {"precompute.progress", "terminal"}
    silent = [p for p in SOURCES if p.name != "__main__.py" and name_of(p) not in speaking]
    # A worker whose parent is gone has nobody to tell.
    expected = {"precompute.workers": {"os._exit"}}
    assert {name_of(path): speaks(path) for path in silent if speaks(path)} == expected


def test_every_public_function_and_class_says_what_it_is():
    silent = [
        f"{name_of(path)}.{node.name}"
        for path in SOURCES
        for node in tree_of(path).body
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
        and not node.name.startswith("_")
        and not ast.get_docstring(node)
    ]
    assert silent == []


def test_every_module_says_what_it_is_for():
    assert [name_of(path) for path in SOURCES if not ast.get_docstring(tree_of(path))] == []


def test_every_command_runs_as_terminal_says():
    commands = [path for path in SOURCES if path.name == "__main__.py"]
    ends = {name_of(path): ast.unparse(tree_of(path).body[-1]) for path in commands}
    run = "if __name__ == '__main__':\n    sys.exit(terminal.run(main))"
    assert set(ends.values()) == {run}, ends
