"""SQL expressions that several views share, over the tables that ``tables`` describes."""

from __future__ import annotations

from caphistory.store.tables import OPEN


def select_name_at(position: str) -> str:
    """Return SQL for the name of the newest release up to a position (also for ``OPEN``)."""
    return (
        f"(SELECT release FROM stored_releases WHERE position <= {position}"
        " ORDER BY position DESC LIMIT 1)"
    )


def select_run(first: str, last: str) -> str:
    """Return SQL for the ends of a run: the columns from first_release to open."""
    return f"""
        {select_name_at(first)} AS first_release, {select_name_at(last)} AS last_release,
        {first} AS first_ordinal,
        (SELECT max(position) FROM stored_releases WHERE position <= {last}) AS last_ordinal,
        {last} = {OPEN} AS open"""


def select_value_at(column: str, table: str, condition: str, release: str = "r") -> str:
    """Return SQL for the value of a run table at ``release``.

    Runs of one key do not overlap and the caller knows that one covers the release, so
    it is the last that begins before it: one step in the primary key.
    """
    return (
        f"(SELECT {column} FROM {table} WHERE {condition} AND first <= {release}.position"
        " ORDER BY first DESC LIMIT 1)"
    )


def select_swhid(blob: str, line: str) -> str:
    """Return SQL for the SWHID (swhid.org) of a line of a content, from SQL for its git id in
    hexadecimal and for the line."""
    return f"'swh:1:cnt:' || {blob} || ';lines=' || {line}"


RELEASE_SWHID = "iif(provenance = 'mainline', 'swh:1:rev:' || commit_sha, NULL)"

REACH = "CASE WHEN c.depth = 0 THEN 'direct' WHEN c.pointer_hops = 0 THEN 'call' ELSE 'pointer' END"

CHAIN = f"""
    (SELECT json_group_array(json_object(
        'function', function, 'path', path, 'line', line, 'edge', edge, 'via', via))
    FROM (
        SELECT step.key AS number, f.name AS function, p.path AS path,
            {select_value_at("line", "edge_lines", "edge = e.id")} AS line, e.edge AS edge,
            e.via AS via
        FROM json_each(c.edges) AS step
            CROSS JOIN edges AS e ON e.id = step.value
            CROSS JOIN functions AS f ON f.id = e.from_function
            CROSS JOIN files AS p ON p.id = f.file
        UNION ALL
        SELECT c.depth, holder.name, place.path,
            {select_value_at("line", "site_lines", "site = s.id")}, 'call', NULL
        ORDER BY number))
"""

CHECK_SOURCE = """
    check_runs AS k
    JOIN syscall_names AS n ON n.id = k.name
    JOIN meanings AS m ON m.id = k.meaning
    JOIN chains AS c ON c.id = k.chain
    JOIN sites AS s ON s.id = c.site
    JOIN files AS place ON place.id = s.file
    LEFT JOIN functions AS holder ON holder.id = s.function
"""

REQUIREMENT_SOURCE = """
    requirement_runs AS k
    JOIN privileges AS p ON p.id = k.privilege
    JOIN syscall_names AS n ON n.id = k.name
    JOIN meanings AS m ON m.id = k.meaning
    JOIN chains AS c ON c.id = k.chain
    JOIN sites AS s ON s.id = c.site
    JOIN files AS place ON place.id = s.file
    LEFT JOIN functions AS holder ON holder.id = s.function
"""

# By way of the chains of the site: a syscall has many more rows than a site.
OPERATIONS = """
    (SELECT json_group_array(operation) FROM (
        SELECT DISTINCT other.operation
        FROM chains AS way
            CROSS JOIN check_runs AS run ON run.name = k.name AND run.chain = way.id
                AND r.position BETWEEN run.first AND run.last
            CROSS JOIN meanings AS other ON other.id = run.meaning
        WHERE way.site = c.site AND other.operation <> ''
        ORDER BY other.operation))
"""


def select_site_name(site: str) -> str:
    """Return SQL for all that makes a row of ``sites`` what it is, as one text."""
    return f"""
    (SELECT path FROM files WHERE id = {site}.file)
    || coalesce(' ' || (SELECT name FROM functions WHERE id = {site}.function), '')
    || ' ' || {site}.check_name || '(' || coalesce({site}.capability, {site}.argument, '') || ') '
    || {site}.form || ' ' || {site}.effect || coalesce(' ' || {site}.errno, '')
    || coalesce(' if ' || {site}.condition, '')
    || CASE {site}.occurrence WHEN 0 THEN '' ELSE ' ' || {site}.occurrence END"""


def select_succession(file_after: str, function_after: str) -> str:
    """Return SQL for the columns from from_release to capability_after: ``f`` and ``t`` are the
    releases, ``b`` and ``a`` the sites before and after."""
    return f"""
    f.release AS from_release, t.release AS to_release,
    (SELECT path FROM files WHERE id = b.file) AS path_before,
    (SELECT name FROM functions WHERE id = b.function) AS function_before,
    {select_value_at("line", "site_lines", "site = b.id", "f")} AS line_before,
    b.check_name AS check_before,
    (SELECT path FROM files WHERE id = {file_after}) AS path_after,
    (SELECT name FROM functions WHERE id = {function_after}) AS function_after,
    {select_value_at("line", "site_lines", "site = a.id", "t")} AS line_after,
    a.check_name AS check_after, a.capability AS capability_after"""
