"""Complete names in the shell from those in the database."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import click

from caphistory.errors import CaphistoryError
from caphistory.questions import names

Completion = Callable[[click.Context, click.Parameter, str], list[str]]


def _make_completion(list_names: Callable[[sqlite3.Connection], list[str]]) -> Completion:
    """Return a completion of the names that ``list_names`` reads; it offers none on any error."""

    def complete(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
        from caphistory.questions.database import default_database, open_reader

        path: Path | None = getattr(context.obj, "db", None)
        try:
            with closing(open_reader(default_database(path))) as connection:
                names = (_match_style(name, incomplete) for name in list_names(connection))
                return [name for name in names if name.lower().startswith(incomplete.lower())]
        except (CaphistoryError, sqlite3.Error):
            return []

    return complete


def _match_style(name: str, incomplete: str) -> str:
    """Return ``name`` without ``CAP_``, in lower case, or with ``v``, if ``incomplete`` is written
    so: a shell only offers names that begin with what was typed."""
    if incomplete[:1] in ("v", "V") and name[:1].isdigit():
        return incomplete[0] + name
    if not name.startswith("CAP_") or "CAP_".startswith(incomplete[:4].upper()):
        return name
    plain = name.removeprefix("CAP_")
    return plain.lower() if incomplete.islower() else plain


complete_release = _make_completion(names.list_releases)
complete_syscall = _make_completion(names.list_syscalls)
complete_capability = _make_completion(names.list_capabilities)
complete_privilege = _make_completion(names.list_privileges)
complete_name = _make_completion(
    lambda connection: [*names.list_syscalls(connection), *names.list_capabilities(connection)]
)
complete_operation = _make_completion(names.list_operations)
complete_abi = _make_completion(names.list_abis)
