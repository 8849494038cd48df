"""Views of the database, with their columns and descriptions, as data: the contract."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from caphistory.store.expressions import (
    CHAIN,
    CHECK_SOURCE,
    OPERATIONS,
    REACH,
    RELEASE_SWHID,
    REQUIREMENT_SOURCE,
    select_run,
    select_site_name,
    select_succession,
    select_swhid,
    select_value_at,
)
from caphistory.store.standing import MEANS, OFF, select_standing
from caphistory.store.tables import (
    AUDIT_COUNTS,
    AUDIT_KINDS,
    FATES,
    NOTE_MEANS,
    PROVENANCE_MEANS,
)


class View(NamedTuple):
    """A view: ``columns`` maps each column that ``sql`` selects, in order, to its description."""

    name: str
    description: str
    columns: Mapping[str, str]
    sql: str


_DESCRIPTIONS = {
    "release": "name of the release, without v",
    "path": "path from the root of the kernel tree",
    "check_name": "name of the check: suser, fsuser, capable, uid0 and so on",
    "capability": "capability asked for; NULL for suser, fsuser, uid0 and for an argument"
    " that is no constant",
    "form": "call or macro",
    "operation": "what the caller asks the syscall to do, where named constants or registered names"
    " select it: a command, an option, a message, a flag, a file; outermost first, joined by /;"
    " '' where the arguments do not select the way to the check",
    "privilege": "the capability asked for, or the name of the check where there is none: suser,"
    " fsuser or uid0",
    "instead": "JSON array of the other privileges any one of which does as well at the same"
    " decision; owner among them where owning the object suffices",
    "subject": "whose privilege is asked for: caller, other (another task: a tracer, a parent) or"
    " opener (who opened the file)",
    "namespace": "in which user namespace: init (the first one) or owner (the one that owns what"
    " is acted upon); NULL before there were any",
    "standing": "how much it says of the syscall: "
    + "; ".join(f"{name} ({meaning})" for name, meaning in MEANS.items()),
    "effect": "what a missing privilege does: deny, limit (goes on, restricted) or unknown",
    "errno": "error that a denial gives, such as EPERM",
    "condition": "enclosing preprocessor condition; 0 for #if 0",
    "swhid": "SWHID of the line of the check in the file's content, by which it can be cited",
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


def _describe_columns(*names: str, **special: str) -> dict[str, str]:
    """Return descriptions of the named columns, in order; ``special`` overrides the common text."""
    return {name: special.get(name) or _DESCRIPTIONS[name] for name in names}


_RUN_COLUMNS = ("first_release", "last_release", "first_ordinal", "last_ordinal", "open")


_SHARED_BY = (
    "how many syscalls of the ABI reach the same site with no more pointer steps than this row;"
    " the more, the less it says"
)

_SUCCESSIONS = _describe_columns(
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


_EVIDENCE: dict[str, str] = {
    "effect": "what the syscall does without the privilege: deny, limit (goes on, restricted) or"
    " unknown",
    "errno": "error of the syscall then, such as EPERM; with limit, the one when the limit is hit",
    "function": "function that holds the check",
    "line": "line of the check, from 1",
    "shared_by": _SHARED_BY,
    "chain": "JSON array of the steps {function, path, line, edge, via} from the entry function"
    " to the check; line is where the next step is called, edge is call or pointer, via names"
    " a pointer step; the last step makes the check",
}

_LINE_OF_RUN = "line of the check in the last release of the run, from 1"

_SYSCALL_CHECKS = _describe_columns(
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
    "operations",
    "instead",
    "subject",
    "namespace",
    "standing",
    **_EVIDENCE,
    operations="JSON array of all operations by which the syscall comes to the site",
)

_REQUIREMENTS = _describe_columns(
    "release",
    "abi",
    "syscall",
    "operation",
    "privilege",
    "instead",
    "effect",
    "errno",
    "subject",
    "namespace",
    "standing",
    "sites",
    "check_name",
    "capability",
    "reach",
    "depth",
    "pointer_hops",
    "function",
    "path",
    "line",
    "shared_by",
    "chain",
    "swhid",
    **_EVIDENCE,
    sites="number of check sites with this standing",
)

_OF_ONE_RELEASE = ("release", "shared_by", "chain", "swhid")
"""The columns of requirements that a run of releases does not have."""

_SHARED_OF_CHAIN = select_value_at(
    "shared_by", "site_shared", "site = s.id AND abi = n.abi AND pointer_hops = c.pointer_hops"
)

_STANDING = f"{select_standing('k.standing')} AS standing"
_BLOB = select_value_at("lower(hex(blob))", "file_blobs", "file = s.file")
_SITE_SWHID = select_swhid(_BLOB, select_value_at("line", "site_lines", "site = s.id"))

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
            "provenance": PROVENANCE_MEANS,
            "note": NOTE_MEANS,
            "swhid": "SWHID of the commit, by which it can be cited; NULL where it is not mainline",
        },
        "SELECT release, series, kind, position AS ordinal, released, source, commit_sha,"
        f" provenance, note, {RELEASE_SWHID} AS swhid FROM stored_releases",
    ),
    View(
        "neighbours",
        "Each release with the one that it is compared with, and what is missing between the two:"
        " 2.6.12 follows 2.6.11 and nothing is missing, 3.3.6 follows 3.2.4 and 3.3 is missing;"
        " where releases are missing, what differs came in any of them",
        _describe_columns(
            "from_release",
            "to_release",
            "from_ordinal",
            "to_ordinal",
            "missing",
            from_release="the release before to_release on its line of development",
            to_release="the later release",
            from_ordinal="ordinal of from_release",
            to_ordinal="ordinal of to_release",
            missing="how many mainline releases lie between them and are not in this database;"
            " 0 where they are adjacent",
        ),
        """
        SELECT f.release AS from_release, t.release AS to_release, f.position AS from_ordinal,
            t.position AS to_ordinal, t.missing
        FROM stored_releases AS t JOIN stored_releases AS f ON f.position = t.predecessor
        """,
    ),
    View(
        "check_sites",
        "Every place where a release asks for privilege",
        _describe_columns(
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
            "swhid",
            line="line of the check, from 1",
            function="enclosing function; NULL outside functions",
            blob="git object id of the file's content",
        ),
        f"""
        SELECT r.release, place.path,
            {select_value_at("line", "site_lines", "site = s.id")} AS line,
            holder.name AS function, s.check_name, s.capability, s.argument, s.form, s.effect,
            s.errno, s.condition,
            {_BLOB} AS blob,
            {_SITE_SWHID} AS swhid
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
        _describe_columns(
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
        SELECT place.path, holder.name AS function, s.check_name, s.capability, s.argument,
            s.form, s.effect, s.errno, s.condition, {select_run("k.first", "k.last")}
        FROM site_runs AS k
            JOIN sites AS s ON s.id = k.site
            JOIN files AS place ON place.id = s.file
            LEFT JOIN functions AS holder ON holder.id = s.function
        """,
    ),
    View(
        "capability_definitions",
        "Capabilities as each release defines them",
        _describe_columns(
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
        _describe_columns(
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
            {select_value_at("line", "entry_lines", "entry = e.id")} AS line, e.parent
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
        _describe_columns("release", "abi", abi="i386 or x86_64"),
        """
        SELECT r.release, CASE
            WHEN CAST(r.series AS INTEGER) >= 3 AND EXISTS (
                SELECT 1
                FROM entry_runs AS k
                    JOIN syscall_entries AS e ON e.id = k.entry
                    JOIN syscall_names AS n ON n.id = e.name
                WHERE n.abi = 'x86_64' AND r.position BETWEEN k.first AND k.last
            ) THEN 'x86_64' ELSE 'i386' END AS abi
        FROM stored_releases AS r
        """,
    ),
    View(
        "asked_releases",
        "The release that a question means, by the name that it gives (without v); where it gives"
        " none, the newest in the database and its usual table",
        _describe_columns(
            "asked",
            "release",
            "ordinal",
            "abi",
            asked="a release, or '' for the newest",
            ordinal="ordinal of release",
            abi="the system-call table that is meant (see usual_abis)",
        ),
        """
        SELECT name.asked, r.release, r.position AS ordinal, usual.abi
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
        _describe_columns(
            "asked",
            "privilege",
            asked="the name in lower case, or '' for every privilege",
            privilege="the name of the capability or root check; NULL for every privilege",
        ),
        """
        WITH names (capability) AS (
            SELECT capability FROM sites AS s
            WHERE capability IS NOT NULL AND EXISTS (SELECT 1 FROM site_runs WHERE site = s.id)
            UNION
            SELECT capability FROM definitions AS d
            WHERE EXISTS (SELECT 1 FROM definition_runs WHERE definition = d.id)
        )
        SELECT lower(capability) AS asked, capability AS privilege FROM names
        UNION ALL
        SELECT substr(lower(capability), 5), capability FROM names
        WHERE capability LIKE 'CAP#_%' ESCAPE '#'
        UNION ALL
        VALUES ('suser', 'suser'), ('fsuser', 'fsuser'), ('uid0', 'uid0'), ('', NULL)
        """,
    ),
    View(
        "usual_ends",
        "The two releases that a comparison means when it names none: the last 2.0 and the last"
        " 2.2 where they are there, else the first and the last release",
        _describe_columns(
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
            ) AS from_release,
            coalesce(
                (SELECT release FROM stored_releases WHERE series = '2.2'
                    ORDER BY position DESC LIMIT 1),
                (SELECT release FROM stored_releases ORDER BY position DESC LIMIT 1)
            ) AS to_release
        """,
    ),
    View(
        "syscall_checks",
        "Which syscall comes to which check: one row for each release, syscall and check site,"
        " with its best evidence",
        _SYSCALL_CHECKS,
        f"""
        SELECT r.release, n.abi, n.syscall, s.check_name, s.capability, {REACH} AS reach,
            c.depth, c.pointer_hops, k.conditional, k.feasible, holder.name AS function, place.path,
            {select_value_at("line", "site_lines", "site = s.id")} AS line, m.effect, m.errno,
            {_SHARED_OF_CHAIN} AS shared_by, {CHAIN} AS chain, {OPERATIONS} AS operations,
            m.instead, m.subject, m.namespace, {_STANDING}
        FROM {CHECK_SOURCE}
            JOIN stored_releases AS r ON r.position BETWEEN k.first AND k.last
        WHERE k.best = 1
        """,
    ),
    View(
        "requirements",
        "What a syscall asks for: one row for each release, syscall, operation, privilege and"
        " meaning, with its best evidence",
        _REQUIREMENTS,
        f"""
        SELECT r.release, n.abi, n.syscall, m.operation, p.privilege, m.instead, m.effect, m.errno,
            m.subject, m.namespace, {_STANDING}, k.sites, s.check_name, s.capability,
            {REACH} AS reach, c.depth, c.pointer_hops, holder.name AS function, place.path,
            {select_value_at("line", "site_lines", "site = s.id")} AS line,
            {_SHARED_OF_CHAIN} AS shared_by, {CHAIN} AS chain, {_SITE_SWHID} AS swhid
        FROM {REQUIREMENT_SOURCE}
            JOIN stored_releases AS r ON r.position BETWEEN k.first AND k.last
        """,
    ),
    View(
        "syscall_check_runs",
        "syscall_checks over all releases, by each operation: one row for each unbroken run of the"
        " same evidence, shared by as many syscalls, whatever its lines",
        _describe_columns(
            "abi",
            "syscall",
            "operation",
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
            "standing",
            *_RUN_COLUMNS,
            **(_EVIDENCE | {"line": _LINE_OF_RUN}),
        ),
        f"""
        SELECT abi, syscall, operation, check_name, capability, reach, depth, pointer_hops,
            conditional, feasible, function, path,
            (SELECT line FROM site_lines
                WHERE site = of_run.site AND first <= of_run.last ORDER BY first DESC LIMIT 1)
                AS line,
            effect, errno, shared_by, standing, {select_run("of_run.first", "of_run.last")}
        FROM (
            SELECT n.abi, n.syscall, m.operation, s.check_name, s.capability, {REACH} AS reach,
                c.depth, c.pointer_hops, k.conditional, k.feasible, holder.name AS function,
                place.path, m.effect, m.errno, shared.shared_by, s.id AS site, {_STANDING},
                max(k.first, shared.first) AS first, min(k.last, shared.last) AS last
            FROM {CHECK_SOURCE}
                JOIN site_shared AS shared ON shared.site = c.site
                    AND shared.pointer_hops = c.pointer_hops AND shared.abi = n.abi
            WHERE shared.first <= k.last AND shared.last >= k.first
        ) AS of_run
        """,
    ),
    View(
        "syscall_requirement_runs",
        "requirements over all releases: one row for each unbroken run of the same evidence,"
        " whatever its lines",
        {name: text for name, text in _REQUIREMENTS.items() if name not in _OF_ONE_RELEASE}
        | {"line": _LINE_OF_RUN}
        | _describe_columns(*_RUN_COLUMNS),
        f"""
        SELECT n.abi, n.syscall, m.operation, p.privilege, m.instead, m.effect, m.errno, m.subject,
            m.namespace, {_STANDING}, k.sites, s.check_name, s.capability, {REACH} AS reach,
            c.depth, c.pointer_hops, holder.name AS function, place.path,
            (SELECT line FROM site_lines
                WHERE site = s.id AND first <= k.last ORDER BY first DESC LIMIT 1) AS line,
            {select_run("k.first", "k.last")}
        FROM {REQUIREMENT_SOURCE}
        """,
    ),
    View(
        "syscall_operations",
        "The operations by which each syscall asks for a privilege, in any release",
        _describe_columns("abi", "syscall", "operation"),
        """
        SELECT n.abi, n.syscall, k.operation
        FROM asked_operations AS k JOIN syscall_names AS n ON n.id = k.name
        """,
    ),
    View(
        "syscall_privilege_runs",
        "Which syscall comes to a check of which privilege over all releases, by any operation and"
        " all sites taken together: one row for each unbroken run of one standing",
        _describe_columns("abi", "syscall", "privilege", "standing", *_RUN_COLUMNS),
        f"""
        SELECT n.abi, n.syscall, p.privilege, {_STANDING}, {select_run("k.first", "k.last")}
        FROM privilege_runs AS k
            JOIN syscall_names AS n ON n.id = k.name
            JOIN privileges AS p ON p.id = k.privilege
        """,
    ),
    View(
        "syscall_asked_runs",
        "Which syscall asks for which privilege over all releases: one row for each unbroken run in"
        " which it comes to a check of it, in at least half of the releases as an own or shared"
        " requirement; so no run ends where only the standing changes",
        _describe_columns("abi", "syscall", "privilege", *_RUN_COLUMNS),
        f"""
        SELECT n.abi, n.syscall, p.privilege, {select_run("k.first", "k.last")}
        FROM asked_runs AS k
            JOIN syscall_names AS n ON n.id = k.name
            JOIN privileges AS p ON p.id = k.privilege
        """,
    ),
    View(
        "syscall_timeline",
        "What each syscall asks for (see syscall_asked_runs), from which release to which",
        _describe_columns("abi", "syscall", "checks", *_RUN_COLUMNS),
        f"""
        SELECT n.abi, n.syscall, k.checks, {select_run("k.first", "k.last")}
        FROM timeline_runs AS k JOIN syscall_names AS n ON n.id = k.name
        """,
    ),
    View(
        "transitions",
        "Where what a syscall asks for (see syscall_asked_runs) differs from the release before:"
        " the one before it in its series, or for the first of a series the one it branched from;"
        " a prerelease is compared with the release or prerelease before it. A privilege that the"
        " other of the two releases has in any standing but off makes no difference",
        _describe_columns(
            "abi",
            "syscall",
            "from_release",
            "to_release",
            "before",
            "after",
            from_release="release before",
            to_release="release that differs from it",
            before="what the syscall asked for before, '' for nothing; NULL when it was no syscall",
            after="what it asks for now, '' for nothing; NULL when it is no syscall any more",
        ),
        # The first half: runs that begin after a release's predecessor; the second: runs
        # that hold the predecessor and not the release itself.
        f"""
        SELECT n.abi, n.syscall, f.release AS from_release, t.release AS to_release,
            (SELECT checks FROM timeline_runs
                WHERE name = n.id AND f.position BETWEEN first AND last) AS before,
            (SELECT checks FROM timeline_runs
                WHERE name = n.id AND t.position BETWEEN first AND last) AS after
        FROM (
            SELECT k.name, t.position AS at
            FROM asked_runs AS k
                JOIN stored_releases AS t
                    ON t.position BETWEEN k.first AND k.last AND t.predecessor < k.first
            WHERE NOT EXISTS (
                SELECT 1 FROM privilege_runs AS p
                WHERE p.name = k.name AND p.privilege = k.privilege AND p.standing <> {OFF}
                    AND t.predecessor BETWEEN p.first AND p.last)
            UNION
            SELECT k.name, t.position
            FROM asked_runs AS k
                JOIN stored_releases AS t
                    ON t.predecessor BETWEEN k.first AND k.last AND t.position > k.last
            WHERE NOT EXISTS (
                SELECT 1 FROM privilege_runs AS p
                WHERE p.name = k.name AND p.privilege = k.privilege AND p.standing <> {OFF}
                    AND t.position BETWEEN p.first AND p.last)
        ) AS change
            JOIN syscall_names AS n ON n.id = change.name
            JOIN stored_releases AS t ON t.position = change.at
            JOIN stored_releases AS f ON f.position = t.predecessor
        """,
    ),
    View(
        "succession_pairs_stored",
        "Which releases' check sites were compared with one another (see successions)",
        _describe_columns(
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
        SELECT f.release AS from_release, t.release AS to_release, f.position AS from_ordinal,
            t.position AS to_ordinal, coalesce(t.predecessor, 0) = f.position AS neighbours
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
        SELECT
            {select_succession("coalesce(a.file, lives.file)", "coalesce(a.function, lives.id)")},
            k.fate, b.capability AS capability_before, k.found, k.certain,
            k.likeness / 100.0 AS likeness, coalesce(t.predecessor, 0) = f.position AS neighbours,
            {select_site_name("b")} AS site_before, {select_site_name("a")} AS site_after
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
        SELECT {select_succession("a.file", "a.function")},
            'same' AS fate, b.capability AS capability_before, 'function' AS found, 1 AS certain,
            NULL AS likeness, coalesce(t.predecessor, 0) = f.position AS neighbours,
            {select_site_name("b")} AS site_before, {select_site_name("a")} AS site_after
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
        _describe_columns(
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
        _describe_columns(
            "release",
            "kind",
            "path",
            "line",
            "detail",
            kind="what it is about: "
            + "; ".join(f"{kind} ({meaning})" for kind, meaning in AUDIT_KINDS.items()),
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
