"""Find the functions on the chains from a syscall to its checks, and their source."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from caphistory.cli.session import EVERY_ROW, Session
from caphistory.questions.requirements import is_told
from caphistory.wording.phrases import decode_steps

if TYPE_CHECKING:
    from caphistory.questions.source_text import KernelSource

CHAINS_SHOWN = 3
"""How many chains are shown, the best first, unless all are asked for."""

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
"""A function: the path of its file, and its name."""


class Chains(NamedTuple):
    """The functions on some chains.

    ``lines`` holds the functions in the order of the chains, each with its lines that are on a
    chain; ``left_out`` is the number of checks whose chains are not shown.
    """

    lines: dict[Place, set[int]]
    left_out: int


def limit_chains(session: Session, everything: bool) -> int | None:
    """Return how many chains to show: ``--rows``, else CHAINS_SHOWN; None for all."""
    if everything or session.rows == EVERY_ROW:
        return None
    return session.rows or CHAINS_SHOWN


def find_functions(
    session: Session,
    syscall: str,
    privilege: str | None,
    release: str,
    abi: str | None,
    everything: bool,
) -> Chains:
    """Return the functions on the chains from ``syscall`` to its checks in ``release``, of
    ``privilege`` or of any if that is None.

    Only checks that are told count (own and shared ones), or all if there are none; and only the
    best chains, or all of them with ``everything``.
    """
    rows = session.ask(
        "check_chains", syscall=syscall, privilege=privilege, release=release, abi=abi
    )
    checks = [row for row in rows if is_told(row)] or rows
    shown = checks[: limit_chains(session, everything)]
    lines: dict[Place, set[int]] = {}
    for row in shown:
        for step in decode_steps(row):
            lines.setdefault((step["path"], step["function"]), set()).add(step["line"])
    return Chains(lines, len(checks) - len(shown))


def open_source(session: Session, release: str, repository: Path | None) -> KernelSource:
    """Return the source of ``release`` from ``repository``, by default from any clone in the cache;
    raise CaphistoryError if none has it."""
    from caphistory.questions.source_text import cached_repositories, open_kernel

    (row,) = (row for row in session.ask("release_list") if row["release"] == release)
    repositories = [repository] if repository else cached_repositories()
    return open_kernel(release, row["commit_sha"], repositories)
