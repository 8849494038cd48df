"""The descriptions of tables, views and columns, for the rooms that may not import ``store``."""

from __future__ import annotations

from caphistory.store.column_types import get_column_type
from caphistory.store.datapackage import describe_rows
from caphistory.store.standing import MEANS
from caphistory.store.tables import FATES, TABLES
from caphistory.store.views import VIEWS

STANDING_MEANS = MEANS

__all__ = ["FATES", "STANDING_MEANS", "TABLES", "VIEWS", "describe_rows", "get_column_type"]
