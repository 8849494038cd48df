"""``caphistory diff``: how the functions between a syscall and its checks changed."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import unified_diff
from pathlib import Path
from typing import TYPE_CHECKING

import click

from caphistory.cli.complete import complete_release, complete_syscall
from caphistory.cli.functions import functions_on_chains, repository_option
from caphistory.cli.session import Session, abi_option, pass_session, subcommand
from caphistory.cli.text import say
from caphistory.errors import NothingFound
from caphistory.names import known_release, known_syscall

if TYPE_CHECKING:
    from caphistory.sources import FunctionText


@subcommand("diff")
@click.argument("syscall", shell_complete=complete_syscall)
@click.argument("from_release", metavar="FROM", shell_complete=complete_release)
@click.argument("to_release", metavar="TO", shell_complete=complete_release)
@repository_option
@abi_option
@pass_session
def command(
    session: Session,
    syscall: str,
    from_release: str,
    to_release: str,
    repository: Path | None,
    abi: str | None,
) -> None:
    """What changed in the functions from SYSCALL to its checks.

    A unified diff, function by function, between the releases FROM and TO. Needs a clone
    that has both, such as the one that index makes.

    \b
    Example:
      caphistory diff setgid 2.0.40 2.2.24
    """
    asked = known_syscall(session.connection, syscall)
    ends = [known_release(session.connection, name) for name in (from_release, to_release)]
    abi = session.asked_abi(abi)
    before, after = (
        {
            text.function: text
            for text in functions_on_chains(session, asked, None, release, abi, repository)
        }
        for release in ends
    )
    changes = [
        (function, lines)
        for function in {**after, **before}
        if (lines := list(_difference(before.get(function), after.get(function))))
    ]
    if not changes:
        raise NothingFound(f"nothing changed in the functions of {asked}: {ends[0]} → {ends[1]}")
    if not session.for_people and session.format is not None:
        session.print_rows([{"function": name, "diff": "\n".join(ls)} for name, ls in changes])
        return
    for _, lines in changes:
        for line in lines:
            say(line, color={"+": "green", "-": "red", "@": "cyan"}.get(line[:1]))


def _difference(before: FunctionText | None, after: FunctionText | None) -> Iterable[str]:
    """The unified diff of a function, with the lines of its files."""
    return unified_diff(
        before.text.split("\n") if before else [],
        after.text.split("\n") if after else [],
        f"{before.path}:{before.line}" if before else "/dev/null",
        f"{after.path}:{after.line}" if after else "/dev/null",
        lineterm="",
    )
