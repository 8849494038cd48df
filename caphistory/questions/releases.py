"""Release names and their order, for the rooms that may not import ``history``."""

from __future__ import annotations

from caphistory.history.versions import is_known, parse, position

__all__ = ["is_known", "parse", "position"]
