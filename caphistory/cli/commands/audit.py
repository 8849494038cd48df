"""``caphistory audit``: how completely the releases were read."""

from __future__ import annotations

import click

from caphistory.cli.session import Session, pass_session, subcommand
from caphistory.cli.text import say
from caphistory.errors import NothingFound
from caphistory.records import Row
from caphistory.wording.phrases import format_count
from caphistory.wording.plain import clean, wrap

_WORST = 10
_OF_SITES = ("without_function", "effect_unknown")


@subcommand("audit", release=True)
@click.option("--details", is_flag=True, help="What could not be accounted for, one by one.")
@pass_session
def command(session: Session, details: bool) -> None:
    """How completely each release was read.

    Counts every occurrence of a check's name outside comments and strings, and says what
    could not be accounted for.

    \b
    Examples:
      caphistory audit
      caphistory audit --release 2.2.24 --details
    """
    if details:
        _print_details(session)
        return
    asked = session.asked_release if session.release is not None else None
    rows = session.ask("audit_by_release", release=asked)
    if not rows:
        raise NothingFound("the database holds no release yet: caphistory index adds some")
    if not session.for_people:
        session.print_rows(rows)
    elif asked is not None:
        _print_release(rows[0])
    else:
        _print_worst(session, rows)


def _print_details(session: Session) -> None:
    release = session.asked_release
    rows = session.ask("audit_of_release", release=release)
    if not rows:
        raise NothingFound(f"everything in {release} is accounted for")
    if not session.for_people:
        session.print_rows(rows)
        return
    say(f"{release}: {format_count(len(rows), 'detail')}", bold=True)
    session.print_table(
        ("kind", "where", "detail"),
        [
            (
                clean(row["kind"]),
                clean(row["path"]) + (f":{row['line']}" if row["line"] else ""),
                clean(row["detail"]),
            )
            for row in rows
        ],
        flexible=("detail",),
    )


def _print_release(row: Row) -> None:
    say(clean(row["release"]), bold=True)
    for name, value in row.items():
        if name != "release":
            share = _format_share(value, row["sites"]) if name in _OF_SITES else ""
            say(f"{name.replace('_', ' '):<24}{value:>10,}{share}")
    say(f"\nnext: caphistory audit --release {clean(row['release'])} --details", dim=True)


def _format_share(part: int, whole: int) -> str:
    return f"   {part / whole:.1%} of the sites" if whole else ""


def _print_worst(session: Session, rows: list[Row]) -> None:
    """Print the sums over all releases, then the releases with the most unexplained occurrences."""
    lexical = sum(row["lexical"] for row in rows)
    unexplained = sum(row["unexplained"] for row in rows)
    sites, lost, unknown = (
        sum(row[name] for row in rows) for name in ("sites", "without_function", "effect_unknown")
    )
    say(
        f"{format_count(len(rows), 'release')}: {unexplained:,} of {lexical:,} occurrences of a"
        " check's name are unexplained",
        bold=True,
    )
    text = (
        f"{sites:,} check sites, release by release: {lost:,} stand in no known function, the"
        f" effect of {unknown:,} is unknown ({unknown / max(sites, 1):.1%})"
    )
    say("\n".join(wrap(text, session.width)))
    worst = sorted((row for row in rows if row["unexplained"]), key=lambda row: -row["unexplained"])
    shown = worst[:_WORST] or rows[-_WORST:]
    session.print_table(
        (
            "release",
            "names",
            "unexplained",
            "sites",
            "no function",
            "no effect",
            "functions",
            "errors",
            "pointers",
            "resolved",
        ),
        [
            (
                clean(row["release"]),
                *(
                    f"{row[column]:,}"
                    for column in (
                        "lexical",
                        "unexplained",
                        "sites",
                        "without_function",
                        "effect_unknown",
                        "functions",
                        "parse_errors",
                        "pointer_calls",
                        "pointer_calls_resolved",
                    )
                ),
            )
            for row in shown
        ],
    )
    if len(shown) < len(rows):
        which = "worst" if worst else "newest"
        say(f"the {which} {len(shown)} of {len(rows)}: --format tsv prints all", dim=True)
    say(f"\nnext: caphistory audit --release {clean(shown[0]['release'])} --details", dim=True)
