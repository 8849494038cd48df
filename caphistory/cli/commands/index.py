"""``caphistory index``: adding releases to the database."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from caphistory.cli.progress import progress_for
from caphistory.cli.session import Session, pass_session, subcommand
from caphistory.cli.text import say
from caphistory.errors import CaphistoryError, NothingFound, UsageError
from caphistory.wording.phrases import format_count

if TYPE_CHECKING:
    from caphistory.indexing import Summary

_FEW = 5


@subcommand("index")
@click.argument("sources", nargs=-1, metavar="[SOURCE]...")
@click.option(
    "--sources",
    "sources_file",
    type=click.Path(path_type=Path, readable=False),
    metavar="FILE",
    help="A file that lists sources, such as data/sources.toml.",
)
@click.option(
    "--mirrors",
    multiple=True,
    type=click.Path(path_type=Path, readable=False),
    metavar="FOLDER",
    help="Where clones and tarballs that FILE names are on this machine; may be repeated.",
)
@click.option(
    "--tag",
    "tags",
    multiple=True,
    metavar="PATTERN",
    help="Only tags like this, as v2.2.*; may be repeated.",
)
@click.option("--prereleases", is_flag=True, help="Also pre, rc, test and alpha releases.")
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
    metavar="N",
    help="How many processes read, memory allowing (default: one for each processor that may be"
    " used).",
)
@pass_session
def command(
    session: Session,
    sources: tuple[str, ...],
    sources_file: Path | None,
    mirrors: tuple[Path, ...],
    tags: tuple[str, ...],
    prereleases: bool,
    jobs: int | None,
) -> None:
    """Read releases into the database.

    SOURCE is a git repository (a path or a URL) whose tags are kernels, a kernel's tarball,
    or its unpacked tree. Without one: the history from 0.01 to 2.6.12-rc1, cloned to your
    cache if it is not there. Of a clone in your cache the new tags are fetched first. It can be
    stopped at any time and goes on where it was.

    \b
    Examples:
      caphistory index
      caphistory index ~/src/linux --tag 'v2.2.*' --tag 'v2.4.*'
      caphistory index linux-2.2.24.tar.xz
      caphistory index --sources data/sources.toml
    """
    from caphistory.indexing import index
    from caphistory.questions.database import database_to_write

    if any(not source.strip() for source in sources):
        raise UsageError("an empty SOURCE: leave it out for the default history")
    if mirrors and sources_file is None:
        raise UsageError("--mirrors goes with --sources")
    missing = next((folder for folder in mirrors if not folder.is_dir()), None)
    if missing is not None:
        raise UsageError(f"--mirrors {missing} is no folder")
    db = database_to_write(session.db)
    wanted: list[str | None] = [*sources] or ([None] if sources_file is None else [])
    progress = progress_for(sys.stderr)
    try:
        summary = index(
            wanted,
            db,
            tags=list(tags),
            prereleases=prereleases,
            jobs=jobs,
            progress=progress,
            sources_file=sources_file,
            mirrors=mirrors,
        )
    finally:
        progress.close()
    for problem in summary.problems:
        progress.note(f"{sources_file}: {problem}")
    for tag, reason in summary.skipped + summary.failed:
        progress.note(f"skipped {tag}: {reason}")
    for source, count in summary.elsewhere.items():
        progress.note(f"{format_count(count, 'release')} there already from {source}")
    for release, path, reason in summary.unread[:_FEW]:
        progress.note(f"{release} lacks {path}: {reason}")
    if not summary.releases_added and not summary.releases_present:
        if summary.problems:
            raise CaphistoryError(_report_problems(summary))
        raise NothingFound("no kernel release found there")
    say(
        f"{format_count(summary.releases_added, 'release')} added to {db}"
        f" ({summary.releases_present:,} were there,"
        f" {format_count(summary.blobs_read, 'blob')} read)"
    )
    say("next: caphistory", dim=True)
    if summary.failed or summary.unread:
        raise CaphistoryError(_report_unread(summary))
    if summary.problems:
        raise CaphistoryError(_report_problems(summary))


def _report_problems(summary: Summary) -> str:
    number = len(summary.problems)
    those = "1 entry" if number == 1 else f"{number} entries"
    return f"{those} of the file of sources could not be used: mend the file and run it again"


def _report_unread(summary: Summary) -> str:
    parts = []
    if summary.failed:
        parts.append(f"{format_count(len(summary.failed), 'release')} could not be read")
    if summary.unread:
        releases = sorted({release for release, _, _ in summary.unread})
        parts.append(
            f"{format_count(len(summary.unread), 'file')} of {', '.join(releases[:_FEW])} could not"
            f" be read (all of them: caphistory audit --release {releases[0]} --details)"
        )
    return "; ".join(parts) + ": mend the source and index it into a new database"
