"""The engine that reads kernel C and links it: a Rust crate, and how Python opens it.

Its typed surface is ``caphistory_engine.pyi``. Only ``caphistory index`` needs it.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from caphistory_engine import Engine

ABSENT = (
    "reading kernels needs the engine, which is not installed: install Rust"
    " (https://rustup.rs), then run pip install ./caphistory/engine in a clone of caphistory"
)
"""What to say where it is missing."""


def is_installed() -> bool:
    """Whether the engine can be opened."""
    return find_spec("caphistory_engine") is not None


def open_engine(threads: int) -> Engine:
    """The engine with so many threads of its own; ImportError where it is not installed."""
    from caphistory_engine import Engine

    return Engine(threads)
