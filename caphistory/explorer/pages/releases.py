"""The pages of releases: the list, and what changed in one."""

from __future__ import annotations

from caphistory.explorer.pages.home import group_by_series
from caphistory.explorer.pages.page import Asked, Page
from caphistory.records import PROVENANCES
from caphistory.wording.phrases import format_count

#: How many new or removed sites the page lists; the rest is in the CSV.
_MOST_SITES = 200


def index(asked: Asked) -> Page:
    """Return the page of all releases, by series."""
    rows = asked.ask("release_list")
    return Page(
        "releases",
        "Releases",
        {"releases": rows},
        {"series": group_by_series(rows)},
        f"The {format_count(len(rows), 'release')} of Linux in this database, and how sure it is"
        " that each is what was released.",
    )


def release(asked: Asked) -> Page:
    """Return the page of one release: what changed since the previous one, counts, the audit."""
    name = asked.resolve_release(asked.parts["name"])
    releases = asked.ask("release_list")
    order = [row["release"] for row in releases]
    at = order.index(name)
    before = releases[at]["before"]
    # The changes of one release take as long to find as all of them, which are cached.
    every_change = asked.ask("release_changes", abi=asked.abi)
    changes = [row for row in every_change if row["to_release"] == name]
    sites = asked.ask("site_changes", **{"from": before, "to": name}) if before else []
    kinds = asked.ask("check_kinds", release=name)
    table = asked.ask("syscall_table", release=name, abi=asked.abi)
    asking = [row for row in table if row["checks"]]
    capabilities = asked.ask("capability_list", release=name, abi=asked.abi)
    audit = [row for row in asked.ask("audit_by_release") if row["release"] == name]
    details = asked.ask("audit_of_release", release=name)
    return Page(
        "release",
        f"Linux {name}",
        {
            "changes": changes,
            "sites": sites,
            "kinds": kinds,
            "capabilities": capabilities,
            "syscalls": table,
            "audit": audit,
            "audit_details": details,
        },
        {
            "name": name,
            "asking": len(asking),
            "syscalls": len(table),
            "table": table[0]["abi"] if table else "",
            "site_count": sum(row["sites"] for row in kinds),
            "means": PROVENANCES,
            "release": releases[at],
            "earlier": order[at - 1] if at else None,
            "later": order[at + 1] if at + 1 < len(order) else None,
            "before": before,
            "changes": changes,
            "sites": sites[:_MOST_SITES],
            "all_sites": len(sites),
            "by_kind": kinds,
            "capabilities": capabilities,
            "audit": audit[0] if audit else None,
            "details": details[:_MOST_SITES],
            "all_details": len(details),
        },
        f"Linux {name}: {format_count(sum(row['sites'] for row in kinds), 'check site')};"
        f" {len(asking)} of {format_count(len(table), 'syscall')} ask for privilege.",
    )
