"""Print what ``caphistory`` without a command shows: the contents, an answer, and first steps."""

from __future__ import annotations

from caphistory import __version__
from caphistory.cli.session import Session
from caphistory.cli.text import say
from caphistory.questions.names import newest_release
from caphistory.wording.phrases import format_count, format_timeline
from caphistory.wording.plain import clean

_SYSCALL = "setgid"
"""Every release since 0.01 has it, and its check went from root to a capability."""
_RELEASE = "2.2.24"
"""The release of the examples, if the database has it."""


def print_overview(session: Session) -> None:
    """Print the overview of the session's database."""
    newest = newest_release(session.connection)
    releases = session.ask("release_list")
    if not session.for_people and session.format is not None:
        session.print_rows(releases)
        return
    runs = session.ask("timeline", syscall=_SYSCALL)
    first, last = clean(releases[0]["release"]), clean(newest)
    audit = session.ask("audit_by_release", release=newest)
    sites = sum(row["calls"] for row in audit)
    say(
        f"caphistory {__version__}: which Linux syscalls check which privilege, and since when",
        bold=True,
    )
    say(
        f"{format_count(len(releases), 'release')}, {first} – {last};"
        f" {format_count(sites, 'check')} in the newest"
    )
    if runs:
        say(f"\n$ caphistory syscall {_SYSCALL}", dim=True)
        say(format_timeline(runs))
    held = {row["release"] for row in releases}
    example = _RELEASE if _RELEASE in held else last
    say("\nask:", bold=True)
    questions = (
        (f"which CAP_SYS_CHROOT --release {example}", "the syscalls that check a capability"),
        ("which suser --all-releases", "… or root, from which release to which"),
        ("transition", "what changed between 2.0 and 2.2"),
        ("why chroot CAP_SYS_CHROOT", "the call chain, with file and line"),
        ("container pod.yaml", "what a container cannot do, and what mends it"),
        ("explain LOG", "why calls in a log of strace failed"),
        ("serve", "open the explorer in the browser"),
        ("--help", "everything else"),
    )
    size = max(len(question) for question, _ in questions)
    narrow = size + max(len(answer) for _, answer in questions) + 15 > session.width
    for question, answer in questions:
        if narrow:
            say(f"  caphistory {question}\n    {answer}")
        else:
            say(f"  caphistory {question.ljust(size)}  {answer}")
