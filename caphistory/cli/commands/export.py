"""``caphistory export``: the database for other programs."""

from __future__ import annotations

from pathlib import Path

import click

from caphistory.cli.session import Session, pass_session, subcommand
from caphistory.cli.text import say
from caphistory.errors import UsageError


@subcommand("export", release=True)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--all-releases", is_flag=True, help="In a folder: the rows of every release.")
@pass_session
def command(session: Session, file: Path, all_releases: bool) -> None:
    """Write the database to FILE, in the form that its suffix names.

    \b
    x.db       a copy: SQLite, for Datasette, sqlite-utils, DuckDB and others
    x.facts    one compressed file, the same bytes for the same facts, as it
               ships with caphistory; it holds no kernel text
    x.csv      a folder with a file for each view, and a datapackage.json
    x.parquet  the same as Parquet (needs pyarrow)

    In a folder, views with rows of each release have those of --release;
    --all-releases writes gigabytes.

    \b
    Examples:
      caphistory export facts.db
      caphistory export history.csv --release 2.2.24
    """
    from caphistory.questions.database import EXPORT_FOLDERS, export

    folder = file.suffix.lower() in EXPORT_FOLDERS
    if session.release is not None and (all_releases or not folder):
        raise UsageError("--release is for a folder without --all-releases: leave it out")
    release = session.asked_release if folder and not all_releases else None
    export(session.connection, file, release)
    size = sum(part.stat().st_size for part in (file, *file.glob("*")) if part.is_file())
    say(f"{file}: {size / 1e6:.1f} MB")
