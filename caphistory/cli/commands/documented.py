"""``caphistory documented``: what is documented beside what the kernel checks."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import click

from caphistory.cli.complete import complete_name
from caphistory.cli.session import Session, abi_option, pass_session, subcommand
from caphistory.cli.text import say, say_next, shares
from caphistory.documented.choosing import documents
from caphistory.documented.comparing import VERDICTS, compared, narrowed
from caphistory.errors import NothingFound
from caphistory.questions.names import resolve_name
from caphistory.records import Row
from caphistory.wording.phrases import format_count, format_place
from caphistory.wording.plain import clean, wrap

_AROUND_ANOTHER = 3
"""Lines around each table after the first."""


@subcommand("documented", release=True)
@click.argument("names", nargs=-1, metavar="[SYSCALL|CAP_X]...", shell_complete=complete_name)
@click.option(
    "--manual",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="The folder with man2 and man7 (default: where this machine's manual is).",
)
@click.option(
    "--seccomp",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="A seccomp profile of Docker or Podman (then the manual only with --manual).",
)
@click.option("--all", "everything", is_flag=True, help="Also where both agree.")
@abi_option
@pass_session
def command(
    session: Session,
    names: tuple[str, ...],
    manual: Path | None,
    seccomp: Path | None,
    everything: bool,
    abi: str | None,
) -> None:
    """Where the manual, or a seccomp profile, disagrees with what the kernel checks.

    The manual is capabilities(7) and the pages of section 2, as this machine has them; lines
    are those of a page's source. Without SYSCALL or CAP_X, only the disagreements.

    \b
    Examples:
      caphistory documented
      caphistory documented mount CAP_SYS_ADMIN --release 2.6.10
      caphistory documented --manual ~/src/man-pages
      caphistory documented --seccomp default.json
    """
    wanted = [resolve_name(session.connection, name) for name in names]
    release, abi = session.asked_release, session.asked_abi(abi)
    pairs = [
        row
        for document in documents(release, manual, seccomp)
        for row in compared(session.connection, document, release, abi)
    ]
    rows = narrowed(pairs, wanted, everything=everything)
    if not rows:
        raise NothingFound(
            f"nothing is documented or checked of {' and '.join(wanted)} in {release}"
            if wanted
            else f"no disagreement with {release}: --all shows what agrees"
        )
    if not session.for_people:
        session.print_rows(rows)
        return
    _print_tables(session, release, rows)
    if not wanted:
        _print_left_out(session, pairs, rows)
    checked = next((row for row in rows if row["path"]), None)
    if checked:
        say_next(
            f"caphistory why {clean(checked['syscall'])} {clean(checked['capability'])}"
            f" --release {release}",
            width=session.width,
        )


def _print_tables(session: Session, release: str, rows: list[Row]) -> None:
    """Print a table for each source and verdict."""
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        groups.setdefault((row["source"], row["verdict"]), []).append(row)
    room = session.room_under(_AROUND_ANOTHER * (len(groups) - 1))
    fair = shares([len(group) for group in groups.values()], room)
    for ((source, verdict), group), most in zip(groups.items(), fair, strict=True):
        say(f"{clean(source)} and {release}, {verdict}: {len(group)}", bold=True)
        _print_table(session, group, most)
        say()


def _print_table(session: Session, rows: list[Row], most: int) -> None:
    head: tuple[str, ...] = ("syscall", "capability", "documented")
    lines = [
        (clean(row["syscall"]), clean(row["capability"]), _format_documents(row)) for row in rows
    ]
    if not any(row["path"] for row in rows):
        session.print_table(head, lines, flexible=("documented",), most=most)
        return
    session.print_table(
        (*head, "else", "operations", "reach", "where", "function"),
        [
            (
                *line,
                _join_names(row["errors"]),
                _join_names(row["operations"]),
                clean(row["reach"]),
                format_place(row) if row["path"] else "",
                clean(row["function"]),
            )
            for line, row in zip(lines, rows, strict=True)
        ],
        flexible=("documented", "operations", "where", "function"),
        optional=("else", "operations", "reach", "function"),
        most=most,
    )


def _join_names(names: str | None) -> str:
    """Return the names of a JSON array, each once."""
    return ", ".join(sorted({clean(name) for name in json.loads(names or "[]") if name}))


def _format_documents(row: Row) -> str:
    """Return the best place in the documents, and the number of others."""
    first, *more = json.loads(row["documented"]) or [None]
    if first is None:
        return "no page"
    if first["scope"] == "silent" and not first["part"]:
        return f"not in {clean(first['document'])}"
    others = f" +{len(more)}" if more else ""
    if first["line"] is None:
        return f"{clean(first['document'])} {clean(first['part'])}{others}"
    _, _, errno = clean(first["part"]).partition(" E")
    return f"{clean(first['document'])}:{first['line']}{errno and f' E{errno}'}{others}"


def _print_left_out(session: Session, pairs: list[Row], shown: list[Row]) -> None:
    kept = {id(row) for row in shown}
    left_out = Counter(row["verdict"] for row in pairs if id(row) not in kept)
    if left_out:
        counts = [f"{left_out[verdict]} {verdict}" for verdict in VERDICTS if left_out[verdict]]
        text = (
            f"left out: {format_count(left_out.total(), 'more pair')} ({'; '.join(counts)}): --all"
        )
        for line in wrap(text, session.width):
            say(line, dim=True)
