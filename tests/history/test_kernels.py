"""Which release a tree is."""

from __future__ import annotations

import pytest

from caphistory.history.kernels import missing_parts, release_of_makefile, release_of_name


def makefile(version: str, patchlevel: str, *rest: str) -> str:
    names = ("SUBLEVEL", "EXTRAVERSION", "ALPHA")
    lines = [f"VERSION = {version}", f"PATCHLEVEL = {patchlevel}"]
    lines += [f"{name} ={value}" for name, value in zip(names, rest, strict=False)]
    return "\n".join([*lines, "", "all: Version zImage", ""])


@pytest.mark.parametrize(
    ("text", "release"),
    [
        (makefile("2", "2", "24", ""), "2.2.24"),
        (makefile("2", "4", "10", "-pre15"), "2.4.10-pre15"),
        (makefile("2", "6", "11", ".4"), "2.6.11.4"),
        (makefile("2", "6", "0", ""), "2.6.0"),
        (makefile("2", "4", "15", "-greased-turkey"), "2.4.15"),
        (makefile("2", "0", "0"), "2.0"),
        (makefile("1", "99", "4"), "pre2.0.4"),
        (makefile("6", "1", "0", ""), "6.1"),
        (makefile("6", "8", "0", "-rc3"), "6.8-rc3"),
        (makefile("6", "1", " 140 # comment", " -mine"), "6.1.140"),
        ("VERSION = 0.99\nPATCHLEVEL = 14\nALPHA = k\n", "0.99.14k"),
        ("VERSION = 1\nPATCHLEVEL = 0\nALPHA =\n", "1.0"),
        ("VERSION = pre-1\nPATCHLEVEL = 0\nALPHA =\n", "1.0pre"),
        ("all: Image\n", None),
        ("VERSION =\nPATCHLEVEL =\n", None),
        ("VERSION = $(shell date)\nPATCHLEVEL = 1\n", None),
        ("", None),
    ],
)
def test_release_of_makefile(text: str, release: str | None) -> None:
    assert release_of_makefile(text) == release


@pytest.mark.parametrize(
    ("name", "release"),
    [
        ("linux-0.01", "0.01"),
        ("linux-0.95c+", "0.95c+"),
        ("linux-source-6.1", "6.1"),
        ("0.12", "0.12"),
        ("linux", None),
        ("kernel-of-mine", None),
    ],
)
def test_release_of_name(name: str, release: str | None) -> None:
    assert release_of_name(name) == release


def test_missing_parts() -> None:
    files, folders = {"Makefile", "init/main.c"}, {"kernel", "fs", "mm"}
    assert missing_parts(files.__contains__, folders.__contains__) == []
    assert missing_parts({"Makefile"}.__contains__, {"fs"}.__contains__) == [
        "init/main.c",
        "kernel/",
    ]
