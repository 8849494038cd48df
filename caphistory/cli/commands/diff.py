"""``caphistory diff``: how the functions between a syscall and its checks changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from difflib import unified_diff
from pathlib import Path
from typing import TYPE_CHECKING

import click

from caphistory.cli.complete import complete_release, complete_syscall
from caphistory.cli.functions import (
    Place,
    every_chain_option,
    find_functions,
    open_source,
    repository_option,
)
from caphistory.cli.highlight import color_diff_line
from caphistory.cli.session import Session, abi_option, pass_session, subcommand
from caphistory.cli.text import echo, say
from caphistory.errors import NothingFound
from caphistory.wording.phrases import format_count

if TYPE_CHECKING:
    from caphistory.questions.source_text import FunctionText, KernelSource


@subcommand("diff")
@click.argument("syscall", shell_complete=complete_syscall)
@click.argument("from_release", metavar="FROM", shell_complete=complete_release)
@click.argument("to_release", metavar="TO", shell_complete=complete_release)
@every_chain_option
@repository_option
@abi_option
@pass_session
def command(
    session: Session,
    syscall: str,
    from_release: str,
    to_release: str,
    everything: bool,
    repository: Path | None,
    abi: str | None,
) -> None:
    """What changed in the functions from SYSCALL to its checks.

    A unified diff, function by function, between the releases FROM and TO; piped, it is text
    too. Needs a clone that has both, such as the one that index makes.

    \b
    Examples:
      caphistory diff setgid 2.0.40 2.2.24
      caphistory diff --all mount 2.2.24 2.4.18
    """
    asked = session.resolve_syscall(syscall, abi)
    ends = [session.resolve_release(name) for name in (from_release, to_release)]
    abi = session.asked_abi(abi)
    chains = [find_functions(session, asked, None, end, abi, everything) for end in ends]
    if not any(side.lines for side in chains):
        raise NothingFound(f"{asked} checks no privilege in {ends[0]} or {ends[1]}")
    kernels = [open_source(session, end, repository) for end in ends]
    pairs = _pair_functions(chains[0].lines, chains[1].lines, *kernels)
    changes = [
        {"function": name, "diff": "\n".join(lines)}
        for name, before, after in pairs
        if (lines := list(_compare(before, after)))
    ]
    if not changes:
        raise NothingFound(f"nothing changed in the functions of {asked}: {ends[0]} → {ends[1]}")
    if not session.for_people and session.format is not None:
        session.print_rows(changes)
        return
    for change in changes:
        for line in change["diff"].split("\n"):
            echo(color_diff_line(line))
    left_out = max(side.left_out for side in chains)
    if left_out and session.for_people:
        say(f"\non the way to {format_count(left_out, 'more check')}: --all", dim=True)


def _pair_functions(
    before: Iterable[Place],
    after: Iterable[Place],
    old: KernelSource,
    new: KernelSource,
) -> Iterator[tuple[str, FunctionText | None, FunctionText | None]]:
    """Yield the name of each function of ``before`` and ``after`` with its text in both kernels,
    None where it is missing. A function on a chain of only one kernel is still looked up in the
    other, and one that moved to another file is found by name."""
    earlier, later = dict.fromkeys(before), dict.fromkeys(after)
    moved = {name: path for path, name in earlier if new.function(path, name) is None}
    for path, name in later:
        previous = old.function(path, name)
        if previous is None and name in moved:
            previous = old.function(moved[name], name)
            del earlier[(moved.pop(name), name)]
        yield name, previous, new.function(path, name)
    for path, name in earlier:
        if (path, name) not in later:
            yield name, old.function(path, name), new.function(path, name)


def _compare(before: FunctionText | None, after: FunctionText | None) -> Iterable[str]:
    """Return the unified diff of a function, headed by its places in the files."""
    return unified_diff(
        before.text.split("\n") if before else [],
        after.text.split("\n") if after else [],
        f"{before.path}:{before.line}" if before else "/dev/null",
        f"{after.path}:{after.line}" if after else "/dev/null",
        lineterm="",
    )
