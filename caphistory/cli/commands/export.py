"""``caphistory export``: the facts of the database as one file."""

from __future__ import annotations

from pathlib import Path

import click

from caphistory.cli.session import Session, pass_session, subcommand
from caphistory.cli.text import say


@subcommand("export")
@click.argument("file", type=click.Path(path_type=Path))
@pass_session
def command(session: Session, file: Path) -> None:
    """Write all facts of the database to FILE.

    FILE is one compressed file, the same bytes for the same facts, as it ships with
    caphistory. It holds no kernel text.

    \b
    Example:
      caphistory export history.facts
    """
    from caphistory.questions.database import export

    export(session.connection, file)
    say(f"{file}: {file.stat().st_size / 1e6:.1f} MB")
