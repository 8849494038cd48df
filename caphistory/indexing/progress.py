"""The protocol by which an index run reports its progress."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """What long work reports to whoever watches it."""

    def stage(self, name: str, total: int | None = None) -> None:
        """Begin the stage ``name`` of ``total`` units (None: unknown)."""

    def advance(self, n: int = 1) -> None:
        """Report that ``n`` more units of the stage are done."""

    def note(self, line: str) -> None:
        """Show ``line``, which stays visible."""

    def close(self) -> None:
        """End the last stage."""
