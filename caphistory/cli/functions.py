"""The functions on the way from a syscall to its checks, and the source that has them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from caphistory.cli.session import EVERY_ROW, Session
from caphistory.wording.phrases import steps

if TYPE_CHECKING:
    from caphistory.questions.source_text import KernelSource

CHAINS_SHOWN = 3
"""So many chains, the best, are enough unless all are asked for."""

repository_option = click.option(
    "--repository",
    type=click.Path(exists=True, path_type=Path),
    metavar="PATH",
    help="The clone to read from (default: those that index made).",
)
every_chain_option = click.option(
    "--all", "everything", is_flag=True, help="Every chain, not only the best three."
)

Place = tuple[str, str]
"""A function: its file and its name."""


class Chains(NamedTuple):
    """``lines`` are the functions in the order of the chains, each with the lines where it goes
    on; ``left_out`` is the number of checks whose chains were left out."""

    lines: dict[Place, set[int]]
    left_out: int


def chains_shown(session: Session, everything: bool) -> int | None:
    """How many chains to show: those of ``--rows``, else the best few, None for all."""
    if everything or session.rows == EVERY_ROW:
        return None
    return session.rows or CHAINS_SHOWN


def chains_to_checks(
    session: Session,
    syscall: str,
    privilege: str | None,
    release: str,
    abi: str | None,
    everything: bool,
) -> Chains:
    """The functions on the chains from ``syscall`` to its telling checks (of ``privilege``, else
    of any) in ``release``, or to all its checks where none is telling: on the best chains, or on
    all of them where ``everything`` is asked for."""
    rows = session.ask("why", syscall=syscall, privilege=privilege, release=release, abi=abi)
    telling = [row for row in rows if row["telling"]] or rows
    shown = telling[: chains_shown(session, everything)]
    lines: dict[Place, set[int]] = {}
    for row in shown:
        for step in steps(row):
            lines.setdefault((step["path"], step["function"]), set()).add(step["line"])
    return Chains(lines, len(telling) - len(shown))


def kernel_of(session: Session, release: str, repository: Path | None) -> KernelSource:
    """The source of ``release``; CaphistoryError where no clone on this machine has it."""
    from caphistory.questions.source_text import cached_repositories, open_kernel

    (asked,) = (one for one in session.ask("release_list") if one["release"] == release)
    repositories = [repository] if repository else cached_repositories()
    return open_kernel(release, asked["commit_sha"], repositories)
