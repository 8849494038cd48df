"""The pages of releases: all of them, and what changed in one."""

from __future__ import annotations

from caphistory.explorer.pages.home import by_series
from caphistory.explorer.pages.page import Asked, Page

#: So many sites are listed as new or gone; the rest is in the CSV.
_MOST_SITES = 200


def index(asked: Asked) -> Page:
    """Every release, by series."""
    rows = asked.ask("release_list")
    return Page("releases", "Releases", {"releases": rows}, {"series": by_series(rows)})


def release(asked: Asked) -> Page:
    """One release: what changed from the one before, counts, and how completely it was read."""
    name = asked.known_release(asked.parts["name"])
    releases = asked.ask("release_list")
    order = [one["release"] for one in releases]
    at = order.index(name)
    before = releases[at]["before"]
    # Finding the changes of one release takes as long as finding all, which are kept.
    every_change = asked.ask("release_changes", abi=asked.abi)
    changes = [one for one in every_change if one["to_release"] == name]
    sites = asked.ask("site_changes", **{"from": before, "to": name}) if before else []
    kinds = asked.ask("check_kinds", release=name)
    capabilities = asked.ask("capability_list", release=name, abi=asked.abi)
    audit = asked.ask("audit_by_release", release=name)
    details = asked.ask("audit_of_release", release=name)
    return Page(
        "release",
        f"Linux {name}",
        {
            "changes": changes,
            "sites": sites,
            "kinds": kinds,
            "capabilities": capabilities,
            "audit": audit,
            "audit_details": details,
        },
        {
            "name": name,
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
    )
