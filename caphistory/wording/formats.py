"""Write rows as JSON, JSON lines, CSV, TSV or Markdown, all with the columns of the contract."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Sequence

from caphistory.records import Row, decode_nested
from caphistory.wording.plain import clean

FORMATS = ("table", "json", "jsonl", "csv", "tsv", "markdown")


def render(rows: Sequence[Row], format: str) -> str:
    """Return ``rows``, all with the same columns, as text in ``format``: one of FORMATS except
    ``table``, which each command lays out itself."""
    return _WRITERS[format](rows)


def _json(rows: Sequence[Row]) -> str:
    return "[" + ",\n ".join(map(_json_line, rows)) + "]"


def _jsonl(rows: Sequence[Row]) -> str:
    return "\n".join(map(_json_line, rows))


def _json_line(row: Row) -> str:
    return json.dumps(decode_nested(row))


def _csv(rows: Sequence[Row]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows(_lines(rows, "\n"))
    return text.getvalue().removesuffix("\n")


def _tsv(rows: Sequence[Row]) -> str:
    return "\n".join("\t".join(line) for line in _lines(rows, r"\n"))


def _markdown(rows: Sequence[Row]) -> str:
    cells = ([_markdown_cell(cell) for cell in line] for line in _lines(rows, "\n"))
    head, *body = cells
    return "\n".join("| " + " | ".join(line) + " |" for line in (head, ["---"] * len(head), *body))


def _markdown_cell(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("|", "\\|").replace("`", "\\`")
    escaped = escaped.replace("<", "&lt;").replace("_", "\\_").replace("*", "\\*")
    return escaped.replace("[", "\\[").replace("\n", "<br>")


def _lines(rows: Sequence[Row], newline: str) -> Iterable[list[str]]:
    """Yield the column names, then the cells of each row, with ``newline`` between the lines of a
    cell and spaces in place of tabs."""
    if rows:
        yield list(rows[0])
    for row in rows:
        yield [newline.join(map(clean, _text(value).split("\n"))) for value in row.values()]


def _text(value: object) -> str:
    return "" if value is None else str(value).expandtabs()


_WRITERS: dict[str, Callable[[Sequence[Row]], str]] = {
    "json": _json,
    "jsonl": _jsonl,
    "csv": _csv,
    "tsv": _tsv,
    "markdown": _markdown,
}
