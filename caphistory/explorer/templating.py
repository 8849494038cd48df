"""The templates of the pages.

They are kept where Datasette, whose own templates have the same names, does not look for
them, and have an environment of their own: Datasette's is asynchronous, in which the biggest
pages take several times as long. Everything is escaped, and a name that a page did not
give is an error.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from caphistory.explorer import addresses, strips
from caphistory.questions.schema import TELLING_MEANS
from caphistory.records import ROOT_CHECKS
from caphistory.wording import kinds
from caphistory.wording.checks import other_check
from caphistory.wording.phrases import GAPS, counted, effect, has_gaps, place, privilege, span


def rendered(template: str, context: Mapping[str, Any]) -> str:
    """The HTML of the page ``template`` (its name without ``.html``)."""
    return _environment().get_template(f"{template}.html").render(context)


def breakable(path: str) -> Markup:
    """A path that may go on in the next line behind each of its folders."""
    return Markup("/<wbr>").join(path.split("/"))


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("caphistory.explorer", "markup"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {
        "anchor": addresses.anchor,
        "breakable": breakable,
        "counted": counted,
        "effect": effect,
        "gaps_mean": GAPS,
        "has_gaps": has_gaps,
        "has_page": kinds.has_page,
        "key": strips.key,
        "kind": kinds.kind,
        "kinds": kinds.KINDS,
        "other_check": other_check,
        "place": place,
        "privilege_of": privilege,
        "privileges_of": kinds.privileges,
        "root_names": ROOT_CHECKS,
        "source": addresses.source,
        "span": span,
        "telling_means": TELLING_MEANS,
    }
    return environment
