"""``show`` and ``diff`` read the functions on a chain from a clone."""

from __future__ import annotations

import re
from pathlib import Path

import pygit2
import pytest

from caphistory.cli.highlight import color_source
from caphistory.errors import CaphistoryError
from caphistory.history.source_text import find_function
from caphistory.questions.source_text import find_clone_command, open_kernel
from tests.faces.conftest import Run
from tests.factories import build, check, linked, release, site, step
from tests.kernels.git import commit
from tests.kernels.sources import NEW, build_sources


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """A database of two releases and the repository that has their source."""
    return build_sources(tmp_path_factory.mktemp("sources"))


def test_the_lines_of_the_chain_are_marked(caphistory: Run, history: tuple[str, str]) -> None:
    database, repository = history
    said = caphistory(
        "--db", database, "show", "settle", "--repository", repository, "--format", "table"
    )
    marked = [line for line in said.lines if re.match(r" *\d+ > ", line)]
    assert [line.split(">")[1].strip() for line in marked] == [
        "if (!allowed(id))",
        "return capable(CAP_SETGID);",
    ]


def test_a_function_that_is_on_the_chain_of_one_kernel_alone_is_compared_all_the_same(
    caphistory: Run, tmp_path: Path
) -> None:
    path, moved = "kernel/sys.c", "kernel/uid.c"
    helper = b"int may(int id)\n{\n\treturn %s;\n}\n"
    entry = b"int sys_settle(int id)\n{\n\treturn may(id);\n}\n"
    repository = pygit2.init_repository(str(tmp_path / "linux.git"), bare=True)
    old = {path: entry, moved: helper % b"suser()"}
    new = {path: helper % b"id ? capable(CAP_SETGID) : 0" + entry}
    kernels = [
        linked(
            release("2.0.40")._replace(commit_sha=str(commit(repository, old))),
            checks=[check("settle", site(moved, 3, "may", "suser"), step("sys_settle", path, 3))],
        ),
        linked(
            release("2.2.24")._replace(commit_sha=str(commit(repository, new))),
            checks=[check("settle", site(path, 3, "may", "capable", "CAP_SETGID"))],
        ),
    ]
    database = build(tmp_path / "moved.db", *kernels)
    asked = ("diff", "settle", "2.0.40", "2.2.24", "--repository", repository.path)
    said = caphistory("--db", str(database), *asked)
    # sys_settle itself is the same in both, though only one chain goes through it.
    assert said.lines == [
        "--- kernel/uid.c:1",
        "+++ kernel/sys.c:1",
        "@@ -1,4 +1,4 @@",
        " int may(int id)",
        " {",
        "-        return suser();",
        "+        return id ? capable(CAP_SETGID) : 0;",
        " }",
    ]


def test_show_and_diff_take_the_best_chains_unless_all_are_asked_for(
    caphistory: Run, tmp_path: Path
) -> None:
    repository = pygit2.init_repository(str(tmp_path / "linux.git"), bare=True)
    names = [f"may{number}" for number in range(5)]
    source = "".join(f"int {name}(void)\n{{\n\treturn suser();\n}}\n" for name in names)
    path = "kernel/sys.c"
    kernel = linked(
        release("2.0.40")._replace(commit_sha=str(commit(repository, {path: source.encode()}))),
        checks=[
            check("settle", site(path, 4 * number + 3, name, "suser"))
            for number, name in enumerate(names)
        ],
    )
    kernels = ("--db", str(build(tmp_path / "five.db", kernel)), "show", "settle")
    asked = (*kernels, "--repository", repository.path, "--format", "table")
    said = caphistory(*asked)
    assert [line for line in said.lines if line.startswith(path)] == [
        f"{path}:{4 * number + 1}  {name}" for number, name in enumerate(names[:3])
    ]
    assert said.lines[-1] == "on the way to 2 more checks: --all"
    assert "may4" in caphistory(*asked, "--all").out


def test_source_is_colored_by_what_it_is() -> None:
    lines = color_source('/* a\n b */ if (suser()) x = "if"; \x1b')
    assert lines == [
        "\x1b[90m/* a\x1b[0m",
        "\x1b[90m b */\x1b[0m \x1b[34mif\x1b[0m (\x1b[33msuser\x1b[0m()) x = "
        '\x1b[32m"if"\x1b[0m; \N{REPLACEMENT CHARACTER}',
    ]


def test_without_a_clone_it_says_how_to_get_one(
    caphistory: Run, history: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database, _ = history
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    said = caphistory("--db", database, "show", "settle")
    assert (said.exit_code, said.out) == (3, "")
    assert "the source of 2.2.24 is not on this machine: `caphistory index`" in said.err
    said = caphistory("--db", database, "show", "settle", "--repository", str(tmp_path))
    assert (said.exit_code, said.err) == (
        3,
        f"caphistory: {tmp_path} is not a git repository that can be read\n",
    )


def test_the_command_that_brings_a_source_that_ships(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path / "elsewhere"))
    folder = tmp_path / "caphistory" / "github.com+sndrzt+linux-6.8.git"
    assert (
        find_clone_command("6.8")
        == f"git clone --bare https://github.com/sndrzt/linux-6.8 {folder}"
    )
    # The default history is brought by index, and archives by nothing of ours.
    assert find_clone_command("2.2.24") is None
    assert find_clone_command("6.12.117") is None
    with pytest.raises(CaphistoryError, match="is not on this machine: git clone --bare"):
        open_kernel("6.8", "0" * 40, [])


def test_a_function_that_is_not_there_is_none() -> None:
    assert find_function(NEW, "kernel/sys.c", "missing") is None
