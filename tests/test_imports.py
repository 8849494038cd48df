"""Which room of the package may import which: the rooms from the ground up, and the faces apart."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import caphistory

PACKAGE = Path(caphistory.__file__).parent

GROUND = {"errors", "records", "paths", "definitions", "citing"}
FACE = {"questions", "wording", "documented", *GROUND}
BELOW_THE_RUN = {"history", "engine", "successions", "store", *GROUND}

# A room is a module or a folder of the package. Every room may import itself, and the package for
# its version.
MAY_IMPORT: dict[str, set[str]] = {
    "errors": set(),
    "records": set(),
    "citing": set(),
    "paths": {"errors"},
    "definitions": set(),
    "history": GROUND,
    "engine": set(),
    "successions": GROUND,
    "store": GROUND,
    "indexing": BELOW_THE_RUN,
    # Releases that are not stored as neighbours are compared when they are asked about.
    "questions": {"store", "history", "successions", *GROUND},
    "documented": {"questions", *GROUND},
    "wording": GROUND,
    "cli": FACE,
    "explorer": FACE,
    "notebook": FACE,
    "__main__": {"cli"},
    # ``caphistory.open`` is that of the notebook.
    "__init__": {"notebook", *GROUND},
}

# What single modules may import besides.
BESIDES: dict[str, set[str]] = {
    "cli.commands.index": {"indexing"},
    "cli.commands.serve": {"explorer"},
}


def module_of(file: Path) -> str:
    """The name of the module in ``file``, without that of the package."""
    parts = file.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if len(parts) > 1 and parts[-1] == "__init__" else parts)


def imported_rooms(source: str) -> Iterator[str]:
    """The rooms that a module imports: at its top, inside functions, or by ``import_module``."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                raise ValueError("an import is to name the package")
            module = node.module or ""
            names = [f"{module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Call) and node.args:
            called = node.func
            name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
            argument = node.args[0]
            if name not in ("import_module", "__import__"):
                continue
            names = [str(argument.value)] if isinstance(argument, ast.Constant) else []
        else:
            continue
        for name in names:
            package, _, rest = name.partition(".")
            if package == "caphistory" and rest and rest != "__version__":
                yield rest.partition(".")[0]


def forbidden(module: str, source: str) -> set[str]:
    """The rooms that ``module`` imports and may not."""
    room = module.partition(".")[0]
    allowed = {room, *MAY_IMPORT[room], *BESIDES.get(module, ())}
    return set(imported_rooms(source)) - allowed


MODULES = {module_of(file): file for file in sorted(PACKAGE.rglob("*.py"))}


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_only_what_its_room_may(module: str) -> None:
    """A room that is not in the table is a KeyError: it needs a place first."""
    assert forbidden(module, MODULES[module].read_text("utf-8")) == set()


@pytest.mark.parametrize(
    ("module", "line", "room"),
    [
        ("store.writer", "from caphistory.history.model import Source", "history"),
        ("history.dates", "from caphistory import store", "store"),
        ("wording.kinds", "import caphistory.questions.names", "questions"),
        ("explorer.chart", "from caphistory.cli.text import table", "cli"),
        ("cli.commands.which", "def f():\n    from caphistory.explorer import routes", "explorer"),
        ("cli.commands.serve", "from caphistory.indexing import index", "indexing"),
        ("notebook.plots", "import_module('caphistory.explorer.chart')", "explorer"),
        ("indexing.run", "from caphistory.questions.queries import ask", "questions"),
        ("questions.names", "from caphistory.indexing.linker import Work", "indexing"),
        ("cli.session", "from caphistory.store import open_reader", "store"),
    ],
)
def test_a_forbidden_import_is_seen(module: str, line: str, room: str) -> None:
    assert forbidden(module, line) == {room}


def test_the_exceptions_are_those_of_modules_that_are_there() -> None:
    assert BESIDES.keys() <= MODULES.keys()


@pytest.mark.parametrize("module", BESIDES)
def test_an_exception_that_is_no_longer_needed_goes(module: str) -> None:
    used = set(imported_rooms(MODULES[module].read_text("utf-8")))
    assert used & BESIDES[module]
