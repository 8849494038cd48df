"""How many of the checks that the caller selects by name have their operation.

``python -m tests.truth.selected RELEASE TREE [--db PATH]`` prints it for the requirements of a
release whose standing is own; TREE is a folder with the release's source. A check is selected in
one of three ways: it, or a call on its chain, stands under a ``case`` with a name, or under a
comparison with a named constant, of a parameter itself; or the chain goes on by way of a table of
functions that is registered under a name (``REGISTERED``).
"""

from __future__ import annotations

import argparse
import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from caphistory.store import open_reader
from tests.engine.adapters import facts
from tests.engine.facts import Call, Expr, File, UidTest
from tests.truth.measure import Share, shipped

KINDS = ("case", "comparison", "handler")
REGISTERED = (
    *("pid_entry", "ctl_table", "proc_dir_entry", "proc_ops", "miscdevice", "cftype"),
    *("device_attribute", "kobj_attribute", "driver_attribute", "bus_attribute"),
    *("class_attribute", "module_attribute", "bin_attribute", "sysdev_attribute"),
    *("rtnl_link", "rtnetlink_link", "xfrm_link", "nfnl_callback", "genl_ops", "drm_ioctl_desc"),
    *("xattr_handler", "net_proto_family", "proto_ops"),
)
"""The tags of structs whose functions are always called for a name that the user gives; a table of
a file's operations is no such, as those of file systems have none."""


class Step(NamedTuple):
    """A line of a chain, with the pointer by which its function was called."""

    path: str
    line: int
    via: str


class Told(NamedTuple):
    """A requirement: its operation, and the lines that lead to the check, and its own."""

    operation: str
    steps: tuple[Step, ...]


def requirements(db: sqlite3.Connection, release: str) -> Iterator[Told]:
    """The requirements of a release whose standing is own."""
    query = """SELECT operation, path, line, chain FROM requirements JOIN usual_abis
            USING (release, abi)
        WHERE release = ? AND standing = 'own'"""
    for operation, path, line, chain in db.execute(query, (release,)):
        yield Told(operation or "", tuple(_steps(json.loads(chain), path, line)))


def _steps(chain: Iterable[dict[str, Any]], path: str, line: int) -> Iterator[Step]:
    for step in chain:
        yield Step(step["path"], step["line"], step["via"] or "")
    yield Step(path, line, "")


class Source:
    """What selects the code in the lines of a tree."""

    def __init__(self, tree: Path) -> None:
        self.tree = tree
        self.known: dict[str, dict[int, set[str]]] = {}

    def kinds(self, step: Step) -> set[str]:
        """How a line of a file is selected."""
        if step.path not in self.known:
            path = self.tree / step.path
            read = path.is_file() and path.suffix in (".c", ".h")
            self.known[step.path] = selected_lines(facts(path.read_bytes())) if read else {}
        return self.known[step.path].get(step.line, set())


def selected_lines(file: File) -> dict[int, set[str]]:
    """How the lines of a file with calls or tests are selected, those that are not left out."""
    found: dict[int, set[str]] = {}
    for item in file.items:
        for function in item.functions:
            parameters = {f"${one.name}" for one in function.parameters}
            asked: list[Call | UidTest] = [*function.calls, *function.uid_tests]
            for one in asked:
                kinds = set(_kinds(one, parameters))
                # Of two calls in one line, both are selected.
                line = item.line + one.line
                found[line] = found[line] & kinds if line in found else kinds
    return {line: kinds for line, kinds in found.items() if kinds}


def _kinds(one: Call | UidTest, parameters: set[str]) -> Iterator[str]:
    for guard in one.guards:
        head, *operands = guard if isinstance(guard, tuple) else (guard,)
        subject = _subject(operands[0], parameters) if operands else False
        if head == "case" and subject and all(map(_is_name, operands[1][1:])):
            yield "case"
        compared = [_subject(side, parameters) for side in operands]
        if head == "==" and any(compared) and any(map(_is_name, operands)):
            yield "comparison"


def _subject(expr: Expr, parameters: set[str]) -> bool:
    """Whether an expression is a parameter, or a part of one."""
    if isinstance(expr, tuple):
        return expr[0] in ("part", "unless", "&") and _subject(expr[1], parameters)
    return expr in parameters


def _is_name(expr: Expr) -> bool:
    return isinstance(expr, str) and expr.startswith(":") and expr.isupper()


def count(told: Iterable[Told], source: Source) -> dict[str, Share]:
    """Of the requirements that are selected in each way, and in any, those with an operation."""
    selected: Counter[str] = Counter()
    named: Counter[str] = Counter()
    for one in told:
        kinds = {kind for step in one.steps for kind in source.kinds(step)}
        if any(step.via.split(".")[0] in REGISTERED for step in one.steps):
            kinds.add("handler")
        for kind in (*kinds, *(["any"] if kinds else [])):
            selected[kind] += 1
            named[kind] += bool(one.operation)
    return {kind: Share(named[kind], selected[kind]) for kind in (*KINDS, "any")}


def table(release: str, counts: dict[str, Share]) -> str:
    """The figures as a Markdown table."""
    rows = [f"| {release} | {kind} | {share} |" for kind, share in counts.items()]
    return "\n".join(["| release | selected by | with an operation |", "|---|---|--:|", *rows])


def main() -> None:
    """Print the table of a release."""
    parser = argparse.ArgumentParser(prog="python -m tests.truth.selected", description=__doc__)
    parser.add_argument("release")
    parser.add_argument("tree", type=Path, help="a folder with the release's source")
    parser.add_argument("--db", help="the database to measure (default: the shipped facts)")
    arguments = parser.parse_args()
    with closing(open_reader(arguments.db or shipped())) as db:
        counts = count(requirements(db, arguments.release), Source(arguments.tree))
    print(table(arguments.release, counts))


if __name__ == "__main__":
    main()
