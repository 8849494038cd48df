"""The chain page: how a syscall comes to the checks of a privilege, step by step."""

from __future__ import annotations

from caphistory.errors import NothingFound
from caphistory.explorer.addresses import anchor
from caphistory.explorer.pages.page import Asked, Page
from caphistory.questions.names import known_abi, known_privilege, known_syscall, newest_release
from caphistory.records import Row
from caphistory.wording.phrases import steps

#: So many chains are shown before a reader asks for all.
FEW = 10


def chain(asked: Asked) -> Page:
    """The ways from a syscall to the checks of a privilege in one release."""
    abi = known_abi(asked.connection, asked.parts["abi"])
    syscall = known_syscall(asked.connection, asked.parts["syscall"])
    privilege = known_privilege(asked.connection, asked.parts["privilege"])
    release = asked.release("release") or newest_release(asked.connection)
    everything = asked.given("all") is not None
    rows = asked.ask("why", syscall=syscall, privilege=privilege, release=release, abi=abi)
    if not rows:
        raise NothingFound(f"{syscall} does not come to a check of {privilege} in {release}")
    telling = [row for row in rows if row["telling"]]
    shown = rows if everything else (telling or rows)[:FEW]
    return Page(
        "chain",
        f"{syscall} → {privilege} in {release}",
        {"chains": shown},
        {
            "table": abi,
            "syscall": syscall,
            "privilege": privilege,
            "release": release,
            "chains": [
                {"row": row, "steps": steps(row), "anchor": anchor(row["path"], row["line"])}
                for row in shown
            ],
            "as_text": [as_text(row) for row in shown],
            "total": len(rows),
            "telling": len(telling),
            "releases": asked.ask("release_list"),
        },
    )


def as_text(row: Row) -> str:
    """A chain as lines of text, the check last."""
    chain = steps(row)
    lines = [
        f"{'  ' * depth}{step['function']}  {step['path']}:{step['line']}"
        + (f"  through {step['via']}" if step["via"] else "")
        for depth, step in enumerate(chain)
    ]
    name = row["check_name"]
    asks = f"{name}({row['capability']})" if row["capability"] else name
    return "\n".join([*lines, f"{'  ' * len(chain)}checks {asks}"])
