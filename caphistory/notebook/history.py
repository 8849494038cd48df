"""caphistory in Python: the answers of the command line as pandas data frames.

    import caphistory
    history = caphistory.open()
    history.syscall("setgid")

Every method puts a question of ``queries/*.sql``, so a data frame has the columns of its rows:
those of the database's views. Names may be written as on the command line: capabilities in any
case and with or without ``CAP_``, releases with or without ``v``, a series for its newest release;
where another release answers than the one that was named, a warning says so. A name that no release
has is a ``caphistory.UsageError`` with the nearest ones; a question without an answer is an empty
frame.
"""

from __future__ import annotations

import json
import sqlite3
import warnings
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from caphistory.documented.choosing import documents
from caphistory.documented.comparing import COLUMNS, compared, narrowed
from caphistory.errors import CaphistoryError, UsageError
from caphistory.questions import names
from caphistory.questions.containers import Container, set_of
from caphistory.questions.database import default_database, open_reader
from caphistory.questions.queries import answer, ask, queries
from caphistory.records import NESTED

try:
    import pandas as pd
except ImportError as error:
    raise CaphistoryError("data frames need pandas: python -m pip install pandas") from error

if TYPE_CHECKING:
    from caphistory.notebook.plots import Plots

__all__ = ["History", "open"]


def open(db: str | PathLike[str] | None = None) -> History:
    """Open the database at ``db``, else your own (which ``caphistory index`` makes), else the
    one that ships with caphistory, which is unpacked at first use.

    Raises CaphistoryError where there is none or it cannot be read.
    """
    path = default_database(None if db is None else Path(db))
    return History(open_reader(path))


class History:
    """The facts of one database, to be asked.

    ``abi`` is a system-call table of the database (by default ``i386``, and ``x86_64`` for
    questions about one release from 3.0 on that has it) and ``release`` a
    release (by default the newest) throughout. ``withheld`` shows also the rows that say
    little: checks that constants on the way switch off, and those in code that many syscalls
    share.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def __repr__(self) -> str:
        releases = names.releases(self._connection)
        if not releases:
            return "<caphistory: no releases>"
        return f"<caphistory: {len(releases)} releases, {releases[0]} – {releases[-1]}>"

    def __enter__(self) -> History:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the database."""
        self._connection.close()

    @property
    def newest(self) -> str:
        """The newest release of the database."""
        return names.newest_release(self._connection)

    @cached_property
    def plot(self) -> Plots:
        """The answers as Altair charts (see ``caphistory.notebook.plots``)."""
        from caphistory.notebook.plots import Plots

        return Plots(self)

    # What is asked most.

    def which(
        self,
        *privileges: str,
        release: str | None = None,
        reach: str | None = None,
        withheld: bool = False,
        abi: str | None = None,
    ) -> pd.DataFrame:
        """Which syscalls check ``privileges`` (capabilities, ``suser``, ``fsuser`` or ``uid0``)
        in one release: a row for each syscall and check site, the most telling rows first.
        ``reach`` narrows it to ``direct``, ``call`` or ``pointer``; ``chain`` is a list of
        steps ``{function, path, line, edge, via}``."""
        asked = {
            "release": self._release(release),
            "reach": _reach(reach),
            "withheld": _flag(withheld),
            "abi": self._abi(abi),
        }
        return self._of_each("which", privileges, **asked)

    def which_all_releases(
        self,
        *privileges: str,
        reach: str | None = None,
        withheld: bool = False,
        abi: str | None = None,
    ) -> pd.DataFrame:
        """From which release to which each syscall checks ``privileges``: a row for each
        unbroken run, whose ``open`` is 1 where it reaches the newest release."""
        asked = {"reach": _reach(reach), "withheld": _flag(withheld), "abi": self._abi(abi)}
        return self._of_each("which_all_releases", privileges, **asked)

    def syscall(self, name: str, *, withheld: bool = False, abi: str | None = None) -> pd.DataFrame:
        """Every check of one syscall with the unbroken runs of releases that have it."""
        return self._ask(
            "syscall", syscall=self._syscall(name), withheld=_flag(withheld), abi=self._abi(abi)
        )

    def timeline(self, *syscalls: str, abi: str | None = None) -> pd.DataFrame:
        """What ``syscalls`` check, in unbroken runs of releases: ``checks`` is a text such as
        ``CAP_SETGID, suser``, empty where nothing is checked."""
        asked = [self._syscall(name) for name in syscalls]
        return self._joined("timeline", "syscall", asked, abi=self._abi(abi))

    def transition(
        self,
        from_release: str | None = None,
        to_release: str | None = None,
        *,
        abi: str | None = None,
    ) -> pd.DataFrame:
        """The syscalls whose checks differ between two releases (by default the last 2.0 and
        the last 2.2): what they checked ``before`` and ``after``, and what ``became`` of it."""
        return self._ask("transition", **self._between(from_release, to_release, abi))

    def root_became(
        self,
        from_release: str | None = None,
        to_release: str | None = None,
        *,
        abi: str | None = None,
    ) -> pd.DataFrame:
        """The syscalls that asked for root in the earlier release, with what they ask for in
        the later one, those that did not change included."""
        return self._ask("root_became", **self._between(from_release, to_release, abi))

    def successions(
        self,
        from_release: str | None = None,
        to_release: str | None = None,
        *,
        repository: str | PathLike[str] | None = None,
    ) -> pd.DataFrame:
        """What became of each check site between two releases (by default the last 2.0 and the
        last 2.2), and the sites that are new: the columns of the view of this name.

        Neighbouring releases and the default pair are in the database; others are found in the
        source of both, in ``repository`` (by default the clones that ``caphistory index`` made),
        or along the neighbouring releases. CaphistoryError where none of these can be had.
        """
        from caphistory.questions.source_text import cached_repositories
        from caphistory.questions.successions import sites_between

        asked = self._between(from_release, to_release, None)
        (ends,) = ask(self._connection, "transition_ends", **{n: asked[n] for n in ("from", "to")})
        repositories = cached_repositories() if repository is None else [Path(repository)]
        rows = sites_between(self._connection, ends["from"], ends["to"], repositories)
        columns = answer(self._connection, "successions_between").columns
        return _frame(columns, [tuple(row.values()) for row in rows])

    def why(
        self,
        syscall: str,
        privilege: str | None = None,
        *,
        release: str | None = None,
        abi: str | None = None,
    ) -> pd.DataFrame:
        """The call chains from ``syscall`` to its checks of ``privilege`` (by default of any),
        the best evidence first; ``chain`` is a list of steps, as in ``which``."""
        return self._ask(
            "why",
            syscall=self._syscall(syscall),
            privilege=None if privilege is None else self._privilege(privilege),
            release=self._release(release),
            abi=self._abi(abi),
        )

    def capability(self, name: str, *, abi: str | None = None) -> pd.DataFrame:
        """One capability in each release that defines it: number, place, documentation, and how
        many sites and syscalls check it."""
        capability = names.known_capability(self._connection, name)
        return self._ask("capability", capability=capability, abi=self._abi(abi))

    def capabilities(self, release: str | None = None, *, abi: str | None = None) -> pd.DataFrame:
        """The capabilities of one release, with how many sites and syscalls check each."""
        return self._ask("capability_list", release=self._release(release), abi=self._abi(abi))

    def privilege(self, *privileges: str, abi: str | None = None) -> pd.DataFrame:
        """How many sites and syscalls check ``privileges``, release by release."""
        asked = [self._privilege(name) for name in privileges]
        return self._joined("privilege_counts", "privilege", asked, abi=self._abi(abi))

    def container(
        self,
        base: str | Iterable[str] | Container = "docker",
        *,
        add: Sequence[str] = (),
        drop: Sequence[str] = (),
        release: str | None = None,
        abi: str | None = None,
    ) -> pd.DataFrame:
        """Which syscalls ask for a capability that a container does not hold: a row for each
        syscall and missing capability, with its best evidence.

        ``base`` is ``docker`` (what Docker leaves), ``all``, ``none``, capabilities, a mask such
        as ``00000000a80425fb`` or a container of a file (``questions.containers``); ``drop``
        takes away from it, and ``add`` gives.
        """
        return self._ask("container", **self._set(base, add, drop, release, abi))

    def container_capabilities(
        self,
        base: str | Iterable[str] | Container = "docker",
        *,
        add: Sequence[str] = (),
        drop: Sequence[str] = (),
        release: str | None = None,
        abi: str | None = None,
    ) -> pd.DataFrame:
        """The capabilities of ``container``'s set (``held`` is 1) and the others that the
        release defines, with how many sites and syscalls of that release check each."""
        return self._ask("container_capabilities", **self._set(base, add, drop, release, abi))

    def documented(
        self,
        *about: str,
        manual: str | PathLike[str] | None = None,
        seccomp: str | PathLike[str] | None = None,
        release: str | None = None,
        everything: bool = False,
        abi: str | None = None,
    ) -> pd.DataFrame:
        """Where the manual (in the folder ``manual``, by default that of this machine), or the
        seccomp profile in the file ``seccomp``, disagrees with what one release checks: a row
        for each syscall and capability with its ``verdict`` (``caphistory.documented.comparing``
        says what each means), the places of the documents and the best check. ``about``
        (syscalls and capabilities) or ``everything`` give also the rows that agree."""
        asked = self._release(release)
        wanted = [names.known_name(self._connection, name) for name in about]
        found = documents(asked, *(None if one is None else Path(one) for one in (manual, seccomp)))
        rows = [
            row
            for one in found
            for row in narrowed(
                compared(self._connection, one, asked, self._abi(abi)),
                wanted,
                everything=everything,
            )
        ]
        return _with_steps(_frame(COLUMNS, [tuple(row.values()) for row in rows]))

    # What is in the database.

    def releases(self, series: str | None = None, kind: str | None = None) -> pd.DataFrame:
        """The releases, of one ``series`` such as 2.2 and one ``kind`` (``release`` or
        ``prerelease``) where these are given."""
        return self._ask("release_list", series=series, kind=_kind(kind))

    def check_sites(self, release: str | None = None, privilege: str | None = None) -> pd.DataFrame:
        """The places where a release asks for ``privilege`` (by default for any)."""
        return self._ask(
            "check_list",
            release=self._release(release),
            privilege=None if privilege is None else self._privilege(privilege),
        )

    def check_counts(self, kind: str | None = None) -> pd.DataFrame:
        """How many check sites each release has, by the name of the check; ``kind`` is
        ``release`` (the default) or ``prerelease``."""
        return self._ask("check_counts", kind=_kind(kind))

    def audit(self, release: str | None = None) -> pd.DataFrame:
        """How completely ``release`` was read; without one, each release."""
        asked = None if release is None else self._release(release)
        return self._ask("audit_by_release", release=asked)

    # Anything else.

    def ask(self, question: str, **parameters: str | None) -> pd.DataFrame:
        """What any question of ``queries/*.sql`` gives, by the name of its file; its parameters
        have the names in the file, ``from_`` stands for ``from``."""
        known = queries()
        if question not in known:
            raise UsageError(f"no question {question!r}; there are: {', '.join(known)}")
        asked = {name.removesuffix("_"): value for name, value in parameters.items()}
        expected = [parameter.name for parameter in known[question].parameters]
        unknown = [name for name in asked if name not in expected]
        if unknown:
            raise UsageError(
                f"{question} does not ask for {', '.join(unknown)}; it takes:"
                f" {', '.join(expected) or 'nothing'}"
            )
        return self._ask(question, **asked)

    def sql(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> pd.DataFrame:
        """What a SELECT on the views gives (they are described in the README). UsageError where
        SQLite does not understand it; nothing can be written."""
        try:
            cursor = self._connection.execute(sql, parameters)
            rows = [tuple(row) for row in cursor]
        # Python 3.10 warns of two statements; text and numbers that SQLite cannot hold are
        # Python's own errors.
        except (sqlite3.Error, sqlite3.Warning, ValueError, OverflowError) as error:
            raise UsageError(f"SQL: {error}") from error
        return _frame([column[0] for column in cursor.description or ()], rows)

    def _ask(self, question: str, **parameters: str | None) -> pd.DataFrame:
        return _with_steps(_frame(*answer(self._connection, question, **parameters)))

    def _joined(
        self, question: str, parameter: str, values: Sequence[str], **asked: str | None
    ) -> pd.DataFrame:
        """The answers for each of ``values``, one below the other."""
        if not values:
            raise UsageError(f"give at least one {parameter}")
        answers = [
            answer(self._connection, question, **{parameter: value}, **asked) for value in values
        ]
        rows = [row for one in answers for row in one.rows]
        return _with_steps(_frame(answers[0].columns, rows))

    def _of_each(
        self, question: str, privileges: Sequence[str], **asked: str | None
    ) -> pd.DataFrame:
        known = [self._privilege(name) for name in privileges]
        return self._joined(question, "privilege", known, **asked)

    def _between(
        self, from_release: str | None, to_release: str | None, abi: str | None
    ) -> dict[str, str | None]:
        ends = [
            None if release is None else self._release(release)
            for release in (from_release, to_release)
        ]
        return {"from": ends[0], "to": ends[1], "abi": self._abi(abi)}

    def _set(
        self,
        base: str | Iterable[str] | Container,
        add: Sequence[str],
        drop: Sequence[str],
        release: str | None,
        abi: str | None,
    ) -> dict[str, str | None]:
        asked = self._release(release)
        defined = ask(self._connection, "capability_list", release=asked)
        numbers = {row["number"]: row["capability"] for row in defined}
        added, dropped = self._capabilities(add), self._capabilities(drop)
        chosen = set_of(base, added, dropped, numbers)._asdict()
        return {**chosen, "release": asked, "abi": self._abi(abi)}

    def _capabilities(self, given: str | Sequence[str]) -> list[str]:
        """The capabilities that ``given`` (one, or several) names, or ALL."""
        wanted = [given] if isinstance(given, str) else given
        return [
            "ALL" if name.upper() == "ALL" else names.known_capability(self._connection, name)
            for name in wanted
        ]

    def _release(self, release: str | None) -> str:
        if release is None:
            return self.newest
        named = names.named_release(self._connection, release)
        if named.remark:
            warnings.warn(named.remark, stacklevel=3)
        return named.release

    def _syscall(self, name: str) -> str:
        return names.known_syscall(self._connection, name)

    def _privilege(self, name: str) -> str:
        return names.known_privilege(self._connection, name)

    def _abi(self, abi: str | None) -> str | None:
        return None if abi is None else names.known_abi(self._connection, abi)


def _frame(columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> pd.DataFrame:
    """The rows as a data frame; whole numbers stay whole where some are missing."""
    frame: pd.DataFrame = pd.DataFrame(list(rows), columns=list(columns), dtype=object)
    typed: pd.DataFrame = frame.convert_dtypes()
    return typed


def _with_steps(frame: pd.DataFrame) -> pd.DataFrame:
    """``frame`` with what its nested columns hold: each ``chain`` as a list of steps."""
    for name in NESTED:
        if name in frame:
            frame[name] = [
                json.loads(text) if isinstance(text, str) else None for text in frame[name]
            ]
    return frame


def _reach(reach: str | None) -> str | None:
    if reach not in (None, "direct", "call", "pointer"):
        raise UsageError(f"reach is direct, call or pointer, not {reach!r}")
    return reach


def _kind(kind: str | None) -> str | None:
    if kind not in (None, "release", "prerelease"):
        raise UsageError(f"kind is release or prerelease, not {kind!r}")
    return kind


def _flag(value: bool) -> str | None:
    return "1" if value else None
