"""``caphistory container``: what a set of capabilities loses."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import click

from caphistory.cli.complete import complete_capability
from caphistory.cli.requirements import (
    describe_extent,
    list_shared,
    print_explanations,
    print_requirements,
    print_shared,
)
from caphistory.cli.session import Session, abi_option, pass_session, subcommand
from caphistory.cli.text import listed, say
from caphistory.errors import NothingFound, UsageError
from caphistory.questions.containers import (
    ALL,
    DOCKER,
    Container,
    choose_container,
    containers_in,
    make_set,
    parse_mask,
)
from caphistory.questions.names import resolve_capability
from caphistory.records import Row
from caphistory.wording.phrases import (
    format_count,
    format_release,
    get_privilege,
)
from caphistory.wording.plain import clean, wrap

_COLUMNS = ("syscall", "operation", "missing", "else", "whose", "reach", "where", "function")


@subcommand("container", release=True)
@click.argument(
    "file", metavar="[FILE]", required=False, type=click.Path(path_type=Path, allow_dash=True)
)
@click.option("--container", "name", metavar="NAME", help="Which container of FILE, of several.")
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
@click.option("--set", "the_set", is_flag=True, help="The capabilities themselves, one by one.")
@abi_option
@pass_session
def command(
    session: Session,
    file: Path | None,
    name: str | None,
    docker: bool,
    mask: str | None,
    drop: tuple[str, ...],
    add: tuple[str, ...],
    the_set: bool,
    abi: str | None,
) -> None:
    """What a process with only some capabilities loses.

    The set is that of FILE, --docker or --mask, else all; then --drop takes away and --add
    gives. FILE is a Kubernetes file with a pod in it, or what docker inspect prints; - is
    standard input.

    \b
    Examples:
      caphistory container --docker --release 2.6.10
      caphistory container --drop ALL --add NET_BIND_SERVICE
      caphistory container --mask 00000000a80425fb
      caphistory container pod.yaml --container web
      docker inspect web | caphistory container -
    """
    if sum((docker, mask is not None, file is not None)) > 1:
        raise UsageError("FILE, --docker and --mask are sets of their own: give one of them")
    if not (docker or mask is not None or file is not None or drop):
        raise UsageError("nothing is missing from the set: give FILE, --docker, --mask or --drop")
    if name is not None and file is None:
        raise UsageError("--container names a container of FILE: give the file too")
    described = (
        choose_container(containers_in(_read_text(file)), name) if file is not None else None
    )
    release = session.asked_release
    asked = make_set(
        described or _choose_base(docker, mask),
        _resolve_names(session, add),
        _resolve_names(session, drop),
        _read_numbers(session, release),
    )._asdict()
    about = {"release": release, "abi": session.asked_abi(abi)}
    capabilities = session.ask("container_capabilities", **asked, **about)
    if the_set:
        _print_set(session, release, capabilities)
        return
    rows = session.ask("container", **asked, **about)
    if not rows:
        raise _nothing_lost(release, capabilities)
    if not session.for_people:
        session.print_rows(rows)
        return
    remarks = [
        *_find_unused(release, capabilities),
        *_find_unknown_bits(mask, release, capabilities),
        *_describe_container(described),
    ]
    below = [line for remark in remarks for line in wrap(remark, session.width)]
    _print_losses(session, rows, len(below))
    say()
    for line in [*below, *([""] if below else [])]:
        say(line)
    _print_next(rows[0], release)


def _read_text(file: Path) -> str:
    try:
        return sys.stdin.read() if str(file) == "-" else file.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise UsageError(f"{file} is no text") from error


def _choose_base(docker: bool, mask: str | None) -> str:
    if mask is None:
        return DOCKER if docker else ALL
    parse_mask(mask)
    return mask


def _read_numbers(session: Session, release: str) -> dict[int, str]:
    """Return the capabilities of ``release`` by number."""
    return {
        row["number"]: row["capability"] for row in session.ask("capability_list", release=release)
    }


def _resolve_names(session: Session, names: tuple[str, ...]) -> list[str]:
    """Return the capabilities in ``names``, each of which may list several with commas."""
    return [
        "ALL" if name.strip().upper() == "ALL" else resolve_capability(session.connection, name)
        for text in names
        for name in text.split(",")
    ]


def _nothing_lost(release: str, capabilities: list[Row]) -> NothingFound:
    if all(row["number"] is None for row in capabilities):
        return NothingFound(f"{release} defines no capability: its checks ask for root alone")
    return NothingFound(f"no syscall of {release} loses anything with this set")


def _print_losses(session: Session, rows: list[Row], below: int) -> None:
    """Print what is missing, with the number of syscalls that ask for it, then these one by one;
    ``below`` lines follow."""
    shared = [row for row in rows if row["standing"] == "shared"]
    own = [row for row in rows if row["standing"] != "shared"]
    say(f"what is missing in {format_release(rows[0])}: {describe_extent(own, shared)}", bold=True)
    pairs = sorted({(row["capability"], row["syscall"]) for row in rows})
    asking = Counter(capability for capability, _ in pairs)
    lines = listed(
        (f"{clean(capability)} {count}" for capability, count in asking.most_common()),
        session.width,
    )
    together = list_shared(session, shared, privilege=True)
    for line in lines:
        say(line)
    say()
    if own:
        print_requirements(
            session,
            own,
            _COLUMNS,
            most=session.room_under(
                len(lines) + min(len(together), (session.room or 0) // 2) + 1 + below
            ),
            by=lambda row: (row["syscall"], row["capability"]),
        )
    print_shared(session, together, most=session.room and session.room // 2)
    print_explanations(session, rows)


def _find_unused(release: str, capabilities: list[Row]) -> list[str]:
    """Return remarks on the capabilities of the set that have no effect in ``release``."""
    held = [row for row in capabilities if row["held"]]
    unknown = [clean(row["capability"]) for row in held if row["number"] is None]
    unasked = [
        clean(row["capability"]) for row in held if row["number"] is not None and not row["sites"]
    ]
    return [
        f"{heading} {', '.join(names)}"
        for heading, names in (
            (f"held, though no check of {release} asks for it:", unasked),
            (f"held, though {release} does not define it:", unknown),
        )
        if names
    ]


def _find_unknown_bits(mask: str | None, release: str, capabilities: list[Row]) -> list[str]:
    """Return a remark on the bits of ``mask`` that mean nothing in ``release``."""
    defined = {row["number"] for row in capabilities}
    bits = sorted(parse_mask(mask) - defined) if mask is not None else []
    if not bits:
        return []
    numbers = ", ".join(map(str, bits))
    return [f"no capability of {release} has the number {numbers} of the mask"]


def _print_set(session: Session, release: str, capabilities: list[Row]) -> None:
    if not capabilities:
        raise NothingFound(f"{release} defines no capability and the set is empty")
    if not session.for_people:
        session.print_rows(capabilities)
        return
    held = sum(row["held"] for row in capabilities)
    defined = sum(row["number"] is not None for row in capabilities)
    say(
        f"the set holds {format_count(held, 'capability')}; {release} defines {defined}",
        bold=True,
    )
    session.print_table(
        ("number", "capability", "held", "sites", "syscalls"),
        [
            (
                clean(row["number"]) or "–",
                clean(row["capability"]),
                "yes" if row["held"] else "",
                str(row["sites"]),
                str(row["syscalls"]),
            )
            for row in capabilities
        ],
    )


def _describe_container(described: Container | None) -> list[str]:
    if described is None:
        return []
    remarks = []
    if described.privileged:
        remarks.append(f"{clean(described.name)} is privileged: it holds every capability")
    if described.user is not None:
        remarks.append(
            f"{clean(described.name)} runs as {clean(described.user)}: it holds the set only"
            " where a program's file gives it"
        )
    return remarks


def _print_next(best: Row, release: str) -> None:
    say(
        f"next: caphistory why {clean(best['syscall'])} {get_privilege(best)} --release {release}",
        dim=True,
    )
