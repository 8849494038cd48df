"""Render the templates of the pages.

The templates are in a folder where Datasette does not look, because its own templates have the same
names. They have their own environment: Datasette's is asynchronous, and the biggest pages would
take several times as long. Everything is escaped, and an undefined name is an error.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from caphistory.explorer import addresses, evidence, strips
from caphistory.records import ROOT_CHECKS
from caphistory.wording import kinds
from caphistory.wording.checks import name_other_check
from caphistory.wording.phrases import (
    GAPS,
    describe_effect,
    format_count,
    format_place,
    format_run,
    get_privilege,
    has_gaps,
)


def render(template: str, context: Mapping[str, Any]) -> str:
    """Return the HTML of the page ``template`` (its name without ``.html``)."""
    return _make_environment().get_template(f"{template}.html").render(context)


def allow_breaks(text: str, after: str = "/_") -> Markup:
    """Return a path, or names, that may be broken across lines ``after`` certain characters: those
    that end a folder or a word."""
    return Markup("<wbr>").join(re.findall(f"[^{after}]*[{after}]+|[^{after}]+", text))


@cache
def _make_environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("caphistory.explorer", "markup"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {
        "anchor": addresses.anchor,
        "breakable": allow_breaks,
        "counted": format_count,
        "effect": describe_effect,
        "evidences": evidence.WORDS,
        "grades": evidence.EVIDENCES,
        "gaps_mean": GAPS,
        "has_gaps": has_gaps,
        "grade": evidence.grade,
        "has_page": kinds.has_page,
        "hole_key": strips.draw_hole_key,
        "key": strips.draw_key,
        "kind": kinds.classify,
        "kinds": kinds.KINDS,
        "other_check": name_other_check,
        "place": format_place,
        "privilege_of": get_privilege,
        "privileges_of": kinds.split_privileges,
        "root_names": ROOT_CHECKS,
        "source": addresses.link_to_source,
        "span": format_run,
    }
    return environment
