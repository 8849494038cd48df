"""Give Datasette's own pages the head, the landmarks and the names of fields of our pages."""

from __future__ import annotations

import re

from markupsafe import Markup

_FIELDS = (
    (r'<select name="(_filter_column(?:_\d+)?)"', r'<select aria-label="Column" name="\1"'),
    (r'<select name="(_filter_op(?:_\d+)?)"', r'<select aria-label="Condition" name="\1"'),
    (r'<input type="text" name="(_filter_value(?:_\d+)?)"',
     r'<input type="text" aria-label="Value" name="\1"'),
    (r'<select name="_sort"', '<select aria-label="Sort by" name="_sort"'),
    (r'<textarea id="sql-editor"', '<textarea id="sql-editor" aria-label="SQL"'),
)  # fmt: skip
"""Fields that Datasette leaves without a name, and how they are called."""

_PLAIN = "pre|textarea|script|style"
_UNTOUCHED = re.compile(rf"(<(?:{_PLAIN})\b.*?</(?:{_PLAIN})>|<[^>]*>)", re.DOTALL)


def make_accessible(html: str) -> Markup:
    """Return the content of one of Datasette's pages with names for its fields, with headings that
    skip no level, with tables that can be scrolled by the keyboard, without inline colours."""
    html = str(html)
    for pattern, named in _FIELDS:
        html = re.sub(pattern, named, html)
    html = re.sub(r"<(/?)h3\b", r"<\1h2", html)
    html = re.sub(r"Custom SQL query returning (more than )?", r"\1", html)
    html = html.replace(
        '<div class="table-wrapper">',
        '<div class="table-wrapper" role="region" aria-label="Rows" tabindex="0">',
    )
    html = re.sub(r"<pre\b", '<pre tabindex="0"', html)
    html = re.sub(r'(class="cross")>&#x2716;', r'\1 aria-label="Remove">&#x2716;', html)
    html = re.sub(
        r'(<dl class="column-descriptions">.*?</dl>)',
        r"<details><summary>What the columns hold</summary>\1</details>",
        html,
        flags=re.DOTALL,
    )
    html = re.sub(r'(<(?:h1|div class="page-header")) style="[^"]*"', r"\1", html)
    html = re.sub(r'<div style="padding: 1em;[^"]*"', '<div class="note"', html)
    return Markup(mark_code(html))


def mark_code(html: str) -> str:
    """Return HTML in which what is written between two backquotes is code, outside of tags and of
    what is preformatted."""
    parts = _UNTOUCHED.split(html)
    return "".join(
        part if at % 2 else re.sub(r"`([^`\n]+)`", r"<code>\1</code>", part)
        for at, part in enumerate(parts)
    )
