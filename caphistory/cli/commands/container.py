"""``caphistory container``: what a set of capabilities loses."""

from __future__ import annotations

import re

import click

from caphistory.answers import Row
from caphistory.cli.complete import complete_capability
from caphistory.cli.phrases import counted, effect, place, privilege
from caphistory.cli.session import Session, abi_option, pass_session, subcommand
from caphistory.cli.text import say
from caphistory.errors import NothingFound, UsageError
from caphistory.names import known_capability
from caphistory.plain import clean


@subcommand("container", release=True)
@click.option("--docker", is_flag=True, help="Begin with the capabilities that Docker leaves.")
@click.option(
    "--mask", metavar="HEX", help="Begin with a mask, as in the Cap lines of /proc/PID/status."
)
@click.option(
    "--drop",
    multiple=True,
    metavar="CAP_X",
    shell_complete=complete_capability,
    help="Without this capability, or without ALL; may be repeated.",
)
@click.option(
    "--add",
    multiple=True,
    metavar="CAP_X",
    shell_complete=complete_capability,
    help="With this capability; may be repeated.",
)
@abi_option
@pass_session
def command(
    session: Session,
    docker: bool,
    mask: str | None,
    drop: tuple[str, ...],
    add: tuple[str, ...],
    abi: str | None,
) -> None:
    """What a process with only some capabilities loses.

    The set is that of --docker or --mask, else all; then --drop takes away and --add gives.

    \b
    Examples:
      caphistory container --docker --release 2.6.11
      caphistory container --drop ALL --add NET_BIND_SERVICE
      caphistory container --mask 00000000a80425fb
    """
    if docker and mask is not None:
        raise UsageError("--docker and --mask are two sets: give one of them")
    if not (docker or mask is not None or drop):
        raise UsageError("nothing is missing from the set: give --docker, --mask or --drop")
    release = session.asked_release
    rows = session.ask(
        "container",
        base=_base(session, docker, mask),
        dropped=_list(session, drop),
        added=_list(session, add),
        release=release,
        abi=session.asked_abi(abi),
    )
    if not rows:
        raise NothingFound(f"no syscall of {release} loses anything with this set")
    if session.for_people:
        _print_losses(session, release, rows)
    else:
        session.print_rows(rows)


def _print_losses(session: Session, release: str, rows: list[Row]) -> None:
    syscalls = {row["syscall"] for row in rows}
    say(
        f"in {release}, {counted(len(syscalls), 'syscall')} would ask for what is missing",
        bold=True,
    )
    session.print_table(
        ("syscall", "missing", "reach", "else", "where", "sites", "function"),
        [
            (
                clean(row["syscall"]),
                privilege(row),
                clean(row["reach"]),
                effect(row),
                place(row),
                str(row["sites"]),
                clean(row["function"]),
            )
            for row in rows
        ],
        flexible=("function",),
    )
    best = rows[0]
    say(
        f"\nnext: caphistory why {clean(best['syscall'])} {privilege(best)} --release {release}",
        dim=True,
    )


def _base(session: Session, docker: bool, mask: str | None) -> str:
    if docker:
        return "docker"
    return "all" if mask is None else _of_mask(session, mask)


def _list(session: Session, names: tuple[str, ...]) -> str:
    """The names, separated by commas, as the query reads them."""
    return ",".join(
        "ALL" if name.upper() == "ALL" else known_capability(session.connection, name)
        for text in names
        for name in text.split(",")
    )


def _of_mask(session: Session, mask: str) -> str:
    """The capabilities whose bits are set in the hexadecimal ``mask``; bits beyond those
    that the asked release defines mean nothing to it."""
    if not re.fullmatch("(0x)?[0-9a-f]{1,16}", mask, re.IGNORECASE):
        raise UsageError(f"--mask {mask!r} is not hexadecimal, as CapEff: in /proc/PID/status is")
    bits = int(mask, 16)
    held = [
        str(row["capability"])
        for row in session.ask("capability_list", release=session.asked_release)
        if row["number"] is not None and bits >> row["number"] & 1
    ]
    return ",".join(held) or "none"
