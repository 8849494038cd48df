"""The run that adds releases to a database: reading, linking, writing and comparing them."""

from __future__ import annotations

from caphistory.indexing.run import Summary, index

__all__ = ["Summary", "index"]
