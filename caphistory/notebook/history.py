"""caphistory in Python: the answers of the command line as pandas data frames.

    import caphistory
    history = caphistory.open()
    history.syscall("setgid")

Every method runs a query of ``queries/*.sql``, so a data frame has the columns of that query: those
of the database's views. They have the same types whatever the rows (see ``notebook.frames``), and
releases sort by version. Write names as on the command line: capabilities in any case and with or
without ``CAP_``, releases with or without ``v``, a series for its newest release. A warning says so
if another release answers than the one named. A name that no release has raises
``caphistory.UsageError``, which lists the nearest ones; a question without an answer returns an
empty frame.
"""

from __future__ import annotations

import sqlite3
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property, partial
from html import escape
from os import PathLike
from pathlib import Path
from threading import Lock, Thread, current_thread
from types import TracebackType
from typing import TYPE_CHECKING, Any

from caphistory.documented.choosing import documents
from caphistory.documented.comparing import COLUMNS, compared, narrowed
from caphistory.documented.seccomp import apply_profile, list_allowed
from caphistory.errors import CaphistoryError, UsageError
from caphistory.notebook.containers import Base, find_file, read_containers
from caphistory.notebook.frames import guess_frame, make_frame
from caphistory.questions import answers, names
from caphistory.questions.containers import choose_container, list_runtimes, make_set
from caphistory.questions.containers.losing import LossFinder
from caphistory.questions.database import default_database, open_reader
from caphistory.questions.needs import explain_failures, find_needs
from caphistory.questions.queries import answer, ask, queries
from caphistory.questions.requirements import group_requirements
from caphistory.questions.strace import Call, make_call, open_log, read_log
from caphistory.records import Row
from caphistory.wording.phrases import format_count

if TYPE_CHECKING:
    import pandas as pd

    from caphistory.notebook.plots import Plots

__all__ = ["History", "open"]


def open(db: str | PathLike[str] | None = None) -> History:
    """Return the history in the database (or exported file of facts) at ``db``, else in your own
    (made by ``caphistory index``), else in the one that ships with caphistory, which is unpacked at
    first use.

    Raises CaphistoryError if there is none or it cannot be read.
    """
    path = default_database(None if db is None else Path(db), warn=warnings.warn)
    return History(partial(open_reader, path, any_thread=True))


class History:
    """The facts of one database; each method answers one kind of question.

    Throughout, ``abi`` is a system-call table of the database (by default ``i386``, or ``x86_64``
    for one release since 3.0 that has it), and ``release`` is a release (by default the newest).
    ``everything`` also returns the requirements that say little of a syscall: those whose
    ``standing`` is remote (many pointer steps to code that many syscalls share) or off (constants
    on the chain switch them off). ``operation`` is what a syscall is asked to do, such as
    ``SIOCSIFADDR``, with ``*`` for any text. Several threads may use one History.
    """

    def __init__(self, connect: Callable[[], sqlite3.Connection]) -> None:
        self._connect = connect
        self._connections: dict[Thread, sqlite3.Connection] | None = {current_thread(): connect()}
        self._lock = Lock()

    @property
    def _connection(self) -> sqlite3.Connection:
        """The connection of this thread: SQLite asks Python what is allowed (``forbid_writing``),
        so that threads with one connection would wait for one another for ever."""
        with self._lock:
            if self._connections is None:
                raise CaphistoryError("this history is closed: caphistory.open() opens another")
            thread = current_thread()
            if thread not in self._connections:
                for ended in [each for each in self._connections if not each.is_alive()]:
                    self._connections.pop(ended).close()
                self._connections[thread] = self._connect()
            return self._connections[thread]

    def __repr__(self) -> str:
        return f"<caphistory: {self._describe()}>"

    def _repr_html_(self) -> str:
        """Return for Jupyter what the database holds and where to begin."""
        examples = "\n".join(_EXAMPLES)
        return f"<p>caphistory: {escape(self._describe())}</p><pre>{escape(examples)}</pre>"

    def _describe(self) -> str:
        if self._connections is None:
            return "closed"
        releases = self._releases
        if not releases:
            return "no releases"
        return f"{len(releases)} releases, {releases[0]} – {releases[-1]}"

    @property
    def _releases(self) -> list[str]:
        return names.list_releases(self._connection)

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
        """Close the database; afterwards every question raises CaphistoryError."""
        with self._lock:
            for connection in (self._connections or {}).values():
                connection.close()
            self._connections = None

    @property
    def newest(self) -> str:
        """The newest release of the database."""
        return names.newest_release(self._connection)

    @cached_property
    def plot(self) -> Plots:
        """The same answers as Altair charts (see ``caphistory.notebook.plots``)."""
        from caphistory.notebook.plots import Plots

        return Plots(self)

    # What is asked most.

    def which(
        self,
        *privileges: str,
        release: str | None = None,
        reach: str | None = None,
        operation: str | None = None,
        everything: bool = False,
        abi: str | None = None,
    ) -> pd.DataFrame:
        """Return which syscalls ask for ``privileges`` (capabilities, ``suser``, ``fsuser`` or
        ``uid0``) in one release, with the columns of ``requirements``, the best evidence first.
        ``reach`` limits the rows to ``direct``, ``call`` or ``pointer``; ``chain`` is a tuple of
        steps ``{function, path, line, edge, via}``."""
        asked = {
            "release": self._release(release),
            "reach": _reach(reach),
            "operation": operation,
            "everything": _flag(everything),
            "abi": self._abi(abi),
        }
        return self._of_each("which", privileges, **asked)

    def requirements(
        self,
        syscall: str | None = None,
        privilege: str | None = None,
        *,
        operation: str | None = None,
        release: str | None = None,
        everything: bool = False,
        abi: str | None = None,
    ) -> pd.DataFrame:
        """Return what the syscalls of one release ask for: a row for each syscall, operation,
        privilege and meaning, with its best evidence. ``instead`` is a list of the privileges that
        do as well, and ``chain`` a list of steps ``{function, path, line, edge, via}``."""
        return self._ask(
            "requirement_list",
            syscall=None if syscall is None else self._syscall(syscall),
            privilege=None if privilege is None else self._privilege(privilege),
            operation=operation,
            release=self._release(release),
            everything=_flag(everything),
            abi=self._abi(abi),
        )

    def which_all_releases(
        self,
        *privileges: str,
        abi: str | None = None,
    ) -> pd.DataFrame:
        """Return from which release to which each syscall checks ``privileges``: a row for each
        unbroken run; ``open`` is true if it reaches the newest release."""
        return self._of_each("which_all_releases", privileges, abi=self._abi(abi))

    def syscall(
        self,
        name: str,
        *,
        operation: str | None = None,
        everything: bool = False,
        abi: str | None = None,
    ) -> pd.DataFrame:
        """Return what one syscall asks for, by operation, with the unbroken runs of releases in
        which it does; what a requirement means is as in the last release of the run."""
        return self._ask(
            "syscall",
            syscall=self._syscall(name),
            operation=operation,
            everything=_flag(everything),
            abi=self._abi(abi),
        )

    def operations(self, syscall: str | None = None) -> pd.DataFrame:
        """Return the operations by which ``syscall``, or any, asks for a privilege."""
        asked = None if syscall is None else self._syscall(syscall)
        return self._ask("operation_list", syscall=asked)

    def operation(
        self,
        operation: str,
        *,
        syscall: str | None = None,
        privilege: str | None = None,
        everything: bool = False,
        abi: str | None = None,
    ) -> pd.DataFrame:
        """Return what ``operation`` asks for, from which release to which: since when
        ``ioctl(SIOCSIFADDR)`` asks for CAP_NET_ADMIN, and what it asked for before."""
        return self._ask(
            "operation_history",
            operation=operation,
            syscall=None if syscall is None else self._syscall(syscall),
            privilege=None if privilege is None else self._privilege(privilege),
            everything=_flag(everything),
            abi=self._abi(abi),
        )

    def timeline(self, *syscalls: str, abi: str | None = None) -> pd.DataFrame:
        """Return what ``syscalls`` check, in unbroken runs of releases: ``checks`` is a text such
        as ``CAP_SETGID, suser``, empty if nothing is checked."""
        asked = [self._syscall(name) for name in syscalls]
        return self._joined("timeline", "syscall", asked, abi=self._abi(abi))

    def transition(
        self,
        from_release: str | None = None,
        to_release: str | None = None,
        *,
        abi: str | None = None,
    ) -> pd.DataFrame:
        """Return the syscalls whose checks differ between two releases (by default the last 2.0
        and the last 2.2): what they checked ``before`` and ``after``, and what it ``became``."""
        return self._ask("transition", **self._between(from_release, to_release, abi))

    def root_became(
        self,
        from_release: str | None = None,
        to_release: str | None = None,
        *,
        abi: str | None = None,
    ) -> pd.DataFrame:
        """Return the syscalls that asked for root in the earlier release, with what they ask for in
        the later one; those that did not change are included."""
        return self._ask("root_became", **self._between(from_release, to_release, abi))

    def successions(
        self,
        from_release: str | None = None,
        to_release: str | None = None,
        *,
        repository: str | PathLike[str] | None = None,
    ) -> pd.DataFrame:
        """Return what became of each check site between two releases (by default the last 2.0 and
        the last 2.2), and the new sites, with the columns of the view ``successions``.

        The database holds adjacent releases and the default pair. For others the source of both
        is compared, from ``repository`` (by default the clones that ``caphistory index`` made),
        or else the comparisons of adjacent releases are composed.

        Raises CaphistoryError if none of these is possible.
        """
        from caphistory.questions.source_text import cached_repositories
        from caphistory.questions.successions import compare_sites

        asked = self._between(from_release, to_release, None)
        (ends,) = ask(self._connection, "transition_ends", **{n: asked[n] for n in ("from", "to")})
        repositories = cached_repositories() if repository is None else [Path(repository)]
        rows = compare_sites(self._connection, ends["from"], ends["to"], repositories)
        columns = answer(self._connection, "successions_between").columns
        return make_frame(columns, [tuple(row.values()) for row in rows], self._releases)

    def why(
        self,
        syscall: str,
        privilege: str | None = None,
        *,
        operation: str | None = None,
        release: str | None = None,
        abi: str | None = None,
    ) -> pd.DataFrame:
        """Return the call chains from ``syscall`` to its checks of ``privilege`` (by default of
        any), the best evidence first; ``chain`` is a tuple of steps, as in ``requirements``."""
        return self._ask(
            "why",
            syscall=self._syscall(syscall),
            privilege=None if privilege is None else self._privilege(privilege),
            operation=operation,
            release=self._release(release),
            abi=self._abi(abi),
        )

    def capability(self, name: str, *, abi: str | None = None) -> pd.DataFrame:
        """Return one capability in each release that defines it: number, place, documentation, and
        how many sites and syscalls check it."""
        capability = names.resolve_capability(self._connection, _require_text(name, "it"))
        return self._ask("capability", capability=capability, abi=self._abi(abi))

    def capabilities(self, release: str | None = None, *, abi: str | None = None) -> pd.DataFrame:
        """Return the capabilities of one release, and how many sites and syscalls check each."""
        return self._ask("capability_list", release=self._release(release), abi=self._abi(abi))

    def privilege(self, *privileges: str, abi: str | None = None) -> pd.DataFrame:
        """Return how many sites and syscalls check ``privileges``, release by release."""
        asked = [self._privilege(name) for name in privileges]
        return self._joined("privilege_counts", "privilege", asked, abi=self._abi(abi))

    def container(
        self,
        base: Base = "docker",
        *,
        container: str | None = None,
        add: Sequence[str] = (),
        drop: Sequence[str] = (),
        userns: bool = False,
        bounding: bool = False,
        seccomp: str | PathLike[str] | None = None,
        release: str | None = None,
        abi: str | None = None,
    ) -> pd.DataFrame:
        """Return what the syscalls can no longer do in a container: the requirements that ask for a
        capability which it does not hold, unless it holds one that does as well (``instead``).

        ``base`` is ``docker`` (Docker's default set) or another runtime, ``all``, ``none``,
        capabilities, a mask such as ``00000000a80425fb``, the path of a file that describes
        containers (Kubernetes, Compose, a unit, what inspect prints) or one read from such a file;
        ``container`` chooses one of a file. The capabilities in ``drop`` are removed and those in
        ``add`` added. ``userns`` puts it into a user namespace of its own, ``bounding`` asks of the
        most that its programs may get, and ``seccomp`` is a profile: the column of that name says
        allowed, arguments (it depends on them) or the error. Of a file, the columns ``container``
        and ``runtime`` say whose loss it is. Warns of what a person should know of the set.
        """
        asked, table = self._release(release), self._abi(abi)
        finder = LossFinder(
            self._connection,
            asked,
            table,
            self._numbers(asked),
            self._capabilities(add),
            self._capabilities(drop),
            userns=userns,
            bounding=bounding,
        )
        is_file = find_file(base) is not None
        rows: list[tuple[Any, ...]] = []
        for each in read_containers(base, container):
            for runtime in list_runtimes(each) if is_file else list_runtimes(each)[:1]:
                losses = finder.find(each, runtime)
                for remark in filter(None, (losses.describe_refusal(), *losses.list_remarks())):
                    warnings.warn(remark, stacklevel=2)
                profile = seccomp and apply_profile(
                    Path(seccomp), asked, losses.bounding.__contains__
                )
                rows += [
                    (
                        *((each.name, runtime) if is_file else ()),
                        *(row[name] for name in answers.COLUMNS["container"]),
                        *((profile.describe(row["syscall"]),) if profile else ()),
                    )
                    for row in losses.rows
                ]
        columns = [
            *(("container", "runtime") if is_file else ()),
            *answers.COLUMNS["container"],
            *(("seccomp",) if seccomp else ()),
        ]
        return make_frame(columns, rows, self._releases)

    def needs(
        self,
        *syscalls: str,
        strace: str | PathLike[str] | None = None,
        seccomp: str | PathLike[str] | None = None,
        userns: bool = False,
        release: str | None = None,
        abi: str | None = None,
    ) -> pd.DataFrame:
        """Return the capabilities that a program must have (``need`` is must) or may need (may),
        each with the strongest reason.

        What it does is given by ``syscalls``, each ``SYSCALL`` or ``SYSCALL:OPERATION``, by the
        calls in ``strace`` (the path of a log, or its text), or by those that the profile
        ``seccomp`` allows. ``met_by`` are the privileges any one of which does; ``possible`` is
        false where none does in a user namespace of its own (``userns``).
        """
        asked, table = self._release(release), self._abi(abi)
        calls = [self._call(text) for text in syscalls]
        if strace is not None:
            calls += self._log(strace)
        if seccomp is not None:
            profile = apply_profile(Path(seccomp), asked, lambda _: False)
            calls += map(make_call, list_allowed(profile))
        if not calls:
            raise UsageError("nothing to ask about: give syscalls, strace or seccomp")
        told = group_requirements(
            self._connection, {call.syscall for call in calls}, asked, table, conditional=True
        )
        rows = [answers.make_need_row(need, userns) for need in find_needs(calls, told)]
        return self._made("needs", rows)

    def explain(
        self, log: str | PathLike[str], *, release: str | None = None, abi: str | None = None
    ) -> pd.DataFrame:
        """Return which privileges the failed calls in ``log`` (the path of a log of strace, or its
        text) may have lacked: a row for each call and requirement that fits it, the best first,
        with how its operation fits (``fit``) and what else gives the error (``otherwise``)."""
        asked, table = self._release(release), self._abi(abi)
        explanations = explain_failures(
            self._log(log),
            lambda names: group_requirements(self._connection, names, asked, table),
        )
        return self._made("explain", answers.make_explanation_rows(explanations))

    def search(self, text: str) -> pd.DataFrame:
        """Return what ``text`` finds: capabilities by what they permit (``port below 1024``), and
        the names of syscalls, privileges, releases, functions and files that hold it."""
        return self._made("search", answers.search(self._connection, _require_text(text, "it")))

    def container_capabilities(
        self,
        base: Base = "docker",
        *,
        container: str | None = None,
        add: Sequence[str] = (),
        drop: Sequence[str] = (),
        release: str | None = None,
        abi: str | None = None,
    ) -> pd.DataFrame:
        """Return the capabilities in ``container``'s set (``held`` is true) and the others that the
        release defines, and how many sites and syscalls of that release check each."""
        asked = self._release(release)
        chosen = make_set(
            choose_container(read_containers(base, container), None),
            self._capabilities(add),
            self._capabilities(drop),
            self._numbers(asked),
        )
        return self._ask(
            "container_capabilities", **chosen._asdict(), release=asked, abi=self._abi(abi)
        )

    def documented(
        self,
        *about: str,
        manual: str | PathLike[str] | None = None,
        seccomp: str | PathLike[str] | None = None,
        release: str | None = None,
        everything: bool = False,
        abi: str | None = None,
    ) -> pd.DataFrame:
        """Return where the manual (in the folder ``manual``, by default this machine's) or the
        seccomp profile in the file ``seccomp`` disagrees with what one release checks.

        There is a row for each syscall and capability with its ``verdict`` (explained in
        ``caphistory.documented.comparing``), the places in the documents and the best check.
        ``about`` (syscalls and capabilities) or ``everything`` adds the rows that agree.
        """
        asked = self._release(release)
        wanted = [names.resolve_name(self._connection, name) for name in about]
        paths = [None if file is None else Path(file) for file in (manual, seccomp)]
        rows = [
            row
            for document in documents(asked, *paths)
            for row in narrowed(
                compared(self._connection, document, asked, self._abi(abi)),
                wanted,
                everything=everything,
            )
        ]
        return make_frame(COLUMNS, [tuple(row.values()) for row in rows], self._releases)

    # What is in the database.

    def releases(self, series: str | None = None, kind: str | None = None) -> pd.DataFrame:
        """Return the releases, only of one ``series`` such as 2.2 or one ``kind`` (``release`` or
        ``prerelease``) if given."""
        return self._ask("release_list", series=series, kind=_kind(kind))

    def check_sites(self, release: str | None = None, privilege: str | None = None) -> pd.DataFrame:
        """Return the places where a release asks for ``privilege`` (by default for any)."""
        return self._ask(
            "check_list",
            release=self._release(release),
            privilege=None if privilege is None else self._privilege(privilege),
        )

    def check_counts(self, kind: str | None = None) -> pd.DataFrame:
        """Return how many check sites each release has, by the name of the check; ``kind`` is
        ``release`` (the default) or ``prerelease``."""
        return self._ask("check_counts", kind=_kind(kind))

    def audit(self, release: str | None = None) -> pd.DataFrame:
        """Return how completely ``release``, by default each release, was read."""
        asked = None if release is None else self._release(release)
        return self._ask("audit_by_release", release=asked)

    # Anything else.

    def ask(self, question: str, **parameters: str | None) -> pd.DataFrame:
        """Return the answer of any query of ``queries/*.sql``, by the name of its file. The
        parameters are named as in the file, with ``from_`` for ``from``."""
        questions = queries()
        if question not in questions:
            raise UsageError(f"no question {question!r}; there are: {', '.join(questions)}")
        asked = {name.removesuffix("_"): value for name, value in parameters.items()}
        expected = [parameter.name for parameter in questions[question].parameters]
        unknown = [name for name in asked if name not in expected]
        if unknown:
            raise UsageError(
                f"{question} does not ask for {', '.join(unknown)}; it takes:"
                f" {', '.join(expected) or 'nothing'}"
            )
        return self._ask(question, **asked)

    def sql(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> pd.DataFrame:
        """Return the rows of a SELECT on the views (the README describes them). The database is
        read-only; raise UsageError if SQLite rejects the statement."""
        try:
            cursor = self._connection.execute(sql, parameters)
            rows = [tuple(row) for row in cursor]
        # Python 3.10 raises a Warning for two statements, and other errors of its own for text
        # and numbers that SQLite cannot hold.
        except (sqlite3.Error, sqlite3.Warning, ValueError, OverflowError) as error:
            raise UsageError(f"SQL: {error}") from error
        columns = [column[0] for column in cursor.description or ()]
        return guess_frame(columns, rows, self._releases)

    def _ask(self, question: str, **parameters: str | None) -> pd.DataFrame:
        return make_frame(*answer(self._connection, question, **parameters), self._releases)

    def _made(self, answer: str, rows: Iterable[Row]) -> pd.DataFrame:
        """Return the rows of an answer that is made of several questions' (``answers.COLUMNS``)."""
        columns = answers.COLUMNS[answer]
        tuples = [tuple(row[name] for name in columns) for row in rows]
        return make_frame(columns, tuples, self._releases)

    def _call(self, text: str) -> Call:
        """Return the call that ``SYSCALL:OPERATION`` stands for."""
        name, _, operation = _require_text(text, "a syscall").partition(":")
        return make_call(self._syscall(name), operation)

    def _log(self, log: str | PathLike[str]) -> Iterator[Call]:
        """Give the calls in a log of strace, or in the text of one."""

        def warn_cut_off(count: int) -> None:
            warnings.warn(f"{format_count(count, 'call')} cut off, left out", stacklevel=2)

        text = str(log)
        return read_log(open_log(text), repr(text[:60]), warn_cut_off)

    def _joined(
        self, question: str, parameter: str, values: Sequence[str], **asked: str | None
    ) -> pd.DataFrame:
        """Return the answers for each of ``values`` in one frame."""
        if not values:
            raise UsageError(f"give at least one {parameter}")
        tables = [
            answer(self._connection, question, **{parameter: value}, **asked) for value in values
        ]
        rows = [row for table in tables for row in table.rows]
        return make_frame(tables[0].columns, rows, self._releases)

    def _of_each(
        self, question: str, privileges: Sequence[str], **asked: str | None
    ) -> pd.DataFrame:
        resolved = [self._privilege(name) for name in privileges]
        return self._joined(question, "privilege", resolved, **asked)

    def _between(
        self, from_release: str | None, to_release: str | None, abi: str | None
    ) -> dict[str, str | None]:
        ends = [
            None if release is None else self._release(release)
            for release in (from_release, to_release)
        ]
        return {"from": ends[0], "to": ends[1], "abi": self._abi(abi)}

    def _numbers(self, release: str) -> dict[int, str]:
        """Return the capabilities of a release by their numbers."""
        defined = ask(self._connection, "capability_list", release=release)
        return {row["number"]: row["capability"] for row in defined}

    def _capabilities(self, given: str | Sequence[str]) -> list[str]:
        """Return the capabilities that ``given``, one name or several, means; ALL stays ALL."""
        wanted = [given] if isinstance(given, str) else given
        return [
            "ALL" if name.upper() == "ALL" else names.resolve_capability(self._connection, name)
            for name in wanted
        ]

    def _release(self, release: str | None) -> str:
        if release is None:
            return self.newest
        named = names.resolve_release(self._connection, _require_text(release, "a release"))
        if named.remark:
            warnings.warn(named.remark, stacklevel=3)
        return named.release

    def _syscall(self, name: str) -> str:
        return names.resolve_syscall(self._connection, _require_text(name, "a syscall"))

    def _privilege(self, name: str) -> str:
        return names.resolve_privilege(self._connection, _require_text(name, "a privilege"))

    def _abi(self, abi: str | None) -> str | None:
        if abi is None:
            return None
        return names.resolve_abi(self._connection, _require_text(abi, "an abi"))


_EXAMPLES = (
    'history.which("CAP_SYS_CHROOT")',
    'history.syscall("setgid")',
    'history.transition("2.0.40", "2.2.24")',
    "help(history)",
)


def _require_text(name: Any, noun: str) -> str:
    """Return ``name``; raise UsageError unless it is a text."""
    if not isinstance(name, str):
        raise UsageError(f"{noun} is a text, such as {str(name)!r}, not {name!r}")
    return name


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
