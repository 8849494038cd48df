"""``caphistory container``: what a container, a unit or a process cannot do."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from caphistory.cli.complete import complete_capability
from caphistory.cli.losses import Answer, print_answer, print_containers
from caphistory.cli.session import Session, abi_option, pass_session, subcommand
from caphistory.cli.text import say
from caphistory.documented.seccomp import apply_profile
from caphistory.errors import NothingFound, UsageError
from caphistory.questions.containers import (
    ALL,
    RUNTIMES,
    Container,
    Sets,
    choose_container,
    containers_in,
    list_runtimes,
    make_set,
    parse_mask,
    read_process,
)
from caphistory.questions.containers.losing import LossFinder
from caphistory.questions.containers.runtimes import list_held
from caphistory.questions.inputs import read_text
from caphistory.questions.names import resolve_capability
from caphistory.records import Row
from caphistory.wording.phrases import format_count
from caphistory.wording.plain import clean


@subcommand("container", release=True)
@click.argument(
    "file", metavar="[FILE]", required=False, type=click.Path(path_type=Path, allow_dash=True)
)
@click.option(
    "--container", "name", metavar="[POD/]NAME", help="Which container of FILE, of several."
)
@click.option(
    "--runtime",
    type=click.Choice((*RUNTIMES, "kubernetes", "none", "all")),
    help="Begin with what this runtime gives by default (all, none: capabilities).",
)
@click.option("--docker", is_flag=True, help="The same as --runtime docker.")
@click.option(
    "--mask", metavar="HEX", help="Begin with a mask, as in the Cap lines of /proc/PID/status."
)
@click.option("--pid", metavar="N", type=int, help="A process of this machine.")
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
@click.option("--userns", is_flag=True, help="It has a user namespace of its own.")
@click.option(
    "--bounding", is_flag=True, help="Ask of the most that its programs may get, not what it has."
)
@click.option(
    "--seccomp",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Also what this seccomp profile forbids, before the kernel asks.",
)
@click.option("--set", "the_set", is_flag=True, help="The capabilities themselves, one by one.")
@abi_option
@pass_session
def command(
    session: Session,
    file: Path | None,
    name: str | None,
    runtime: str | None,
    docker: bool,
    mask: str | None,
    pid: int | None,
    drop: tuple[str, ...],
    add: tuple[str, ...],
    userns: bool,
    bounding: bool,
    seccomp: Path | None,
    the_set: bool,
    abi: str | None,
) -> None:
    """What a container, a unit or a process cannot do, and what would mend it.

    FILE is what describes it: Kubernetes, Compose, systemd unit, OCI config.json, inspect of
    docker, podman or crictl, docker run line, capsh --print, getpcaps, /proc/PID/status; - is
    standard input. Else the set begins with --runtime, --mask or --pid, else with all; then
    --drop takes away and --add gives.

    \b
    Examples:
      caphistory container pod.yaml --container web
      docker inspect web | caphistory container -
      caphistory container --runtime podman --drop ALL --add NET_BIND_SERVICE
      caphistory container --mask 00000000a80425fb --release 2.6.10
      caphistory container --pid 1 --seccomp default.json
    """
    runtime = runtime or ("docker" if docker else None)
    _refuse_contradictions(file, name, runtime, mask, pid, drop)
    described = _read_containers(file, name, mask, pid)
    release, asked_abi = session.asked_release, session.asked_abi(abi)
    defined = session.ask("capability_list", release=release, abi=asked_abi)
    numbers = {row["number"]: row["capability"] for row in defined}
    if not numbers and not the_set:
        raise NothingFound(f"{release} defines no capability: its checks ask for root alone")
    finder = LossFinder(
        session.connection,
        release,
        asked_abi,
        numbers,
        _resolve_names(session, add),
        _resolve_names(session, drop),
        userns=userns,
        bounding=bounding,
    )

    def ask(container: Container, chosen: str) -> Answer:
        losses = finder.find(container, chosen)
        profile = apply_profile(seccomp, release, losses.bounding.__contains__) if seccomp else None
        return Answer(**vars(losses), profile=profile)

    if the_set:
        container = choose_container(described, None)
        _print_set(session, container, ask(container, list_runtimes(container, runtime)[0]))
        return
    answers = [
        ask(container, chosen)
        for container in described
        for chosen in list_runtimes(container, runtime)
    ]
    if not session.for_people:
        _print_rows(session, answers)
    elif len(described) > 1:
        print_containers(session, answers)
    else:
        print_answer(session, answers)


def _refuse_contradictions(
    file: Path | None,
    name: str | None,
    runtime: str | None,
    mask: str | None,
    pid: int | None,
    drop: tuple[str, ...],
) -> None:
    if sum((mask is not None, file is not None, pid is not None)) > 1:
        raise UsageError("FILE, --mask and --pid are sets of their own: give one of them")
    if runtime is not None and (mask is not None or pid is not None):
        raise UsageError("--runtime is a set of its own: leave --mask or --pid out")
    if file is None and runtime is None and mask is None and pid is None and not drop:
        raise UsageError(
            "nothing is missing from the set: give FILE, --runtime, --mask, --pid or --drop"
        )
    if name is not None and file is None:
        raise UsageError("--container names a container of FILE: give the file too")


def _read_containers(
    file: Path | None, name: str | None, mask: str | None, pid: int | None
) -> list[Container]:
    """Return what FILE, --mask or --pid describes; without them a set to begin with."""
    if file is not None:
        containers = containers_in(read_text(file))
        return containers if name is None else [choose_container(containers, name)]
    if mask is not None:
        parse_mask(mask)
        return [Container("the set", runtime="", sets=Sets(effective=int(mask, 16)))]
    if pid is not None:
        return [read_process(pid)]
    return [Container("the set", runtime=ALL)]


def _resolve_names(session: Session, names: tuple[str, ...]) -> list[str]:
    """Return the capabilities in ``names``, each of which may list several with commas."""
    return [
        "ALL" if name.strip().upper() == "ALL" else resolve_capability(session.connection, name)
        for text in names
        for name in text.split(",")
    ]


def _print_rows(session: Session, answers: Sequence[Answer]) -> None:
    """Print the rows of all answers, with the container and the runtime where there are several;
    remarks on stderr."""
    several = len(answers) > 1
    rows = []
    for answer in answers:
        named = {"container": answer.container.name, "runtime": answer.given.runtime}
        for row in answer.rows:
            rows.append({**(named if several else {}), **row, **answer.judge(row)})
    session.print_rows(rows)
    remarks = [
        remark
        for answer in answers
        for remark in (answer.describe_refusal(), *answer.list_remarks())
        if remark
    ]
    for remark in dict.fromkeys(remarks):
        say(f"caphistory: {remark}", err=True)


def _print_set(session: Session, container: Container, answer: Answer) -> None:
    """Print the capabilities one by one, with those of the other sets where the file has them."""
    release = session.asked_release
    capabilities = session.ask(
        "container_capabilities", **answer.held._asdict(), release=release, abi=None
    )
    if not capabilities:
        raise NothingFound(f"{release} defines no capability and the set is empty")
    numbers = {row["number"]: row["capability"] for row in capabilities}
    others = _list_sets(container.sets, numbers)
    rows = [
        {**row, **{field: int(row["capability"] in held) for field, held in others.items()}}
        for row in capabilities
    ]
    if not session.for_people:
        session.print_rows(rows)
        return
    held = sum(row["held"] for row in rows)
    defined = sum(row["number"] is not None for row in rows)
    say(
        f"the set holds {format_count(held, 'capability')}; {release} defines {defined}",
        bold=True,
    )
    headers = ("number", "capability", "held", *others, "sites", "syscalls")
    lines = [_make_line(row, others) for row in rows]
    session.print_table(headers, lines, optional=("sites", "syscalls"))
    for remark in answer.list_remarks():
        say(remark, dim=True)


def _make_line(row: Row, others: dict[str, frozenset[str]]) -> tuple[str, ...]:
    return (
        clean(row["number"]) or "–",
        clean(row["capability"]),
        *("yes" if row[field] else "" for field in ("held", *others)),
        str(row["sites"]),
        str(row["syscalls"]),
    )


def _list_sets(sets: Sets | None, numbers: dict[int, str]) -> dict[str, frozenset[str]]:
    """Return the capabilities in each set that a file gives besides the effective one."""
    if sets is None:
        return {}
    return {
        field: frozenset(
            list_held(
                make_set(f"{value:x}" if isinstance(value, int) else value, names=numbers),
                numbers.values(),
            )
        )
        for field, value in sets._asdict().items()
        if value is not None and field != "effective"
    }
