"""``caphistory releases``: what the database holds."""

from __future__ import annotations

from itertools import groupby

import click

from caphistory.cli.session import Session, pass_session, subcommand
from caphistory.cli.text import say
from caphistory.errors import NothingFound
from caphistory.questions.names import newest_release
from caphistory.records import Row
from caphistory.wording.phrases import format_count
from caphistory.wording.plain import clean, wrap


@subcommand("releases")
@click.option("--series", metavar="S", help="Only the releases of one series, such as 2.2.")
@click.option("--kind", type=click.Choice(("release", "prerelease")), help="Only this kind.")
@pass_session
def command(session: Session, series: str | None, kind: str | None) -> None:
    """The releases in the database.

    On a terminal by series; with --series, or in another format, one by one.

    \b
    Examples:
      caphistory releases
      caphistory releases --series 2.2
    """
    rows = session.ask("release_list", series=series, kind=kind)
    if not rows:
        newest_release(session.connection)
        raise NothingFound(
            "no such release in the database: caphistory releases shows what there is"
        )
    if not session.for_people:
        session.print_rows(rows)
    elif series is None:
        _print_series(session, rows)
    else:
        session.print_table(
            ("release", "kind", "released", "provenance", "commit", "source"),
            [
                tuple(
                    clean(row[column])
                    for column in (
                        "release",
                        "kind",
                        "released",
                        "provenance",
                        "commit_sha",
                        "source",
                    )
                )
                for row in rows
            ],
            flexible=("source", "commit"),
        )
        for row in rows:
            if row["note"]:
                note = f"{clean(row['release'])}: {clean(row['note'])}"
                say("\n".join(wrap(note, session.width, "    ")), dim=True)


def _print_series(session: Session, rows: list[Row]) -> None:
    say(
        f"{format_count(len(rows), 'release')}, {clean(rows[0]['release'])} –"
        f" {clean(rows[-1]['release'])}",
        bold=True,
    )
    session.print_table(
        ("series", "releases", "first", "last", "published", "provenance"),
        [
            (
                clean(series),
                str(len(members)),
                clean(members[0]["release"]),
                clean(members[-1]["release"]),
                " – ".join(
                    dict.fromkeys(
                        clean(end["released"]) or "?" for end in (members[0], members[-1])
                    )
                ),
                ", ".join(dict.fromkeys(clean(row["provenance"]) for row in members)),
            )
            for series, group in groupby(rows, key=lambda row: row["series"])
            for members in [list(group)]
        ],
    )
    say(f"\nnext: caphistory releases --series {clean(rows[-1]['series'])}", dim=True)
