"""``caphistory why``: the call chains from a syscall to the checks of a privilege."""

from __future__ import annotations

import json

import click

from caphistory.cli.complete import complete_privilege, complete_syscall
from caphistory.cli.functions import every_chain_option, limit_chains
from caphistory.cli.requirements import operation_option
from caphistory.cli.session import Session, abi_option, pass_session, subcommand
from caphistory.cli.text import echo, say
from caphistory.errors import NothingFound
from caphistory.questions.names import resolve_operation, resolve_privilege
from caphistory.records import Row
from caphistory.wording.phrases import (
    Step,
    decode_steps,
    describe_effect,
    explain_effects,
    explain_owners,
    format_count,
    format_place,
    format_release,
    get_privilege,
)
from caphistory.wording.plain import clean


@subcommand("why", release=True)
@click.argument("syscall", shell_complete=complete_syscall)
@click.argument("name", metavar="[CAP_X]", required=False, shell_complete=complete_privilege)
@operation_option
@every_chain_option
@abi_option
@pass_session
def command(
    session: Session,
    syscall: str,
    name: str | None,
    operation: str | None,
    everything: bool,
    abi: str | None,
) -> None:
    """The call chains from SYSCALL to its checks of CAP_X, or of whatever it asks for.

    Step by step, with file and line, the best evidence first. Without CAP_X, those behind the
    requirements of its own.

    \b
    Examples:
      caphistory why chroot CAP_SYS_CHROOT
      caphistory why bind CAP_NET_BIND_SERVICE --release 2.2.24
      caphistory why ioctl --operation SIOCSIFADDR
    """
    asked = session.resolve_syscall(syscall, abi)
    wanted = name and resolve_privilege(session.connection, name)
    rows = session.ask(
        "why",
        syscall=asked,
        privilege=wanted,
        operation=operation and resolve_operation(session.connection, operation, asked),
        release=session.asked_release,
        abi=session.asked_abi(abi),
    )
    if wanted is None:
        rows = [row for row in rows if row["standing"] == "own"]
    if not rows:
        what = f"a check of {wanted}" if wanted else "a check of its own"
        by = f" by {operation}" if operation else ""
        raise NothingFound(f"{asked} does not come to {what}{by} in {session.asked_release}")
    if not session.for_people:
        session.print_rows(rows)
        return
    shown = rows[: limit_chains(session, everything)]
    count = format_count(len(rows), "requirement")
    target = f" → {wanted}" if wanted else ""
    say(f"{asked}{target} in {format_release(rows[0])}: {count}", bold=True)
    for row in shown:
        say()
        if row["operation"]:
            say(f"{clean(row['operation'])}:", bold=True)
        _print_chain(session, row)
    for line in explain_effects(shown):
        say(f"\n{line}", dim=True)
    if len(shown) < len(rows):
        say(f"\n… {format_count(len(rows) - len(shown), 'more requirement')}: --all", dim=True)
    following = f"show {asked} {get_privilege(rows[0])} --release {session.asked_release}"
    say(f"\nnext: caphistory {following}", dim=True)


def _print_chain(session: Session, row: Row) -> None:
    """For each function of the chain, what goes on at which line of it: in one line, in aligned
    columns, or where these do not fit the terminal, the line of the source below its function."""
    chain = decode_steps(row)
    names = ["  " * depth + clean(step["function"]) for depth, step in enumerate(chain)]
    ends = [*map(_call, chain, chain[1:]), _check(row)]
    size, wide = max(map(len, names)), max(len(format_place(step)) for step in chain)
    narrow = size + wide + 4 + max(map(len, ends)) > session.width
    for depth, (step, name, end) in enumerate(zip(chain, names, ends, strict=True)):
        linked = session.link(format_place(step), row["release"], step["path"], step["line"])
        if narrow:
            say(f"{name}  {end}", bold=depth + 1 == len(chain))
            echo("  " * depth + "  at " + linked)
        else:
            say(f"{name.ljust(size)}  ", end="")
            echo(linked + " " * (wide - len(format_place(step)) + 2), nl=False)
            say(end, bold=depth + 1 == len(chain))
    for remark in _remarks(row):
        say(remark, dim=True)


def _call(step: Step, following: Step) -> str:
    pointer = f" through {clean(step['via'])}" if step["via"] else ""
    return f"calls {clean(following['function'])}{pointer}"


def _check(row: Row) -> str:
    asks = f"({clean(row['capability'])})" if row["capability"] else "()"
    name = "uid 0" if row["check_name"] == "uid0" else clean(row["check_name"]) + asks
    otherwise = describe_effect(row)
    alternatives = "".join(f" or {name}" for name in json.loads(row["instead"]))
    return f"checks {name}{alternatives}" + (f", else {otherwise}" if otherwise else "")


def _remarks(row: Row) -> list[str]:
    remarks = []
    if row["standing"] == "off":
        remarks.append("constants on this way switch the check off")
    if row["sites"] > 1:
        remarks.append(f"the nearest of {row['sites']} check sites")
    remarks += explain_owners([row])
    if row["shared_by"] > 1:
        remarks.append(
            f"{format_count(row['shared_by'], 'syscall')} come to this check of"
            f" {get_privilege(row)}"
        )
    return remarks
