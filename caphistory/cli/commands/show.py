"""``caphistory show``: the source of the functions between a syscall and its checks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from caphistory.cli.complete import complete_privilege, complete_syscall
from caphistory.cli.functions import functions_on_chains, repository_option
from caphistory.cli.session import Session, abi_option, pass_session, subcommand
from caphistory.cli.text import say
from caphistory.errors import NothingFound
from caphistory.names import known_privilege, known_syscall

if TYPE_CHECKING:
    from caphistory.sources import FunctionText


@subcommand("show", release=True)
@click.argument("syscall", shell_complete=complete_syscall)
@click.argument("name", metavar="[CAP_X]", required=False, shell_complete=complete_privilege)
@repository_option
@abi_option
@pass_session
def command(
    session: Session, syscall: str, name: str | None, repository: Path | None, abi: str | None
) -> None:
    """The source of the functions from SYSCALL to its checks.

    With CAP_X, only those on the way to that check. Lines of the chain are marked. Needs a
    clone that has the release, such as the one that index makes.

    \b
    Examples:
      caphistory show chroot --release 2.2.24
      caphistory show bind CAP_NET_BIND_SERVICE --release 2.2.24
    """
    asked = known_syscall(session.connection, syscall)
    wanted = name and known_privilege(session.connection, name)
    release = session.asked_release
    found = functions_on_chains(session, asked, wanted, release, session.asked_abi(abi), repository)
    if not found:
        raise NothingFound(f"none of the functions was found in the source of {release}")
    if not session.for_people:
        session.print_rows([{"release": release, **text._asdict()} for text in found])
        return
    for text, lines in found.items():
        _print_function(text, lines)


def _print_function(text: FunctionText, marked: set[int]) -> None:
    say(f"{text.path}:{text.line}  {text.function}", bold=True)
    for number, line in enumerate(text.text.split("\n"), start=text.line):
        on_chain = number in marked
        say(f"{number:>6} {'>' if on_chain else ' '} {line}".rstrip(), bold=on_chain)
    say()
