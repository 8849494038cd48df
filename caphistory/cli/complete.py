"""What a shell can complete: the names that the database knows."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import click

from caphistory.errors import CaphistoryError
from caphistory.questions import names

Completion = Callable[[click.Context, click.Parameter, str], list[str]]


def _completing(known: Callable[[sqlite3.Connection], list[str]]) -> Completion:
    def complete(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
        from caphistory.questions.database import default_database, open_reader

        path: Path | None = getattr(context.obj, "db", None)
        try:
            with closing(open_reader(default_database(path))) as connection:
                begun = (_as_begun(name, incomplete) for name in known(connection))
                return [name for name in begun if name.lower().startswith(incomplete.lower())]
        except (CaphistoryError, sqlite3.Error):
            return []

    return complete


def _as_begun(name: str, incomplete: str) -> str:
    """``name`` without ``CAP_``, in small letters, or with ``v``, where ``incomplete`` begins so:
    shells keep what was typed."""
    if incomplete[:1] in ("v", "V") and name[:1].isdigit():
        return incomplete[0] + name
    if not name.startswith("CAP_") or "CAP_".startswith(incomplete[:4].upper()):
        return name
    plain = name.removeprefix("CAP_")
    return plain.lower() if incomplete.islower() else plain


complete_release = _completing(names.releases)
complete_syscall = _completing(names.syscalls)
complete_capability = _completing(names.capabilities)
complete_privilege = _completing(names.privileges)
complete_name = _completing(
    lambda connection: [*names.syscalls(connection), *names.capabilities(connection)]
)
complete_abi = _completing(names.abis)
