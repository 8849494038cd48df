"""The chain page: how a syscall reaches the checks of a privilege, step by step."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from caphistory.errors import NothingFound
from caphistory.explorer.addresses import anchor
from caphistory.explorer.pages.page import Asked, Page
from caphistory.explorer.pages.paging import cut_page
from caphistory.questions.names import (
    newest_release,
    resolve_abi,
    resolve_privilege,
    resolve_syscall,
)
from caphistory.questions.requirements import is_told
from caphistory.records import Row
from caphistory.wording.phrases import decode_steps

#: How many chains are on a page: so many are less than 150 KB, also with long ways.
_MOST_CHAINS = 30


def chain(asked: Asked) -> Page:
    """Return the page of the chains from a syscall to the checks of a privilege in one release, by
    any operation or by those that the parameter ``operation`` names."""
    abi = resolve_abi(asked.connection, asked.parts["abi"])
    syscall = resolve_syscall(asked.connection, asked.parts["syscall"])
    privilege = resolve_privilege(asked.connection, asked.parts["privilege"])
    release = asked.release("release") or newest_release(asked.connection)
    everything = asked.given("all") is not None
    operation = asked.given("operation")
    rows = asked.ask(
        "why",
        syscall=syscall,
        privilege=privilege,
        operation=operation,
        release=release,
        abi=abi,
    )
    if not rows:
        by = f" by {operation}" if operation else ""
        raise NothingFound(f"{syscall} does not come to a check of {privilege}{by} in {release}")
    prominent = [row for row in rows if is_told(row)]
    chosen = rows if everything else prominent or rows
    shown, pages = cut_page(asked, chosen, _MOST_CHAINS)
    return Page(
        "chain",
        f"{syscall} → {privilege} in {release}",
        {"chains": chosen},
        {
            "table": abi,
            "syscall": syscall,
            "privilege": privilege,
            "release": release,
            "chains": [
                {"row": row, "steps": decode_steps(row), "anchor": name}
                for row, name in zip(shown, _name_anchors(shown), strict=True)
            ],
            "as_text": [format_chain(row) for row in shown],
            "operation": operation,
            "pages": pages,
            "chosen": len(chosen),
            "total": len(rows),
            "told": len(prominent),
            "releases": asked.ask("release_list"),
        },
        f"How the Linux syscall {syscall} comes to a check of {privilege} in {release}, function by"
        " function.",
    )


def _name_anchors(rows: Sequence[Row]) -> list[str]:
    """Return the anchor of each row: the place of its check, counted where several operations lead
    to one."""
    used: Counter[str] = Counter()
    names = []
    for row in rows:
        name = anchor(row["path"], row["line"])
        used[name] += 1
        names.append(name if used[name] == 1 else f"{name}-{used[name]}")
    return names


def format_chain(row: Row) -> str:
    """Return a chain as lines of text, the check last."""
    chain = decode_steps(row)
    lines = [
        f"{'  ' * depth}{step['function']}  {step['path']}:{step['line']}"
        + (f"  through {step['via']}" if step["via"] else "")
        for depth, step in enumerate(chain)
    ]
    name = row["check_name"]
    asks = f"{name}({row['capability']})" if row["capability"] else name
    return "\n".join([*lines, f"{'  ' * len(chain)}checks {asks}"])
