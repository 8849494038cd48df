"""Tables and columns of the database, with their descriptions, as data.

Facts repeat over hundreds of releases, so a fact is stored once (``FACT_TABLES``) and where it
holds is stored as runs (``RUN_TABLES``): ``first`` and ``last`` are positions of releases (see
``records.Release``), and a run covers every stored release between them. A run that reaches the
newest stored release is open: its ``last`` is ``OPEN``, so that appending a release writes only
what differs from its predecessor. Line numbers move all the time while the facts stay, so they
have runs of their own.

``ddl`` makes the database from these tables and from ``views.VIEWS``; the descriptions are also
Datasette's metadata and the data dictionary.
"""

from __future__ import annotations

from typing import NamedTuple

from caphistory.records import PROVENANCES
from caphistory.store import standing

PROVENANCE_MEANS = "how sure it is that this tree is what was released: " + "; ".join(
    f"{name} ({meaning})" for name, meaning in PROVENANCES.items()
)
NOTE_MEANS = "what is known of this tree, such as its defects; NULL for nothing"

#: ``last`` of a run that reaches the newest stored release.
OPEN = 2**63 - 1


class Column(NamedTuple):
    """A column of a table: ``references`` names the table whose ids it holds, ``optional`` says
    that it can be NULL."""

    name: str
    type: type[int] | type[str] | type[bytes]
    description: str
    references: str | None = None
    optional: bool = False


class Table(NamedTuple):
    """A stored table: ``key`` are the columns of the primary key, ``indexes`` and ``unique`` the
    columns (or SQL expressions) of each index."""

    name: str
    description: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    indexes: tuple[tuple[str, ...], ...] = ()
    unique: tuple[tuple[str, ...], ...] = ()
    without_rowid: bool = False

    @property
    def column_names(self) -> tuple[str, ...]:
        """The names of the columns, in order."""
        return tuple(column.name for column in self.columns)

    @property
    def insert(self) -> str:
        """The SQL that stores a row, its values in the order of the columns; a row with the same
        primary key is replaced."""
        return self.append.replace("INSERT", "INSERT OR REPLACE", 1)

    @property
    def append(self) -> str:
        """The SQL that stores a row that is not there yet, its values as for ``insert``."""
        return self.append_many(1)

    def append_many(self, rows: int) -> str:
        """Return the SQL that stores rows that are not there yet, their values one after the
        other."""
        names = ", ".join(self.column_names)
        marks = f"({', '.join('?' * len(self.columns))})"
        return f"INSERT INTO {self.name} ({names}) VALUES {', '.join([marks] * rows)}"


def make_fact_table(
    name: str, description: str, *columns: Column, indexes: tuple[tuple[str, ...], ...] = ()
) -> Table:
    """Return a table of facts that never change: its other columns are what ``id`` stands for."""
    number = Column("id", int, "number of the row, used by other tables")
    return Table(name, description, (number, *columns), ("id",), indexes)


def make_run_table(
    name: str,
    description: str,
    key: tuple[Column, ...],
    values: tuple[Column, ...] = (),
    indexes: tuple[tuple[str, ...], ...] = (),
) -> Table:
    """Return a table of runs: in one release there is at most one row for each ``key``. Its columns
    are the fact, ``key`` and ``values``, and then ``first`` and ``last``."""
    first = Column("first", int, "position of the first release of the run")
    last = Column(
        "last", int, f"position of the last release of the run; {OPEN} when it reaches the newest"
    )
    return Table(
        name,
        description,
        (*key, *values, first, last),
        (*(column.name for column in key), "first"),
        indexes,
        without_rowid=True,
    )


def _refer(name: str, table: str, description: str, *, optional: bool = False) -> Column:
    """Return a column of ids of another table."""
    return Column(name, int, description, table, optional)


_LINE = Column("line", int, "line number, from 1")

META = Table(
    "meta",
    "How this database is laid out",
    (
        Column("key", str, "schema_version, or standing: the rule that the standings follow"),
        Column("value", str, "its value"),
    ),
    ("key",),
    without_rowid=True,
)

STORED_RELEASES = Table(
    "stored_releases",
    "Releases in this database, with what the runs need to know of them",
    (
        Column("position", int, "sorts releases by version"),
        Column("release", str, "name of the release, without v"),
        Column("series", str, "first numbers of the name, such as 2.2"),
        Column("kind", str, "release or prerelease"),
        Column(
            "released",
            str,
            "date of the release (ISO); NULL where no source is known",
            optional=True,
        ),
        Column("source", str, "repository, tarball or folder it was read from"),
        Column("commit_sha", str, "git commit; NULL for what is not a commit", optional=True),
        Column("provenance", str, PROVENANCE_MEANS),
        Column("note", str, NOTE_MEANS, optional=True),
        Column("extractor_version", str, "version of the program that read it"),
        Column(
            "predecessor",
            int,
            "position of the release it is compared with in transitions; NULL for the first",
            optional=True,
        ),
        Column(
            "missing",
            int,
            "how many mainline releases lie between the predecessor and this release, and are not"
            " in this database; NULL for the first",
            optional=True,
        ),
    ),
    ("position",),
    indexes=(("predecessor",),),
    unique=(("release",),),
)

AUDIT_COUNTS = {
    "lexical": "occurrences of a check's name outside comments and strings",
    "calls": "of these, calls",
    "macros": "of these, in the body of a macro",
    "definitions": "of these, the definition of the check itself",
    "declarations": "of these, declarations",
    "unexplained": "of these, what nobody could account for; the aim is 0",
    "functions": "function definitions read",
    "parse_errors": "functions whose syntax tree holds an error",
    "pointer_calls": "calls through function pointers",
    "pointer_calls_resolved": "of these, calls with at least one target found by type",
}

#: The kinds of audit notes, with what each is about.
AUDIT_KINDS = {
    "unexplained": "an occurrence of a check's name that nobody could account for",
    "no_function": "a check site outside every function",
    "unreadable": "a file that could not be read",
    "cut_off": "a limit that ended a search before its end",
    "ambiguous": "a step to a function that has several definitions",
    "pointer_calls_by_name": "how many pointer calls were resolved by a member's name alone",
    "targets_per_call": "how many targets a resolved pointer call has",
}

AUDITS = Table(
    "audits",
    "How completely each release was read",
    (
        Column("position", int, "position of the release"),
        *(Column(name, int, text) for name, text in AUDIT_COUNTS.items()),
    ),
    ("position",),
)

#: Facts without releases. A row is never changed once it is there.
FACT_TABLES = (
    make_fact_table(
        "files",
        "Paths in a kernel tree",
        Column("path", str, "path from the root of the tree"),
    ),
    make_fact_table(
        "functions",
        "Functions by file",
        _refer("file", "files", "file that defines the function"),
        Column("name", str, "name of the function"),
    ),
    make_fact_table(
        "sites",
        "Check sites, whatever their line",
        _refer("file", "files", "file that holds the site"),
        _refer("function", "functions", "enclosing function, where known", optional=True),
        Column("check_name", str, "name of the check"),
        Column("capability", str, "capability asked for; NULL where there is none", optional=True),
        Column("argument", str, "argument of a check without a constant capability", optional=True),
        Column("form", str, "call or macro"),
        Column("effect", str, "deny, limit or unknown"),
        Column("errno", str, "error that a denial gives", optional=True),
        Column("condition", str, "enclosing preprocessor condition", optional=True),
        Column("occurrence", int, "number among like sites of a release, from 0"),
        indexes=((standing.PRIVILEGE,), ("capability",), ("check_name",), ("file",)),
    ),
    make_fact_table(
        "edges",
        "Steps from one function to the next on a way to a check, whatever their line",
        _refer("from_function", "functions", "function that goes on"),
        _refer("to_function", "functions", "function it goes on to"),
        Column(
            "edge",
            str,
            "pointer, or call: by name, or (with a via) of all that is registered, or a handing on"
            " to the same operation of a driver",
        ),
        Column(
            "via",
            str,
            "struct and member through which the step goes, such as proto_ops.bind; of a file that"
            " the kernel keeps for itself also in which variable (file_operations.write of"
            " acct_file)",
            optional=True,
        ),
        Column("occurrence", int, "number among like steps of a release, from 0"),
    ),
    make_fact_table(
        "chains",
        "Ways from an entry function to a check site",
        _refer("site", "sites", "check site at the end"),
        Column("edges", str, "JSON array of the ids of its steps (table edges)"),
        Column("depth", int, "number of steps"),
        Column("pointer_hops", int, "steps through a function pointer"),
        indexes=(("site", "pointer_hops", "depth"),),
    ),
    make_fact_table(
        "syscall_names",
        "Names of syscalls",
        Column("abi", str, "ABI, such as i386"),
        Column("syscall", str, "name that user space knows it by"),
        indexes=(("syscall",),),
    ),
    make_fact_table(
        "syscall_entries",
        "Rows of system-call tables",
        _refer("name", "syscall_names", "the syscall"),
        Column(
            "number", int, "number in the table; NULL where it has none of its own", optional=True
        ),
        Column("function", str, "entry function"),
        _refer("file", "files", "file that defines the entry function", optional=True),
        Column("parent", str, "multiplexer that dispatches it, such as socketcall", optional=True),
        indexes=(("name",),),
    ),
    make_fact_table(
        "privileges",
        "What checks ask for",
        Column("privilege", str, "capability, or name of the check where there is none"),
        indexes=(("privilege",),),
    ),
    make_fact_table(
        "meanings",
        "What a check means to whoever calls the syscall",
        Column(
            "operation",
            str,
            "what the caller asks for, outermost first, joined by /; '' where the arguments do not"
            " select the way",
        ),
        Column("effect", str, "what the syscall does without it: deny, limit or unknown"),
        Column("errno", str, "error of the syscall then", optional=True),
        Column("instead", str, "JSON array of the privileges any one of which does as well"),
        Column("subject", str, "whose privilege it is: caller, other or opener"),
        Column("namespace", str, "in which user namespace: init or owner", optional=True),
        indexes=(("operation",),),
    ),
    make_fact_table(
        "definitions",
        "Definitions of capabilities",
        Column("capability", str, "name of the capability"),
        Column("number", int, "its number", optional=True),
        Column("path", str, "file of the definition"),
        _LINE,
        Column(
            "doc", str, "comment at the definition; NULL in the shipped database", optional=True
        ),
    ),
    make_fact_table(
        "wrapper_facts",
        "Wrappers of checks",
        Column("name", str, "name of the function or macro"),
        Column("kind", str, "fixed or plumbing"),
        Column("check_name", str, "check that it passes on"),
        Column("capability", str, "capability that it stands for", optional=True),
        Column(
            "parameter", int, "number of the parameter that holds the capability", optional=True
        ),
        Column("path", str, "file of its definition"),
        _LINE,
    ),
    make_fact_table(
        "audit_notes",
        "What the reading could not account for",
        Column("kind", str, "; ".join(f"{kind} ({says})" for kind, says in AUDIT_KINDS.items())),
        Column("path", str, "file", optional=True),
        Column("line", int, "line number, from 1", optional=True),
        Column("detail", str, "what was found there"),
    ),
)

_SITE = (_refer("site", "sites", "the check site"),)
_NAME = (_refer("name", "syscall_names", "the syscall"),)
_PRIVILEGE = _refer("privilege", "privileges", "what is asked for")
_MEANING = _refer("meaning", "meanings", "what that means to the caller")
_CONDITIONAL = Column("conditional", int, "0 when no step is conditional")
_STANDING = Column(
    "standing",
    int,
    ", ".join(f"{number} {name}" for number, name in enumerate(standing.STANDINGS)),
)

#: In which releases the facts hold.
RUN_TABLES = (
    make_run_table("site_runs", "Where a check site exists", _SITE),
    make_run_table("site_lines", "The line of a check site", _SITE, (_LINE,)),
    make_run_table(
        "site_shared",
        "How many syscalls reach a check site",
        (
            *_SITE,
            Column("abi", str, "ABI of the syscalls"),
            Column("pointer_hops", int, "with no more pointer steps than this"),
        ),
        (Column("shared_by", int, "number of syscalls"),),
    ),
    make_run_table(
        "file_blobs",
        "The content of a file that holds check sites",
        (_refer("file", "files", "the file"),),
        (Column("blob", bytes, "git object id of the content"),),
    ),
    make_run_table(
        "edge_lines",
        "Where a step of a chain exists, and its line",
        (_refer("edge", "edges", "the step"),),
        (_LINE,),
    ),
    make_run_table(
        "check_runs",
        "Which syscall comes to which check, by which operation, and how",
        (*_NAME, _refer("chain", "chains", "way from the entry function to the check"), _MEANING),
        (
            _CONDITIONAL,
            Column("feasible", int, "0 when constants switch the check off"),
            _STANDING,
            Column("best", int, "1 for the best evidence of the syscall and check site"),
        ),
        indexes=(("chain",),),
    ),
    make_run_table(
        "requirement_runs",
        "What a syscall asks for, over all its check sites, with the best evidence",
        (*_NAME, _PRIVILEGE, _MEANING),
        (
            _refer("chain", "chains", "way of the best evidence"),
            _CONDITIONAL,
            _STANDING,
            Column("sites", int, "number of check sites with this standing"),
        ),
        indexes=(("privilege", "last", "first"), ("meaning",)),
    ),
    make_run_table(
        "privilege_runs",
        "Which syscall comes to a check of which privilege, by any operation",
        (*_NAME, _PRIVILEGE),
        (_STANDING,),
        indexes=(("privilege",),),
    ),
    make_run_table(
        "asked_runs",
        "Which syscall asks for which privilege: it comes to a check of it in each release of the"
        " run, and in at least half of them the standing is own or shared",
        (*_NAME, _PRIVILEGE),
        (),
        indexes=(("privilege",),),
    ),
    make_run_table(
        "timeline_runs",
        "What a syscall asks for, in one text",
        _NAME,
        (Column("checks", str, "privileges (see asked_runs), sorted, with commas; '' for none"),),
    ),
    make_run_table(
        "entry_runs",
        "Where a row of a system-call table exists",
        (_refer("entry", "syscall_entries", "the row of the table"),),
    ),
    make_run_table(
        "entry_lines",
        "The line of an entry function",
        (_refer("entry", "syscall_entries", "the row of the table"),),
        (
            Column(
                "line", int, "line number, from 1; NULL where no definition is known", optional=True
            ),
        ),
    ),
    make_run_table(
        "definition_runs",
        "Where a definition of a capability exists",
        (_refer("definition", "definitions", "the definition"),),
    ),
    make_run_table(
        "wrapper_runs",
        "Where a wrapper exists",
        (_refer("wrapper", "wrapper_facts", "the wrapper"),),
    ),
    make_run_table(
        "audit_note_runs",
        "Where an audit note holds",
        (_refer("note", "audit_notes", "the note"),),
    ),
)

#: The run tables that ``histories`` makes of others, syscall by syscall.
HISTORIES = ("asked_runs", "timeline_runs")

#: Made by ``operations`` from the runs of requirements; it does not ship.
ASKED_OPERATIONS = Table(
    "asked_operations",
    "By which operations each syscall asks for a privilege, in any release",
    (*_NAME, Column("operation", str, "what the caller asks for (see meanings); never ''")),
    ("name", "operation"),
    without_rowid=True,
)

#: What can become of a check.
FATES = {
    "same": "still the same check",
    "replaced": "another check stands in its place, wherever that is now",
    "split": "one check became several, one row for each",
    "merged": "several checks became one, one row for each",
    "moved": "the same check in another function or file",
    "removed": "the function lives, the check is gone",
    "gone": "the function is gone",
    "new": "a check without an ancestor",
}

_FROM = Column("from_position", int, "position of the earlier release")
_TO = Column("to_position", int, "position of the later release")

SUCCESSION_PAIRS = Table(
    "succession_pairs",
    "Releases whose check sites were compared with one another",
    (
        _FROM,
        _TO,
        Column("reader", str, "version of the program that compared them"),
    ),
    ("from_position", "to_position"),
    indexes=(("to_position",),),
    without_rowid=True,
)

#: A site of both releases of a pair of which nothing is said here is the same in both.
SUCCESSION_CHANGES = Table(
    "succession_changes",
    "What became of the check sites that are not the same in both releases of a pair",
    (
        _FROM,
        _TO,
        _refer("site_before", "sites", "the site in the earlier release", optional=True),
        _refer("site_after", "sites", "the site in the later release", optional=True),
        Column("fate", str, "what became of it"),
        Column("found", str, "where its successor was found; '' without one"),
        Column("certain", int, "0 where another reading is possible"),
        Column("likeness", int, "likeness of the code around both, in hundredths", optional=True),
        _refer("lives", "functions", "the function that lives without its check", optional=True),
    ),
    (),
    indexes=(("to_position", "from_position"), ("site_after",), ("site_before",)),
)

SUCCESSION_TABLES = (SUCCESSION_PAIRS, SUCCESSION_CHANGES)

TABLES = (
    META,
    STORED_RELEASES,
    AUDITS,
    *FACT_TABLES,
    *RUN_TABLES,
    ASKED_OPERATIONS,
    *SUCCESSION_TABLES,
)
