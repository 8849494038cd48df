"""``caphistory needs``: the least set of capabilities for what a program does."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import click

from caphistory.cli.complete import complete_syscall
from caphistory.cli.logs import open_log
from caphistory.cli.session import Session, abi_option, pass_session, subcommand
from caphistory.cli.text import echo, say, say_next
from caphistory.documented.seccomp import apply_profile, list_allowed
from caphistory.errors import UsageError
from caphistory.questions.answers import make_need_row
from caphistory.questions.inputs import read_text
from caphistory.questions.needs import MUST, Need, choose_least, find_needs, is_possible
from caphistory.questions.requirements import group_requirements
from caphistory.questions.strace import Call, make_call
from caphistory.records import ROOT_CHECKS
from caphistory.wording.phrases import describe_effect, format_count, format_place
from caphistory.wording.plain import clean, wrap

_FORMS = ("list", "kubernetes", "arguments", "systemd")


@subcommand("needs", release=True)
@click.argument(
    "names", nargs=-1, metavar="[SYSCALL[:OPERATION]]...", shell_complete=complete_syscall
)
@click.option(
    "--strace",
    metavar="FILE",
    type=click.Path(path_type=Path, allow_dash=True),
    help="The calls in a log of strace, or in what strace -c prints; - is standard input.",
)
@click.option(
    "--seccomp",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="The syscalls that a seccomp profile allows a container without capabilities.",
)
@click.option(
    "--syscalls",
    metavar="FILE",
    type=click.Path(path_type=Path, allow_dash=True),
    help="The syscalls that a file lists, each SYSCALL[:OPERATION], separated by white space.",
)
@click.option("--userns", is_flag=True, help="In a user namespace of its own.")
@click.option(
    "--as",
    "form",
    type=click.Choice(_FORMS),
    default="list",
    help="Print the set as lines for a pod, for docker run, or for a unit.",
)
@abi_option
@pass_session
def command(
    session: Session,
    names: tuple[str, ...],
    strace: Path | None,
    seccomp: Path | None,
    syscalls: Path | None,
    userns: bool,
    form: str,
    abi: str | None,
) -> None:
    """The least set of capabilities for what a program does.

    What it must have (else it is denied whatever the arguments, or for the operation that it
    asks for), and what it may need on some arguments. OPERATION is a named constant or a file,
    as in ioctl:SIOCSIFADDR and write:/proc/sys/kernel/modprobe.

    \b
    Examples:
      caphistory needs chroot bind ioctl:SIOCSIFADDR
      strace -f -o log ping -c 1 localhost; caphistory needs --strace log
      caphistory needs --syscalls names.txt --as kubernetes
    """
    release, asked_abi = session.asked_release, session.asked_abi(abi)
    texts = [*names, *(read_text(syscalls).split() if syscalls else ())]
    calls = [_make_call(session, text, asked_abi) for text in texts]
    if strace is not None:
        calls += list(open_log(strace))
    if seccomp is not None:
        profile = apply_profile(seccomp, release, lambda _: False)
        calls += map(make_call, list_allowed(profile))
    if not calls:
        raise UsageError("nothing to ask about: give syscalls, --strace, --seccomp or --syscalls")
    requirements = group_requirements(
        session.connection, {call.syscall for call in calls}, release, asked_abi, conditional=True
    )
    needs = find_needs(calls, requirements)
    if form != "list":
        for line in format_set(form, needs, userns):
            # A command line has no room for a comment.
            echo(line, err=form == "arguments" and line.startswith("#"))
        return
    if not session.for_people:
        session.print_rows([make_need_row(need, userns) for need in needs])
        return
    idle = sorted({call.syscall for call in calls} - requirements.keys())
    _print_needs(session, needs, userns, len({call.syscall for call in calls}), idle)


def _make_call(session: Session, text: str, abi: str | None) -> Call:
    """Return the call that ``SYSCALL:OPERATION`` stands for; raise UsageError for an unknown
    syscall."""
    name, _, operation = text.partition(":")
    return make_call(session.resolve_syscall(name, abi), operation)


def _print_needs(
    session: Session, needs: Sequence[Need], userns: bool, asked: int, idle: Sequence[str]
) -> None:
    least = choose_least(needs, userns)
    table = f" ({clean(needs[0].row['abi'])})" if needs else ""
    say(
        f"{format_count(asked, 'syscall')} in {session.asked_release}{table} must have:"
        f" {', '.join(map(clean, least)) or 'no capability'}",
        bold=True,
    )
    own = [need for need in needs if need.certainty == MUST or need.row["standing"] == "own"]
    shared = [need for need in needs if need not in own]
    below = [
        *_list_shared(shared, session.width),
        *session.list_some("ask for nothing", idle),
    ]
    session.print_table(
        ("need", "capability", "syscall", "when", "else", "where"),
        [_make_line(need, userns) for need in own],
        flexible=("when", "where"),
        optional=("where",),
        most=session.room_under(len(below)),
    )
    for line in below:
        say(line, dim=True)
    if least:
        say_next("caphistory needs … --as kubernetes|arguments|systemd", width=session.width)


def _make_line(need: Need, userns: bool) -> tuple[str, ...]:
    row = need.row
    certainty = need.certainty if is_possible(need, userns) else "cannot"
    when = row["operation"] or ("always" if need.certainty == MUST else "sometimes")
    if need.failed:
        when = f"failed so: {when}" if row["operation"] else "failed so"
    return (
        certainty,
        " or ".join(map(clean, need.alternatives)),
        clean(row["syscall"]),
        clean(when),
        describe_effect(row),
        format_place(row),
    )


def _list_shared(needs: Sequence[Need], width: int) -> list[str]:
    if not needs:
        return []
    names = sorted({clean(need.alternatives[0]) for need in needs})
    return wrap(f"may need, as whatever comes by the same code: {', '.join(names)}", width)


def format_set(form: str, needs: Sequence[Need], userns: bool) -> list[str]:
    """Return the least set as lines of ``form``, with what may be needed as comments."""
    least = [name for name in choose_least(needs, userns) if name not in ROOT_CHECKS]
    may = sorted(
        {
            need.alternatives[0]
            for need in needs
            if need.certainty != MUST and not set(need.alternatives) & set(least)
        }
        - {*ROOT_CHECKS, "owner"}
    )
    plain = [name.removeprefix("CAP_") for name in least]
    comment = [f"# may need: {_join(may)}"] if may else []
    if form == "arguments":
        return [*comment, " ".join(["--cap-drop ALL", *(f"--cap-add {name}" for name in plain)])]
    if form == "systemd":
        return [
            *comment,
            f"CapabilityBoundingSet={' '.join(least)}",
            f"AmbientCapabilities={' '.join(least)}",
        ]
    return [
        *comment,
        "securityContext:",
        "  capabilities:",
        '    drop: ["ALL"]',
        f"    add: [{', '.join(plain)}]",
    ]


def _join(names: Iterable[str]) -> str:
    return ", ".join(names)
