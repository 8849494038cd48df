"""The functions on the way from a syscall to its checks, with their text."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from caphistory.cli.phrases import steps
from caphistory.cli.session import Session
from caphistory.errors import NothingFound

if TYPE_CHECKING:
    from caphistory.sources import FunctionText

repository_option = click.option(
    "--repository",
    type=click.Path(exists=True, path_type=Path),
    metavar="PATH",
    help="The clone to read from (default: those that index made).",
)


def functions_on_chains(
    session: Session,
    syscall: str,
    privilege: str | None,
    release: str,
    abi: str | None,
    repository: Path | None,
) -> dict[FunctionText, set[int]]:
    """The functions on the chains from ``syscall`` to its telling checks (of ``privilege``,
    else of any) in ``release``, in the order of the chains, each with the lines where it goes
    on. NothingFound where there is no such check."""
    from caphistory.sources import cached_repositories, open_kernel

    rows = session.ask("why", syscall=syscall, privilege=privilege, release=release, abi=abi)
    telling = [row for row in rows if row["telling"]] or rows
    if not telling:
        raise NothingFound(f"{syscall} does not check {privilege or 'any privilege'} in {release}")
    lines: dict[tuple[str, str], set[int]] = {}
    for row in telling:
        for step in steps(row):
            lines.setdefault((step["path"], step["function"]), set()).add(step["line"])
    (asked,) = (one for one in session.ask("release_list") if one["release"] == release)
    repositories = [repository] if repository else cached_repositories()
    kernel = open_kernel(release, asked["commit_sha"], repositories)
    found = ((kernel.function(*place), at) for place, at in lines.items())
    return {text: at for text, at in found if text is not None}
