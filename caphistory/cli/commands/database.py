"""``caphistory database``: where the database is."""

from __future__ import annotations

import click

from caphistory.cli.session import Session, pass_session, subcommand


@subcommand("database")
@pass_session
def command(session: Session) -> None:
    """Print the path of the database, for other programs.

    \b
    Examples:
      caphistory database
      datasette "$(caphistory database)"
    """
    from caphistory.questions.database import open_reader

    path = session.find_database(None)
    open_reader(path).close()
    click.echo(path)
