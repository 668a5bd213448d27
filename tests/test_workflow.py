"""What runs on GitHub: pinned to commits, with no more rights than it needs.

The files are read as lines: they are plain, and no YAML reader is installed for them alone.
"""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
WORKFLOWS = sorted((ROOT / ".github" / "workflows").iterdir())
RIGHTS = {
    "gallery.yml": {
        "": {},
        "test": {"contents": "read"},
        "build": {"contents": "read", "pages": "read"},
        "deploy": {"pages": "write", "id-token": "write"},
    },
    "audit.yml": {"": {}, "audit": {"contents": "read"}},
}
# Whose text somebody else writes, in an expression that a shell or a job could be given.
FOREIGN = r"github\.(event\.(?!repository\.default_branch)|head_ref|event_name)"


def by_name(path):
    return path.name


def lines_of(path):
    """Return the indentation and text of every line that says something."""
    lines = [line for line in path.read_text("utf-8").splitlines() if line.strip()]
    return [
        (len(line) - len(line.lstrip()), line.strip()) for line in lines if line.strip()[0] != "#"
    ]


def block(lines, key, indent):
    """Return the lines below `key`, which stands at `indent`; None where it is not there."""
    for position, (at, text) in enumerate(lines):
        if at == indent and text.partition(" #")[0].startswith(f"{key}:"):
            below = []
            for deeper, line in lines[position + 1 :]:
                if deeper <= indent:
                    break
                below.append((deeper, line))
            return text.partition(":")[2].strip(), below
    return None


def rights(lines, indent):
    found = block(lines, "permissions", indent)
    if found is None:
        return None
    inline, below = found
    assert inline in ("", "{}"), inline
    assert bool(inline) != bool(below)
    return dict(line.split(": ") for _, line in below)


def jobs(path):
    _, below = block(lines_of(path), "jobs", 0)
    names = [text.removesuffix(":") for at, text in below if at == 2]
    return {name: block(below, name, 2)[1] for name in names}


def test_there_are_no_other_workflows():
    assert [path.name for path in WORKFLOWS] == sorted(RIGHTS)


@pytest.mark.parametrize("path", WORKFLOWS, ids=by_name)
def test_every_action_is_pinned_to_a_commit_and_says_which_release_it_is(path):
    uses = [text for _, text in lines_of(path) if re.match(r"(- )?uses:", text)]
    assert uses
    pinned = r"(- )?uses: actions/[a-z-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+"
    assert [line for line in uses if not re.fullmatch(pinned, line)] == []


def test_an_action_has_one_commit_everywhere():
    text = "".join(path.read_text("utf-8") for path in WORKFLOWS)
    found = set(re.findall(r"uses: (\S+)@(.+)", text))
    assert len(found) == len({name for name, _ in found})


@pytest.mark.parametrize("path", WORKFLOWS, ids=by_name)
def test_every_job_has_the_rights_that_it_needs_and_no_more(path):
    found = {"": rights(lines_of(path), 0)}
    found |= {name: rights(lines, 4) for name, lines in jobs(path).items()}
    assert found == RIGHTS[path.name]


def test_what_may_write_runs_no_code_of_ours_or_of_packages():
    lines = jobs(ROOT / ".github" / "workflows" / "gallery.yml")["deploy"]
    assert [text for _, text in lines if re.match(r"(- )?run:|.*checkout@", text)] == []


def test_only_the_default_branch_is_published():
    build = block(jobs(ROOT / ".github" / "workflows" / "gallery.yml")["build"], "if", 4)[0]
    assert build == (
        "github.ref == format('refs/heads/{0}', github.event.repository.default_branch) "
        "&& github.event_name != 'pull_request'"
    )
    assert block(jobs(ROOT / ".github" / "workflows" / "gallery.yml")["deploy"], "needs", 4)[0] == (
        "build"
    )


@pytest.mark.parametrize("path", WORKFLOWS, ids=by_name)
def test_every_job_ends_in_time_and_leaves_no_credentials(path):
    for name, lines in jobs(path).items():
        assert 0 < int(block(lines, "timeout-minutes", 4)[0]) <= 60, name
        texts = [text for _, text in lines]
        assert sum("checkout@" in text for text in texts) == texts.count(
            "persist-credentials: false"
        )


@pytest.mark.parametrize("path", WORKFLOWS, ids=by_name)
def test_nothing_that_a_stranger_writes_reaches_a_shell(path):
    text = path.read_text("utf-8")
    commands = [line for _, line in lines_of(path) if re.match(r"(- )?run:", line)]
    assert commands
    assert [line for line in commands if "${{" in line or line.endswith(("|", ">"))] == []
    assert (
        re.findall(r"pull_request_target|workflow_run|issue_comment|secrets\.|\bcache\b", text)
        == []
    )
    environment = re.findall(r"^ +[A-Z_]+: (.*)$", text, re.MULTILINE)
    assert [value for value in environment if re.search(FOREIGN, value)] == []


@pytest.mark.parametrize("path", WORKFLOWS, ids=by_name)
def test_runs_of_one_branch_do_not_pile_up(path):
    _, below = block(lines_of(path), "concurrency", 0)
    assert dict(below and [line.split(": ", 1) for _, line in below])["group"] == (
        "${{ github.workflow }}-${{ github.ref }}"
    )


def test_updates_are_offered_for_actions_and_npm():
    text = (ROOT / ".github" / "dependabot.yml").read_text("utf-8")
    assert re.findall(r"package-ecosystem: (.+)", text) == ["github-actions", "npm"]
    folders = re.findall(r"- /(.+)", text)
    assert [f for f in folders if not (ROOT / f / "package-lock.json").is_file()] == []
