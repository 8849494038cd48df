"""``caphistory show``: the source of the functions between a syscall and its checks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from caphistory.cli.complete import complete_privilege, complete_syscall
from caphistory.cli.functions import (
    every_chain_option,
    find_functions,
    open_source,
    repository_option,
)
from caphistory.cli.highlight import color_source
from caphistory.cli.session import Session, abi_option, pass_session, subcommand
from caphistory.cli.text import echo, say
from caphistory.errors import NothingFound
from caphistory.questions.names import resolve_privilege
from caphistory.wording.phrases import format_count

if TYPE_CHECKING:
    from caphistory.questions.source_text import FunctionText


@subcommand("show", release=True)
@click.argument("syscall", shell_complete=complete_syscall)
@click.argument("name", metavar="[CAP_X]", required=False, shell_complete=complete_privilege)
@every_chain_option
@repository_option
@abi_option
@pass_session
def command(
    session: Session,
    syscall: str,
    name: str | None,
    everything: bool,
    repository: Path | None,
    abi: str | None,
) -> None:
    """The source of the functions from SYSCALL to its checks.

    With CAP_X, only those on the way to that check. Lines of the chain are marked. Piped, it
    is text too, as for a pager. Needs a clone that has the release, such as the one that index
    makes.

    \b
    Examples:
      caphistory show chroot --release 2.2.24
      caphistory show bind CAP_NET_BIND_SERVICE --release 2.2.24
    """
    asked = session.resolve_syscall(syscall, abi)
    wanted = name and resolve_privilege(session.connection, name)
    release = session.asked_release
    chains = find_functions(session, asked, wanted, release, session.asked_abi(abi), everything)
    if not chains.lines:
        raise NothingFound(f"{asked} does not check {wanted or 'any privilege'} in {release}")
    kernel = open_source(session, release, repository)
    functions = [
        (text, lines)
        for place, lines in chains.lines.items()
        if (text := kernel.function(*place)) is not None
    ]
    if not functions:
        raise NothingFound(f"none of the functions was found in the source of {release}")
    # Piped, it is source for a person to read, as in a pager.
    if not session.for_people and session.format is not None:
        session.print_rows([{"release": release, **text._asdict()} for text, _ in functions])
        return
    for text, lines in functions:
        _print_function(text, lines)
    if chains.left_out:
        say(f"on the way to {format_count(chains.left_out, 'more check')}: --all", dim=True)


def _print_function(text: FunctionText, marked: set[int]) -> None:
    say(f"{text.path}:{text.line}  {text.function}", bold=True)
    for number, line in enumerate(color_source(text.text), start=text.line):
        mark = click.style(">", fg="yellow", bold=True) if number in marked else " "
        echo(f"{click.style(f'{number:>6}', dim=True)} {mark} {line}".rstrip())
    say()
