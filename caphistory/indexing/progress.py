"""How an index run reports how far it is, to whoever shows it."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """What long work reports to whoever watches it."""

    def stage(self, name: str, total: int | None = None) -> None:
        """Begin the stage ``name`` of ``total`` units (None: not known)."""

    def advance(self, n: int = 1) -> None:
        """Say that ``n`` more units of the stage are done."""

    def note(self, line: str) -> None:
        """Tell ``line``, which stays to be read."""

    def close(self) -> None:
        """End the last stage."""
