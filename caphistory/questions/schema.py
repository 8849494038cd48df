"""The descriptions of tables, views and columns, for the rooms that may not import ``store``."""

from __future__ import annotations

from caphistory.store.standing import TELLING_MEANS
from caphistory.store.tables import FATES, TABLES
from caphistory.store.views import VIEWS

__all__ = ["FATES", "TABLES", "TELLING_MEANS", "VIEWS"]
