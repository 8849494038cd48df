"""What the tables, the views and their columns mean."""

from __future__ import annotations

from caphistory.store.schema import FATES, TABLES, TELLING_MEANS, VIEWS

__all__ = ["FATES", "TABLES", "TELLING_MEANS", "VIEWS"]
