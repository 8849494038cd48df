"""Tables that fit the terminal: what is shortened, and how."""

from __future__ import annotations

import pytest

from caphistory.cli.text import shorten, table


@pytest.mark.parametrize("width", [18, 26, 30])
def test_a_place_is_shortened_in_the_middle(width: int) -> None:
    told = shorten("security/integrity/ima/ima_main.c:120", width)
    assert len(told) <= width
    assert told.endswith("ima_main.c:120")
    assert told.startswith("security/…" if width > 25 else "…")


def test_names_are_shortened_at_the_end_and_chains_at_the_beginning() -> None:
    assert shorten("CAP_SYS_ADMIN", 9) == "CAP_SYS_…"
    assert shorten("sys_bind → inet_bind", 12) == "…→ inet_bind"
    assert shorten("fs/open.c:310", 13) == "fs/open.c:310"


HEADERS = ("syscall", "asks for", "where", "function")
ROW = ("ioctl", "CAP_SYS_ADMIN", "drivers/net/ethernet/intel/e1000/e1000_ethtool.c:1234", "e1000_x")


@pytest.mark.parametrize("width", [50, 60, 70, 80, 100])
def test_a_row_is_one_line(width: int) -> None:
    head, line = table(HEADERS, [ROW], width, ("where", "function"), ("function",))
    assert "\n" not in head + line
    assert max(len(head), len(line)) <= width
    assert "CAP_SYS_ADMIN" in line
    assert line.split()[2].endswith(":1234")
