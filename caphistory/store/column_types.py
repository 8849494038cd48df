"""The types of the columns of views and answers, by their names: a name means the same everywhere.

SQLite gives an expression no type, and an answer without rows would have none at all; data frames,
Parquet files, data packages and JSON Schemas all take theirs from here.
"""

from __future__ import annotations

from caphistory.records import NESTED

BOOLEAN, DATE, INTEGER, JSON, NUMBER, RELEASE, TEXT = (
    "boolean",
    "date",
    "integer",
    "json",
    "number",
    "release",
    "text",
)

_NAMES = {
    BOOLEAN: "certain conditional failed feasible held neighbours open possible telling",
    DATE: "released",
    INTEGER: "calls declarations definitions denies depth effect_unknown first_ordinal from_ordinal"
    " functions last_ordinal lexical limits line line_after line_before log_line macros missing"
    " number ordinal parameter parse_errors pointer_calls pointer_calls_resolved pointer_hops"
    " shared shared_by sites step syscalls times to_ordinal unexplained unknown without_function",
    JSON: " ".join(NESTED),
    NUMBER: "likeness",
    RELEASE: "first_release from_release gap_after gap_before last_release release to_release",
}

_TYPES = {name: kind for kind, names in _NAMES.items() for name in names.split()}


def get_column_type(name: str) -> str:
    """Return the type of a column: BOOLEAN (0 or 1), DATE (ISO), INTEGER, JSON, NUMBER, RELEASE (a
    name, sorted by version) or TEXT. Any can be NULL."""
    return _TYPES.get(name, TEXT)
