"""Tables, views and columns of the database, with their descriptions, as data.

This is the only place that says what is stored and what it means: the statements
that make a database, Datasette's metadata and the README's data dictionary are all
made from ``TABLES`` (how facts are kept) and ``VIEWS`` (the contract).

Facts repeat over hundreds of releases, so a fact is stored once (``FactTable``) and
where it holds is stored as runs (``RunTable``): ``first`` and ``last`` are positions
of releases (see ``records.Release``), and a run covers every stored release between
them. A run that reaches the newest stored release is open: its ``last`` is ``OPEN``,
so that appending a release writes only what differs from its predecessor.
Line numbers move all the time while the facts stay, so they have runs of their own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

#: Marks a SQLite file as ours (``PRAGMA application_id``): the letters "CAPH".
APPLICATION_ID = 0x43415048

#: Goes up whenever a database of the previous version cannot be read any more.
SCHEMA_VERSION = 2

#: ``last`` of a run that reaches the newest stored release.
OPEN = 2**63 - 1

#: Which rows of ``syscall_checks`` say what a syscall is about, in SQL and in words. This is
#: the only place of the rule; ``telling_checks``, ``syscall_timeline`` and ``transitions``
#: follow it, in a database of before at the next writing (``Writer.summarise``).
#: ``file_ns_capable`` asks about who opened a file, in netlink's broadcasts about the listeners
#: (setgid tells those that follow changes of ids): a check that is none of the caller.
TELLING = """feasible = 1 AND (depth = 0
    OR (pointer_hops <= 2 AND shared_by <= 3)
    OR (check_name <> 'file_ns_capable' AND (
        (pointer_hops = 0 AND depth <= 8 AND shared_by <= 60)
        OR (pointer_hops = 1 AND depth <= 7 AND shared_by <= 20))))"""
TELLING_MEANS = (
    "feasible, and in the syscall's own function, or at a site that few syscalls share: at most"
    " three, with no more than two function pointers on the way; or, where the caller itself is"
    " asked about (not by file_ns_capable), 60 within eight direct calls, or 20 within seven"
    " steps, one of them through a function pointer"
)

#: What a check asks for, in SQL: its capability, else root in one of the three ways.
PRIVILEGE = "coalesce(capability, check_name)"


class Column(NamedTuple):
    """A column of a table: ``declaration`` is its SQL type and constraints; ``references``
    names the table whose ids it holds."""

    name: str
    declaration: str
    description: str
    references: str | None = None


class Table(NamedTuple):
    """A stored table; ``key`` are the primary key's columns, ``indexes`` those (or expressions)
    of its indexes."""

    name: str
    description: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    indexes: tuple[tuple[str, ...], ...] = ()
    without_rowid: bool = False

    @property
    def column_names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    def statements(self) -> list[str]:
        """The SQL that makes the table, without its indexes."""
        lines = [f"{column.name} {column.declaration}" for column in self.columns]
        if self.without_rowid:
            lines.append(f"PRIMARY KEY ({', '.join(self.key)})")
        options = "STRICT, WITHOUT ROWID" if self.without_rowid else "STRICT"
        return [f"CREATE TABLE {self.name} ({', '.join(lines)}) {options}"]

    @property
    def insert(self) -> str:
        """The SQL that stores a row, its values in the order of the columns; a row with the same
        primary key is replaced."""
        marks = ", ".join("?" * len(self.columns))
        return (
            f"INSERT OR REPLACE INTO {self.name} ({', '.join(self.column_names)}) VALUES ({marks})"
        )

    def index_statements(self) -> list[str]:
        """The SQL that makes the table's indexes where they are not there."""
        return [
            f"CREATE INDEX IF NOT EXISTS {_name(self.name, *index)}"
            f" ON {self.name} ({', '.join(index)})"
            for index in self.indexes
        ]


def _name(*parts: str) -> str:
    """The words of ``parts``, which may be SQL expressions, as one name."""
    return "_".join(re.findall(r"\w+", " ".join(parts)))


class View(NamedTuple):
    """A view: ``columns`` maps each column, in order, to its description."""

    name: str
    description: str
    columns: Mapping[str, str]
    sql: str

    def statements(self) -> list[str]:
        """The SQL that makes the view."""
        return [f"CREATE VIEW {self.name} ({', '.join(self.columns)}) AS {self.sql.strip()}"]


def fact_table(
    name: str, description: str, *columns: Column, indexes: tuple[tuple[str, ...], ...] = ()
) -> Table:
    """A table of facts that never change: its other columns are what ``id`` stands for."""
    number = Column("id", "INTEGER PRIMARY KEY", "number of the row, used by other tables")
    return Table(name, description, (number, *columns), ("id",), indexes)


def run_table(
    name: str,
    description: str,
    key: tuple[Column, ...],
    values: tuple[Column, ...] = (),
    indexes: tuple[tuple[str, ...], ...] = (),
) -> Table:
    """A table of runs: in one release there is at most one row for each ``key``. Its columns are
    the fact, ``key`` and ``values``, and then ``first`` and ``last``."""
    first = Column("first", "INTEGER NOT NULL", "position of the first release of the run")
    last = Column(
        "last",
        "INTEGER NOT NULL",
        f"position of the last release of the run; {OPEN} when it reaches the newest",
    )
    return Table(
        name,
        description,
        (*key, *values, first, last),
        (*(column.name for column in key), "first"),
        indexes,
        without_rowid=True,
    )


def _reference(name: str, table: str, description: str, *, optional: bool = False) -> Column:
    null = "" if optional else " NOT NULL"
    return Column(name, f"INTEGER{null} REFERENCES {table}(id)", description, table)


_LINE = Column("line", "INTEGER NOT NULL", "line number, from 1")

META = Table(
    "meta",
    "How this database is laid out",
    (
        Column(
            "key", "TEXT NOT NULL", "schema_version, or telling: the rule that the summaries follow"
        ),
        Column("value", "TEXT NOT NULL", "its value"),
    ),
    ("key",),
    without_rowid=True,
)

STORED_RELEASES = Table(
    "stored_releases",
    "Releases in this database, with what the runs need to know of them",
    (
        Column("position", "INTEGER PRIMARY KEY", "sorts releases by version"),
        Column("release", "TEXT NOT NULL UNIQUE", "name of the release, without v"),
        Column("series", "TEXT NOT NULL", "first numbers of the name, such as 2.2"),
        Column("kind", "TEXT NOT NULL", "release or prerelease"),
        Column("released", "TEXT", "date of the release (ISO); NULL where no source is known"),
        Column("source", "TEXT NOT NULL", "repository, tarball or folder it was read from"),
        Column("commit_sha", "TEXT", "git commit; NULL for what is not a commit"),
        Column("extractor_version", "TEXT NOT NULL", "version of the program that read it"),
        Column(
            "predecessor",
            "INTEGER",
            "position of the release it is compared with in transitions; NULL for the first",
        ),
    ),
    ("position",),
    indexes=(("predecessor",),),
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

AUDITS = Table(
    "audits",
    "How completely each release was read",
    (
        Column("position", "INTEGER PRIMARY KEY", "position of the release"),
        *(Column(name, "INTEGER NOT NULL", text) for name, text in AUDIT_COUNTS.items()),
    ),
    ("position",),
)

#: Facts without releases. A row is never changed once it is there.
FACT_TABLES = (
    fact_table(
        "files",
        "Paths in a kernel tree",
        Column("path", "TEXT NOT NULL", "path from the root of the tree"),
    ),
    fact_table(
        "functions",
        "Functions by file",
        _reference("file", "files", "file that defines the function"),
        Column("name", "TEXT NOT NULL", "name of the function"),
    ),
    fact_table(
        "sites",
        "Check sites, whatever their line",
        _reference("file", "files", "file that holds the site"),
        _reference("function", "functions", "enclosing function, where known", optional=True),
        Column("check_name", "TEXT NOT NULL", "name of the check"),
        Column("capability", "TEXT", "capability asked for; NULL where there is none"),
        Column("argument", "TEXT", "argument of a check without a constant capability"),
        Column("form", "TEXT NOT NULL", "call or macro"),
        Column("effect", "TEXT NOT NULL", "deny, limit or unknown"),
        Column("errno", "TEXT", "error that a denial gives"),
        Column("condition", "TEXT", "enclosing preprocessor condition"),
        Column("occurrence", "INTEGER NOT NULL", "number among like sites of a release, from 0"),
        indexes=((PRIVILEGE,), ("capability",), ("check_name",), ("file",)),
    ),
    fact_table(
        "edges",
        "Steps from one function to the next on a way to a check, whatever their line",
        _reference("from_function", "functions", "function that goes on"),
        _reference("to_function", "functions", "function it goes on to"),
        Column("edge", "TEXT NOT NULL", "call or pointer"),
        Column("via", "TEXT", "struct and member of a pointer step, such as proto_ops.bind"),
        Column("occurrence", "INTEGER NOT NULL", "number among like steps of a release, from 0"),
    ),
    fact_table(
        "chains",
        "Ways from an entry function to a check site",
        _reference("site", "sites", "check site at the end"),
        Column("edges", "TEXT NOT NULL", "JSON array of the ids of its steps (table edges)"),
        Column("depth", "INTEGER NOT NULL", "number of steps"),
        Column("pointer_hops", "INTEGER NOT NULL", "steps through a function pointer"),
        indexes=(("site", "pointer_hops", "depth"),),
    ),
    fact_table(
        "syscall_names",
        "Names of syscalls",
        Column("abi", "TEXT NOT NULL", "ABI, such as i386"),
        Column("syscall", "TEXT NOT NULL", "name that user space knows it by"),
        indexes=(("syscall",),),
    ),
    fact_table(
        "syscall_entries",
        "Rows of system-call tables",
        _reference("name", "syscall_names", "the syscall"),
        Column("number", "INTEGER", "number in the table; NULL where it has none of its own"),
        Column("function", "TEXT NOT NULL", "entry function"),
        _reference("file", "files", "file that defines the entry function", optional=True),
        Column("parent", "TEXT", "multiplexer that dispatches it, such as socketcall"),
    ),
    fact_table(
        "privileges",
        "Check names with their capabilities",
        Column("check_name", "TEXT NOT NULL", "name of the check"),
        Column("capability", "TEXT", "capability asked for; NULL where there is none"),
    ),
    fact_table(
        "definitions",
        "Definitions of capabilities",
        Column("capability", "TEXT NOT NULL", "name of the capability"),
        Column("number", "INTEGER", "its number"),
        Column("path", "TEXT NOT NULL", "file of the definition"),
        _LINE,
        Column("doc", "TEXT", "comment at the definition; NULL in the shipped database"),
    ),
    fact_table(
        "wrapper_facts",
        "Wrappers of checks",
        Column("name", "TEXT NOT NULL", "name of the function or macro"),
        Column("kind", "TEXT NOT NULL", "fixed or plumbing"),
        Column("check_name", "TEXT NOT NULL", "check that it passes on"),
        Column("capability", "TEXT", "capability that it stands for"),
        Column("parameter", "INTEGER", "number of the parameter that holds the capability"),
        Column("path", "TEXT NOT NULL", "file of its definition"),
        _LINE,
    ),
    fact_table(
        "audit_notes",
        "What the reading could not account for",
        Column("kind", "TEXT NOT NULL", "unexplained, no_function, unreadable or cut_off"),
        Column("path", "TEXT", "file"),
        Column("line", "INTEGER", "line number, from 1"),
        Column("detail", "TEXT NOT NULL", "what was found there"),
    ),
)

_SITE = (_reference("site", "sites", "the check site"),)
_NAME = (_reference("name", "syscall_names", "the syscall"),)

#: In which releases the facts hold.
RUN_TABLES = (
    run_table("site_runs", "Where a check site exists", _SITE),
    run_table("site_lines", "The line of a check site", _SITE, (_LINE,)),
    run_table(
        "site_shared",
        "How many syscalls reach a check site",
        (
            *_SITE,
            Column("abi", "TEXT NOT NULL", "ABI of the syscalls"),
            Column("pointer_hops", "INTEGER NOT NULL", "with no more pointer steps than this"),
        ),
        (Column("shared_by", "INTEGER NOT NULL", "number of syscalls"),),
    ),
    run_table(
        "file_blobs",
        "The content of a file that holds check sites",
        (_reference("file", "files", "the file"),),
        (Column("blob", "BLOB NOT NULL", "git object id of the content"),),
    ),
    run_table(
        "edge_lines",
        "Where a step of a chain exists, and its line",
        (_reference("edge", "edges", "the step"),),
        (_LINE,),
    ),
    run_table(
        "check_runs",
        "Which syscall comes to which check, and how",
        (*_NAME, _reference("chain", "chains", "way from the entry function to the check")),
        (
            Column("conditional", "INTEGER NOT NULL", "0 when no step is conditional"),
            Column("feasible", "INTEGER NOT NULL", "0 when constants switch the check off"),
        ),
        indexes=(("chain", "last", "first", "feasible", "conditional"),),
    ),
    run_table(
        "privilege_runs",
        "Which syscall asks for which privilege, over all its check sites",
        (*_NAME, _reference("privilege", "privileges", "what is asked for")),
        (
            Column("reach", "TEXT NOT NULL", "reach of the best evidence"),
            Column("feasible", "INTEGER NOT NULL", "0 when no feasible way is known"),
            Column("telling", "INTEGER NOT NULL", "1 when a telling row stands behind it"),
        ),
        indexes=(("privilege",),),
    ),
    run_table(
        "summary_runs",
        "What a syscall checks, in one text",
        _NAME,
        (Column("checks", "TEXT NOT NULL", "privileges, sorted, with commas; '' for none"),),
    ),
    run_table(
        "entry_runs",
        "Where a row of a system-call table exists",
        (_reference("entry", "syscall_entries", "the row of the table"),),
    ),
    run_table(
        "entry_lines",
        "The line of an entry function",
        (_reference("entry", "syscall_entries", "the row of the table"),),
        (Column("line", "INTEGER", "line number, from 1; NULL where no definition is known"),),
    ),
    run_table(
        "definition_runs",
        "Where a definition of a capability exists",
        (_reference("definition", "definitions", "the definition"),),
    ),
    run_table(
        "wrapper_runs",
        "Where a wrapper exists",
        (_reference("wrapper", "wrapper_facts", "the wrapper"),),
    ),
    run_table(
        "audit_note_runs",
        "Where an audit note holds",
        (_reference("note", "audit_notes", "the note"),),
    ),
)

_FROM = Column("from_position", "INTEGER NOT NULL", "position of the earlier release")
_TO = Column("to_position", "INTEGER NOT NULL", "position of the later release")

SUCCESSION_PAIRS = Table(
    "succession_pairs",
    "Releases whose check sites were compared with one another",
    (
        _FROM,
        _TO,
        Column("reader", "TEXT NOT NULL", "version of the program that compared them"),
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
        _reference("site_before", "sites", "the site in the earlier release", optional=True),
        _reference("site_after", "sites", "the site in the later release", optional=True),
        Column("fate", "TEXT NOT NULL", "what became of it"),
        Column("found", "TEXT NOT NULL", "where its successor was found; '' without one"),
        Column("certain", "INTEGER NOT NULL", "0 where another reading is possible"),
        Column("likeness", "INTEGER", "likeness of the code around both, in hundredths"),
        _reference(
            "lives", "functions", "the function that lives without its check", optional=True
        ),
    ),
    (),
    indexes=(("to_position", "from_position"), ("site_after",), ("site_before",)),
)

SUCCESSION_TABLES = (SUCCESSION_PAIRS, SUCCESSION_CHANGES)

TABLES = (META, STORED_RELEASES, AUDITS, *FACT_TABLES, *RUN_TABLES, *SUCCESSION_TABLES)

_DESCRIPTIONS = {
    "release": "name of the release, without v",
    "path": "path from the root of the kernel tree",
    "check_name": "name of the check: suser, fsuser, capable, uid0 and so on",
    "capability": "capability asked for; NULL for suser, fsuser, uid0 and for an argument"
    " that is no constant",
    "form": "call or macro",
    "effect": "what a missing privilege does: deny, limit (goes on, restricted) or unknown",
    "errno": "error that a denial gives, such as EPERM",
    "condition": "enclosing preprocessor condition; 0 for #if 0",
    "argument": "argument of a check whose capability is no constant (at most 200 characters)",
    "abi": "ABI of the system-call table, such as i386",
    "syscall": "name that user space knows the syscall by",
    "reach": "direct (in the entry function itself), call (through direct calls) or pointer"
    " (through at least one function pointer)",
    "depth": "steps from the entry function to the function that holds the check; 0 is direct",
    "pointer_hops": "how many of these steps go through a function pointer",
    "conditional": "0 when no step stands under an if, switch, loop or the right side of && or ||",
    "feasible": "0 when constants on the chain switch the check off",
    "first_release": "first release of the unbroken run",
    "last_release": "last release of the unbroken run",
    "first_ordinal": "ordinal of first_release",
    "last_ordinal": "ordinal of last_release",
    "open": "1 when the run reaches the newest release of this database",
    "checks": "capabilities and check names that the syscall asks for, sorted, with commas;"
    " '' for none",
}


def _columns(*names: str, **special: str) -> dict[str, str]:
    """Descriptions of the named columns, in order; ``special`` overrides the common text."""
    return {name: special.get(name) or _DESCRIPTIONS[name] for name in names}


def _name_at(position: str) -> str:
    """SQL for the name of the newest release up to a position (also for ``OPEN``)."""
    return (
        f"(SELECT release FROM stored_releases WHERE position <= {position}"
        " ORDER BY position DESC LIMIT 1)"
    )


def _at_run(first: str, last: str) -> str:
    """SQL for the ends of a run: the columns from first_release to open."""
    return f"""
        {_name_at(first)}, {_name_at(last)}, {first},
        (SELECT max(position) FROM stored_releases WHERE position <= {last}),
        {last} = {OPEN}"""


_RUN_COLUMNS = ("first_release", "last_release", "first_ordinal", "last_ordinal", "open")


def _value_at(column: str, table: str, condition: str, release: str = "r") -> str:
    """SQL for the value of a run table at ``release``.

    Runs of one key do not overlap and the caller knows that one covers the release, so
    it is the last that begins before it: one step in the primary key.
    """
    return (
        f"(SELECT {column} FROM {table} WHERE {condition} AND first <= {release}.position"
        " ORDER BY first DESC LIMIT 1)"
    )


_REACH = (
    "CASE WHEN c.depth = 0 THEN 'direct' WHEN c.pointer_hops = 0 THEN 'call' ELSE 'pointer' END"
)

_CHAIN = f"""
    (SELECT json_group_array(json_object(
        'function', function, 'path', path, 'line', line, 'edge', edge, 'via', via))
    FROM (
        SELECT step.key AS number, f.name AS function, p.path AS path,
            {_value_at("line", "edge_lines", "edge = e.id")} AS line, e.edge AS edge, e.via AS via
        FROM json_each(c.edges) AS step
            CROSS JOIN edges AS e ON e.id = step.value
            CROSS JOIN functions AS f ON f.id = e.from_function
            CROSS JOIN files AS p ON p.id = f.file
        UNION ALL
        SELECT c.depth, holder.name, place.path,
            {_value_at("line", "site_lines", "site = s.id")}, 'call', NULL
        ORDER BY number))
"""

# A site goes to its chains by way of ``shared`` only: whoever asks by a privilege then passes
# over, before any chain is looked up, the sites that no syscall reaches in that release, or too
# many do. (Directly, a search for CAP_SYS_ADMIN would look up 50,000 chains of all releases.)
_CHECK_SOURCE = """
    check_runs AS k
    JOIN syscall_names AS n ON n.id = k.name
    JOIN chains AS c ON c.id = k.chain
    JOIN site_shared AS shared ON shared.site = +c.site AND c.site = +shared.site
        AND shared.pointer_hops = c.pointer_hops AND shared.abi = n.abi
    JOIN sites AS s ON s.id = shared.site
    JOIN files AS place ON place.id = s.file
    LEFT JOIN functions AS holder ON holder.id = s.function
"""

_SHARED_BY = (
    "how many syscalls of the ABI reach the same site with no more pointer steps than this row;"
    " the more, the less it says"
)

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
"""What can become of a check."""

_SUCCESSIONS = _columns(
    "from_release",
    "to_release",
    "path_before",
    "function_before",
    "line_before",
    "check_before",
    "path_after",
    "function_after",
    "line_after",
    "check_after",
    "capability_after",
    "fate",
    "capability_before",
    "found",
    "certain",
    "likeness",
    "neighbours",
    "site_before",
    "site_after",
    from_release="the earlier release",
    to_release="the later release",
    path_before="file of the check in the earlier release; NULL for a new one",
    function_before="function of the check in the earlier release",
    line_before="its line there, from 1",
    check_before="name of the check there",
    path_after="file of the check in the later release; for a removed one the file in which its"
    " function lives, NULL for one that is gone",
    function_after="function of the check in the later release, or that lives without it",
    line_after="its line there, from 1; NULL where it has no successor",
    check_after="name of the check there; NULL where it has no successor",
    capability_after="capability asked for there; NULL for suser, fsuser, uid0 and for an argument"
    " that is no constant",
    fate="what became of it: "
    + "; ".join(f"{fate} ({meaning})" for fate, meaning in FATES.items()),
    capability_before="capability asked for in the earlier release, NULL as in capability_after",
    found="where its successor stands: function (the same function of the same file), file"
    " (another function of the file), tree (another file) or callee (a function that is called in"
    " its place); empty without one",
    certain="0 where the code around it allows another reading",
    likeness="likeness of the code around both, from 0 to 1; NULL without a successor and where"
    " nothing about it changed",
    neighbours="1 where the later release follows the earlier one on its line of development",
    site_before="what the site is, whatever its line: one text in all releases that have it",
    site_after="the same of the site in the later release",
)


def site_name(site: str) -> str:
    """SQL for all that makes a row of ``sites`` what it is, as one text."""
    return f"""
    (SELECT path FROM files WHERE id = {site}.file)
    || coalesce(' ' || (SELECT name FROM functions WHERE id = {site}.function), '')
    || ' ' || {site}.check_name || '(' || coalesce({site}.capability, {site}.argument, '') || ') '
    || {site}.form || ' ' || {site}.effect || coalesce(' ' || {site}.errno, '')
    || coalesce(' if ' || {site}.condition, '')
    || CASE {site}.occurrence WHEN 0 THEN '' ELSE ' ' || {site}.occurrence END"""


def _succession(file_after: str, function_after: str) -> str:
    """SQL for the columns from from_release to capability_after: ``f`` and ``t`` are the
    releases, ``b`` and ``a`` the sites before and after."""
    return f"""
    f.release, t.release,
    (SELECT path FROM files WHERE id = b.file),
    (SELECT name FROM functions WHERE id = b.function),
    {_value_at("line", "site_lines", "site = b.id", "f")},
    b.check_name,
    (SELECT path FROM files WHERE id = {file_after}),
    (SELECT name FROM functions WHERE id = {function_after}),
    {_value_at("line", "site_lines", "site = a.id", "t")},
    a.check_name, a.capability"""


_SYSCALL_CHECKS = _columns(
    "release",
    "abi",
    "syscall",
    "check_name",
    "capability",
    "reach",
    "depth",
    "pointer_hops",
    "conditional",
    "feasible",
    "function",
    "path",
    "line",
    "effect",
    "errno",
    "shared_by",
    "chain",
    function="function that holds the check",
    line="line of the check, from 1",
    shared_by=_SHARED_BY,
    chain="JSON array of the steps {function, path, line, edge, via} from the entry function"
    " to the check; line is where the next step is called, edge is call or pointer, via names"
    " a pointer step; the last step makes the check",
)

VIEWS = (
    View(
        "releases",
        "Releases in this database",
        {
            "release": _DESCRIPTIONS["release"],
            "series": "first numbers of the name, such as 2.2",
            "kind": "release or prerelease",
            "ordinal": "sorts releases by version; made from the name alone, so it is the same"
            " in every database",
            "released": "date of the release (ISO); NULL where no source is known",
            "source": "repository, tarball or folder it was read from",
            "commit_sha": "git commit; NULL for what is not a commit",
        },
        "SELECT release, series, kind, position, released, source, commit_sha FROM stored_releases",
    ),
    View(
        "check_sites",
        "Every place where a release asks for privilege",
        _columns(
            "release",
            "path",
            "line",
            "function",
            "check_name",
            "capability",
            "argument",
            "form",
            "effect",
            "errno",
            "condition",
            "blob",
            line="line of the check, from 1",
            function="enclosing function; NULL outside functions",
            blob="git object id of the file's content, also its swh:1:cnt: id",
        ),
        f"""
        SELECT r.release, place.path, {_value_at("line", "site_lines", "site = s.id")},
            holder.name, s.check_name, s.capability, s.argument, s.form, s.effect, s.errno,
            s.condition, {_value_at("lower(hex(blob))", "file_blobs", "file = s.file")}
        FROM site_runs AS k
            JOIN sites AS s ON s.id = k.site
            JOIN files AS place ON place.id = s.file
            LEFT JOIN functions AS holder ON holder.id = s.function
            JOIN stored_releases AS r ON r.position BETWEEN k.first AND k.last
        """,
    ),
    View(
        "check_site_runs",
        "Every check site, whatever its line, with the releases that hold it",
        _columns(
            "path",
            "function",
            "check_name",
            "capability",
            "argument",
            "form",
            "effect",
            "errno",
            "condition",
            *_RUN_COLUMNS,
            function="enclosing function; NULL outside functions",
        ),
        f"""
        SELECT place.path, holder.name, s.check_name, s.capability, s.argument, s.form, s.effect,
            s.errno, s.condition, {_at_run("k.first", "k.last")}
        FROM site_runs AS k
            JOIN sites AS s ON s.id = k.site
            JOIN files AS place ON place.id = s.file
            LEFT JOIN functions AS holder ON holder.id = s.function
        """,
    ),
    View(
        "capability_definitions",
        "Capabilities as each release defines them",
        _columns(
            "release",
            "capability",
            "number",
            "path",
            "line",
            "doc",
            capability="name of the capability",
            number="its number, which is its bit in a set",
            line="line of the definition, from 1",
            doc="comment at the definition; NULL in the shipped database",
        ),
        """
        SELECT r.release, d.capability, d.number, d.path, d.line, d.doc
        FROM definition_runs AS k
            JOIN definitions AS d ON d.id = k.definition
            JOIN stored_releases AS r ON r.position BETWEEN k.first AND k.last
        """,
    ),
    View(
        "syscalls",
        "System-call tables, with what socketcall and ipc multiplex",
        _columns(
            "release",
            "abi",
            "number",
            "syscall",
            "function",
            "path",
            "line",
            "parent",
            number="number in the table; NULL for a sub-call without one of its own",
            function="entry function",
            path="file that defines the entry function; NULL where no definition was found",
            line="line of the entry function, from 1; NULL where no definition was found",
            parent="multiplexer that dispatches it, such as socketcall; else NULL",
        ),
        f"""
        SELECT r.release, n.abi, e.number, n.syscall, e.function, p.path,
            {_value_at("line", "entry_lines", "entry = e.id")}, e.parent
        FROM entry_runs AS k
            JOIN syscall_entries AS e ON e.id = k.entry
            JOIN syscall_names AS n ON n.id = e.name
            LEFT JOIN files AS p ON p.id = e.file
            JOIN stored_releases AS r ON r.position BETWEEN k.first AND k.last
        """,
    ),
    View(
        "usual_abis",
        "The system-call table that a question about one release means when it names none: i386,"
        " from 3.0 on x86_64 where the release has it",
        _columns("release", "abi", abi="i386 or x86_64"),
        """
        SELECT r.release, CASE
            WHEN CAST(r.series AS INTEGER) >= 3 AND EXISTS (
                SELECT 1
                FROM entry_runs AS k
                    JOIN syscall_entries AS e ON e.id = k.entry
                    JOIN syscall_names AS n ON n.id = e.name
                WHERE n.abi = 'x86_64' AND r.position BETWEEN k.first AND k.last
            ) THEN 'x86_64' ELSE 'i386' END
        FROM stored_releases AS r
        """,
    ),
    View(
        "asked_releases",
        "The release that a question means, by the name that it gives (without v); where it gives"
        " none, the newest in the database and its usual table",
        _columns(
            "asked",
            "release",
            "ordinal",
            "abi",
            asked="a release, or '' for the newest",
            ordinal="ordinal of release",
            abi="the system-call table that is meant (see usual_abis)",
        ),
        """
        SELECT name.asked, r.release, r.position, usual.abi
        FROM (
            SELECT release AS asked, position FROM stored_releases
            UNION ALL
            SELECT '', max(position) FROM stored_releases
        ) AS name
            JOIN stored_releases AS r ON r.position = name.position
            JOIN usual_abis AS usual ON usual.release = r.release
        """,
    ),
    View(
        "asked_privileges",
        "The privilege that a question means, by the name that it gives (in lower case):"
        " a capability with or without cap_, suser, fsuser or uid0",
        _columns(
            "asked",
            "privilege",
            asked="the name in lower case, or '' for every privilege",
            privilege="the name of the capability or root check; NULL for every privilege",
        ),
        """
        WITH known (capability) AS (
            SELECT capability FROM sites AS s
            WHERE capability IS NOT NULL AND EXISTS (SELECT 1 FROM site_runs WHERE site = s.id)
            UNION
            SELECT capability FROM definitions AS d
            WHERE EXISTS (SELECT 1 FROM definition_runs WHERE definition = d.id)
        )
        SELECT lower(capability), capability FROM known
        UNION ALL
        SELECT substr(lower(capability), 5), capability FROM known
        WHERE capability LIKE 'CAP#_%' ESCAPE '#'
        UNION ALL
        VALUES ('suser', 'suser'), ('fsuser', 'fsuser'), ('uid0', 'uid0'), ('', NULL)
        """,
    ),
    View(
        "usual_ends",
        "The two releases that a comparison means when it names none: the last 2.0 and the last"
        " 2.2 where they are there, else the first and the last release",
        _columns(
            "from_release",
            "to_release",
            from_release="the earlier release",
            to_release="the later release",
        ),
        """
        SELECT
            coalesce(
                (SELECT release FROM stored_releases WHERE series = '2.0'
                    ORDER BY position DESC LIMIT 1),
                (SELECT release FROM stored_releases ORDER BY position LIMIT 1)
            ),
            coalesce(
                (SELECT release FROM stored_releases WHERE series = '2.2'
                    ORDER BY position DESC LIMIT 1),
                (SELECT release FROM stored_releases ORDER BY position DESC LIMIT 1)
            )
        """,
    ),
    View(
        "syscall_checks",
        "Which syscall comes to which check: one row for each release, syscall and check site,"
        " with its best evidence",
        _SYSCALL_CHECKS,
        f"""
        SELECT r.release, shared.abi, n.syscall, s.check_name, s.capability, {_REACH}, c.depth,
            c.pointer_hops, k.conditional, k.feasible, holder.name, place.path,
            {_value_at("line", "site_lines", "site = s.id")}, s.effect, s.errno,
            shared.shared_by, {_CHAIN}
        FROM {_CHECK_SOURCE}
            JOIN stored_releases AS r ON r.position BETWEEN k.first AND k.last
                AND r.position BETWEEN shared.first AND shared.last
        """,
    ),
    View(
        "telling_checks",
        f"The rows of syscall_checks that say what a syscall is about: {TELLING_MEANS}",
        _SYSCALL_CHECKS,
        f"SELECT * FROM syscall_checks WHERE {TELLING}",
    ),
    View(
        "weighed_checks",
        "The rows of syscall_checks, and of each whether it is one of telling_checks",
        {**_SYSCALL_CHECKS, "telling": "1 for the rows of telling_checks"},
        f"SELECT *, {TELLING} FROM syscall_checks",
    ),
    View(
        "syscall_check_runs",
        "syscall_checks over all releases: one row for each unbroken run of the same evidence,"
        " shared by as many syscalls, whatever its lines",
        _columns(
            "abi",
            "syscall",
            "check_name",
            "capability",
            "reach",
            "depth",
            "pointer_hops",
            "conditional",
            "feasible",
            "function",
            "path",
            "line",
            "effect",
            "errno",
            "shared_by",
            "telling",
            *_RUN_COLUMNS,
            function="function that holds the check",
            line="line of the check in the last release of the run, from 1",
            shared_by=_SHARED_BY,
            telling="1 for the rows of telling_checks",
        ),
        f"""
        SELECT abi, syscall, check_name, capability, reach, depth, pointer_hops, conditional,
            feasible, function, path,
            (SELECT line FROM site_lines
                WHERE site = of_run.site AND first <= of_run.last ORDER BY first DESC LIMIT 1),
            effect, errno, shared_by, {TELLING}, {_at_run("of_run.first", "of_run.last")}
        FROM (
            SELECT n.abi, n.syscall, s.check_name, s.capability, {_REACH} AS reach, c.depth,
                c.pointer_hops, k.conditional, k.feasible, holder.name AS function,
                place.path, s.effect, s.errno, shared.shared_by, s.id AS site,
                max(k.first, shared.first) AS first, min(k.last, shared.last) AS last
            FROM {_CHECK_SOURCE}
            WHERE shared.first <= k.last AND shared.last >= k.first
        ) AS of_run
        """,
    ),
    View(
        "syscall_privilege_runs",
        "Which syscall asks for which privilege over all releases, all its check sites taken"
        " together: one row for each unbroken run",
        _columns(
            "abi",
            "syscall",
            "check_name",
            "capability",
            "reach",
            "feasible",
            "telling",
            *_RUN_COLUMNS,
            reach="reach of the best evidence: direct, call or pointer",
            feasible="0 when every known way is switched off by constants",
            telling="1 when at least one row of telling_checks stands behind it",
        ),
        f"""
        SELECT n.abi, n.syscall, p.check_name, p.capability, k.reach, k.feasible, k.telling,
            {_at_run("k.first", "k.last")}
        FROM privilege_runs AS k
            JOIN syscall_names AS n ON n.id = k.name
            JOIN privileges AS p ON p.id = k.privilege
        """,
    ),
    View(
        "syscall_timeline",
        "What each syscall checks, from which release to which (telling checks only)",
        _columns("abi", "syscall", "checks", *_RUN_COLUMNS),
        f"""
        SELECT n.abi, n.syscall, k.checks, {_at_run("k.first", "k.last")}
        FROM summary_runs AS k JOIN syscall_names AS n ON n.id = k.name
        """,
    ),
    View(
        "transitions",
        "Where what a syscall checks (telling checks only) differs from the release before:"
        " the one before it in its series, or for the first of a series the one it branched from;"
        " a prerelease is compared with the release or prerelease before it",
        _columns(
            "abi",
            "syscall",
            "from_release",
            "to_release",
            "before",
            "after",
            from_release="release before",
            to_release="release that differs from it",
            before="what the syscall checked before, '' for nothing; NULL when it was no syscall",
            after="what it checks now, '' for nothing; NULL when it is no syscall any more",
        ),
        # The first half: runs that begin after a release's predecessor; the second: runs
        # that hold the predecessor while the syscall is not there in the release itself.
        """
        SELECT abi, syscall, from_release, to_release, before, after FROM (
            SELECT n.abi, n.syscall, f.release AS from_release, t.release AS to_release,
                (SELECT b.checks FROM summary_runs AS b
                    WHERE b.name = k.name AND t.predecessor BETWEEN b.first AND b.last) AS before,
                k.checks AS after
            FROM summary_runs AS k
                JOIN syscall_names AS n ON n.id = k.name
                JOIN stored_releases AS t
                    ON t.position BETWEEN k.first AND k.last AND t.predecessor < k.first
                JOIN stored_releases AS f ON f.position = t.predecessor
        ) WHERE coalesce(before, '') <> after
        UNION ALL
        SELECT n.abi, n.syscall, f.release, t.release, k.checks, NULL
        FROM summary_runs AS k
            JOIN syscall_names AS n ON n.id = k.name
            JOIN stored_releases AS t
                ON t.predecessor BETWEEN k.first AND k.last AND t.position > k.last
            JOIN stored_releases AS f ON f.position = t.predecessor
        WHERE k.checks <> '' AND NOT EXISTS (
            SELECT 1 FROM summary_runs AS a
            WHERE a.name = k.name AND t.position BETWEEN a.first AND a.last)
        """,
    ),
    View(
        "succession_pairs_stored",
        "Which releases' check sites were compared with one another (see successions)",
        _columns(
            "from_release",
            "to_release",
            "from_ordinal",
            "to_ordinal",
            "neighbours",
            from_release=_SUCCESSIONS["from_release"],
            to_release=_SUCCESSIONS["to_release"],
            from_ordinal="ordinal of from_release",
            to_ordinal="ordinal of to_release",
            neighbours=_SUCCESSIONS["neighbours"],
        ),
        """
        SELECT f.release, t.release, f.position, t.position, coalesce(t.predecessor, 0) = f.position
        FROM succession_pairs AS p
            JOIN stored_releases AS f ON f.position = p.from_position
            JOIN stored_releases AS t ON t.position = p.to_position
        """,
    ),
    View(
        "successions_changed",
        "The rows of successions about checks that are not the same in both releases",
        _SUCCESSIONS,
        f"""
        SELECT {_succession("coalesce(a.file, lives.file)", "coalesce(a.function, lives.id)")},
            k.fate, b.capability, k.found, k.certain,
            k.likeness / 100.0, coalesce(t.predecessor, 0) = f.position,
            {site_name("b")}, {site_name("a")}
        FROM succession_changes AS k
            JOIN stored_releases AS f ON f.position = k.from_position
            JOIN stored_releases AS t ON t.position = k.to_position
            LEFT JOIN sites AS b ON b.id = k.site_before
            LEFT JOIN sites AS a ON a.id = k.site_after
            LEFT JOIN functions AS lives ON lives.id = k.lives
        """,
    ),
    View(
        "successions_kept",
        "The rows of successions about checks that are the same in both releases",
        _SUCCESSIONS,
        # CROSS JOIN keeps the order: a pair that was asked for first, then its sites.
        f"""
        SELECT {_succession("a.file", "a.function")},
            'same', b.capability, 'function', 1, NULL, coalesce(t.predecessor, 0) = f.position,
            {site_name("b")}, {site_name("a")}
        FROM succession_pairs AS p
            CROSS JOIN stored_releases AS f ON f.position = p.from_position
            CROSS JOIN stored_releases AS t ON t.position = p.to_position
            CROSS JOIN site_runs AS k ON f.position BETWEEN k.first AND k.last
            CROSS JOIN site_runs AS l ON l.site = k.site AND t.position BETWEEN l.first AND l.last
            CROSS JOIN sites AS b ON b.id = k.site
            CROSS JOIN sites AS a ON a.id = l.site
        WHERE NOT EXISTS (
                SELECT 1 FROM succession_changes AS c
                WHERE c.from_position = p.from_position AND c.to_position = p.to_position
                    AND c.site_before = k.site)
            AND NOT EXISTS (
                SELECT 1 FROM succession_changes AS c
                WHERE c.from_position = p.from_position AND c.to_position = p.to_position
                    AND c.site_after = k.site)
        """,
    ),
    View(
        "successions",
        "What became of each check site from one release to another: neighbouring releases, and"
        " the last 2.0 and the last 2.2 (succession_pairs_stored names them; `caphistory"
        " transition --sites` compares any others)",
        _SUCCESSIONS,
        """
        SELECT * FROM successions_changed UNION ALL SELECT * FROM successions_kept
        """,
    ),
    View(
        "wrappers",
        "Functions and macros that only pass a check on",
        _columns(
            "release",
            "name",
            "kind",
            "check_name",
            "capability",
            "parameter",
            "path",
            "line",
            name="name of the function or macro",
            kind="fixed (stands for one capability) or plumbing (passes its parameter on)",
            check_name="check that it passes on",
            capability="capability that it stands for; NULL for plumbing",
            parameter="number of the parameter that holds the capability, from 0",
            line="line of its definition, from 1",
        ),
        """
        SELECT r.release, w.name, w.kind, w.check_name, w.capability, w.parameter, w.path, w.line
        FROM wrapper_runs AS k
            JOIN wrapper_facts AS w ON w.id = k.wrapper
            JOIN stored_releases AS r ON r.position BETWEEN k.first AND k.last
        """,
    ),
    View(
        "audit",
        "How completely each release was read: every occurrence of a check's name outside"
        " comments and strings is accounted for",
        {"release": _DESCRIPTIONS["release"], **AUDIT_COUNTS},
        f"""
        SELECT r.release, {", ".join("a." + name for name in AUDIT_COUNTS)}
        FROM audits AS a JOIN stored_releases AS r ON r.position = a.position
        """,
    ),
    View(
        "audit_details",
        "What the reading of a release could not account for, and where it was cut off",
        _columns(
            "release",
            "kind",
            "path",
            "line",
            "detail",
            kind="unexplained, no_function, unreadable or cut_off",
            path="file; NULL where it is about the whole release",
            line="line number, from 1; NULL where it is about the whole file",
            detail="what was found there",
        ),
        """
        SELECT r.release, d.kind, d.path, d.line, d.detail
        FROM audit_note_runs AS k
            JOIN audit_notes AS d ON d.id = k.note
            JOIN stored_releases AS r ON r.position BETWEEN k.first AND k.last
        """,
    ),
)


def create_statements() -> list[str]:
    """The SQL of an empty database without indexes: tables and views."""
    return [
        f"PRAGMA application_id = {APPLICATION_ID}",
        f"PRAGMA user_version = {SCHEMA_VERSION}",
        *(statement for table in TABLES for statement in table.statements()),
        *view_statements(),
    ]


def index_statements() -> list[str]:
    """The SQL of all indexes."""
    return [statement for table in TABLES for statement in table.index_statements()]


def view_statements() -> list[str]:
    """The SQL that makes all views anew, also where there are older ones of that name."""
    return [
        statement
        for view in VIEWS
        for statement in (f"DROP VIEW IF EXISTS {view.name}", *view.statements())
    ]
