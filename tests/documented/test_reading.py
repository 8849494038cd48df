"""The manual: finding its pages, what each is about, and what it claims of whom."""

from __future__ import annotations

import bz2
import gzip
import lzma
from collections.abc import Callable
from pathlib import Path

import pytest

from caphistory.documented.documents import Claim
from caphistory.documented.manual import list_manual_folders, read_manual
from caphistory.documented.reading import read_documents
from caphistory.errors import CaphistoryError, NothingFound

HEAD = ".TH x 2 2026-01-01 here\n.SH NAME\n{names} \\- what it does\n.SH SYNOPSIS\n.nf\n"
SYNOPSIS = '.BI "int {name}(int " a );\n'


def page(*names: str, text: str, listed: str | None = None) -> str:
    """A page that declares ``names``, with ``text`` after its SYNOPSIS."""
    declared = "".join(SYNOPSIS.format(name=name) for name in names)
    return HEAD.format(names=listed or ", ".join(names)) + declared + ".fi\n" + text


def claims(folder: Path, **pages: str) -> list[Claim]:
    """What pages of section 2 claim; ``overview`` is capabilities(7)."""
    for name, text in pages.items():
        section = "7" if name == "overview" else "2"
        file = folder / f"man{section}" / f"{name.replace('overview', 'capabilities')}.{section}"
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
    return [claim for claim in read_documents([folder]).claims if claim.named or claim.covered]


def said(found: list[Claim]) -> list[tuple[str, list[str], list[str]]]:
    """Of whom each claim is."""
    return [(one.capability, sorted(one.named), sorted(one.covered)) for one in found]


def test_a_claim_has_its_section_error_and_line(tmp_path: Path) -> None:
    text = ".SH DESCRIPTION\nNeeds\n.BR CAP_CHOWN .\n.SH ERRORS\n.TP\n.B EPERM\nNo CAP_CHOWN.\n"
    first, second = claims(tmp_path, chown=page("chown", text=text))
    assert first.place == ("chown(2)", "DESCRIPTION", str(tmp_path / "man2/chown.2"), 10, ())
    assert (second.place.part, second.place.line) == ("ERRORS EPERM", 14)


def test_a_claim_has_the_constants_of_its_passage(tmp_path: Path) -> None:
    text = ".SH ERRORS\n.TP\n.B EPERM\nFor PR_SET_A or PR_SET_B one needs CAP_CHOWN (EPERM).\n"
    (claim,) = claims(tmp_path, prctl=page("prctl", text=text))
    assert claim.place.constants == ("PR_SET_A", "PR_SET_B")


def test_what_a_passage_names_is_meant_else_the_whole_page(tmp_path: Path) -> None:
    text = """\
.SH DESCRIPTION
Both need CAP_A.
.PP
.BR lock ()
needs CAP_B.
.SS unlock()
Here CAP_C.
.SH ERRORS
.TP
.BR EPERM " (" lock "())"
CAP_D.
.PP
CAP_E for lock(), or CAP_F for unlock().
"""
    assert said(claims(tmp_path, lock=page("lock", "unlock", text=text))) == [
        ("CAP_A", [], ["lock", "unlock"]),
        ("CAP_B", ["lock"], ["unlock"]),
        ("CAP_C", ["unlock"], ["lock"]),
        ("CAP_D", ["lock"], ["unlock"]),
        ("CAP_E", [], ["lock", "unlock"]),
        ("CAP_F", [], ["lock", "unlock"]),
    ]


@pytest.mark.parametrize("section", ["SYNOPSIS", "EXAMPLES", "SEE ALSO", "NAME"])
def test_examples_and_references_claim_nothing(tmp_path: Path, section: str) -> None:
    assert claims(tmp_path, f=page("f", text=f".SH {section}\nCAP_A\n")) == []


def test_code_claims_nothing(tmp_path: Path) -> None:
    text = ".SH DESCRIPTION\nAs in\n.EX\nset(CAP_A);\n.EE\n"
    assert claims(tmp_path, f=page("f", text=text)) == []


@pytest.mark.parametrize(
    ("text", "since", "before"),
    [
        ('.TP\n.BR FLAG " (since Linux 3.5)"\nNeeds CAP_A.\n', "3.5", None),
        ("Since Linux 2.6.25, CAP_A is needed.\n", "2.6.25", None),
        ("Nothing.\nBefore Linux 2.4,\nCAP_A was needed.\n", None, "2.4"),
        ("CAP_A is needed (but not since Linux 3.8).\n", None, None),
        ("Since Linux 5.8, CAP_B is enough instead of CAP_A.\n", None, None),
        ("Since Linux 3.3, this is another matter.\nCAP_A is needed.\n", None, None),
    ],
)
def test_a_claim_is_limited_to_releases_only_beyond_doubt(
    tmp_path: Path, text: str, since: str | None, before: str | None
) -> None:
    found = claims(tmp_path, f=page("f", text=f".SH DESCRIPTION\n{text}"))
    limits = {(one.since, one.before) for one in found if one.capability == "CAP_A"}
    assert limits == {(since, before)}


OVERVIEW = """\
.TH Capabilities 7 2026-01-01 "Pages 6.99"
.SH DESCRIPTION
.SS Capabilities list
.TP
.BR CAP_A " (since Linux 2.4)"
.RS
.IP \\[bu] 3
Use
.BR f (2)
and
.BR never_heard_of (2),
which is not
.BR f (3);
.IP \\[bu]
do things of
.BR ops (2)
and
.BR CONSTANT (2const).
.RE
.TP
.B CAP_B
Be anybody.
.SS Afterwards
About
.BR f (2)
and CAP_B.
"""


def test_the_overview_names_syscalls_below_each_capability(tmp_path: Path) -> None:
    found = claims(
        tmp_path,
        overview=OVERVIEW,
        f=page("f", "f_at", text=""),
        ops=page("first", "second", text=""),
    )
    assert said(found) == [
        ("CAP_A", ["f"], ["f_at"]),
        ("CAP_A", ["never_heard_of"], []),
        ("CAP_A", [], ["first", "ops", "second"]),
        ("CAP_A", ["CONSTANT"], []),
    ]
    assert {one.since for one in found} == {"2.4"}


def test_the_overview_tells_in_general_of_every_capability(tmp_path: Path) -> None:
    claims(tmp_path, overview=OVERVIEW)
    documents = read_documents([tmp_path])
    general = [one for one in documents.claims if not one.named | one.covered]
    assert [(one.capability, one.place.line) for one in general] == [("CAP_A", 8), ("CAP_B", 22)]
    assert documents.source == "Pages 6.99"


def test_a_page_is_about_what_it_declares_and_calls_by_number(tmp_path: Path) -> None:
    text = ".SH DESCRIPTION\nCAP_A\n"
    found = claims(
        tmp_path,
        ioctl_thing=page("ioctl", text=text, listed="ioctl_thing"),
        keys=page("syscall", text=text, listed="keys").replace("syscall(int", "syscall(SYS_keys"),
        ioctl_flags=f".SH NAME\nioctl_flags \\- ioctl() operations\n{text}",
    )
    assert said(found) == [
        ("CAP_A", [], ["ioctl", "ioctl_flags"]),
        ("CAP_A", [], ["ioctl", "ioctl_thing"]),
        ("CAP_A", [], ["keys", "syscall"]),
    ]


def test_what_a_synopsis_says_of_feature_test_macros_is_no_function(tmp_path: Path) -> None:
    text = (
        "Feature Test Macro Requirements for glibc (see\n.BR feature_test_macros (7)):\n"
        "#define _X(a) f()\n.SH DESCRIPTION\nCAP_A\n"
    )
    assert said(claims(tmp_path, f=page("f", text=text))) == [("CAP_A", [], ["f"])]


def test_names_that_stand_for_a_page_belong_to_it(tmp_path: Path) -> None:
    text = ".SH DESCRIPTION\nCAP_A\n"
    folder = tmp_path / "man2"
    folder.mkdir()
    (folder / "f32.2").symlink_to("f.2")
    (folder / "g.2").write_text('.\\" Another.\n.so man2/f32.2\n')
    (folder / "loop.2").write_text(".so man2/pool.2\n")
    (folder / "pool.2").write_text(".so man2/loop.2\n")
    assert said(claims(tmp_path, f=page("f", text=text))) == [("CAP_A", [], ["f", "f32", "g"])]


@pytest.mark.parametrize(
    ("suffix", "pack"),
    [(".gz", gzip.compress), (".xz", lzma.compress), (".bz2", bz2.compress), ("", bytes)],
)
def test_pages_may_be_packed(tmp_path: Path, suffix: str, pack: Callable[[bytes], bytes]) -> None:
    text = page("f", text=".SH NOTES\nIt ißt CAP_A\n")
    (tmp_path / "man2").mkdir()
    (tmp_path / f"man2/f.2{suffix}").write_bytes(pack(text.encode("latin-1")))
    (tmp_path / "man2/README").write_text("CAP_B")
    assert said(list(read_documents([tmp_path]).claims)) == [("CAP_A", [], ["f"])]


@pytest.mark.parametrize("suffix", [".gz", ".xz", ".bz2"])
def test_a_broken_page_is_named(tmp_path: Path, suffix: str) -> None:
    (tmp_path / "man2").mkdir()
    (tmp_path / f"man2/f.2{suffix}").write_bytes(b"no archive")
    with pytest.raises(CaphistoryError, match=rf"cannot read .*f\.2{suffix}: "):
        read_documents([tmp_path])


def test_an_earlier_folder_hides_a_page_of_a_later_one(tmp_path: Path) -> None:
    for name, capability in (("one", "CAP_A"), ("two", "CAP_B")):
        (tmp_path / name / "man2").mkdir(parents=True)
        text = page("f", text=f".SH DESCRIPTION\n{capability}\n")
        (tmp_path / name / "man2/f.2").write_text(text)
    found = read_documents([tmp_path / "one", tmp_path / "two"]).claims
    assert [one.capability for one in found] == ["CAP_A"]


def test_the_man_path_is_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MANPATH", "/one:")
    first, *usual = list_manual_folders(None)
    assert first == Path("/one")
    assert Path("/usr/share/man") in usual
    monkeypatch.delenv("MANPATH")
    assert list_manual_folders(None) == usual
    assert list_manual_folders(Path("/given")) == [Path("/given"), Path("/given/man")]


def test_a_clone_of_the_manual_may_be_named(tmp_path: Path) -> None:
    (tmp_path / "man/man2").mkdir(parents=True)
    (tmp_path / "man/man2/f.2").write_text(page("f", text=".SH NOTES\nCAP_A\n"))
    assert len(read_documents(list_manual_folders(tmp_path)).claims) == 1


def test_without_a_manual_it_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(NothingFound, match=r"no manual page .* --manual$"):
        read_manual([tmp_path, tmp_path / "nowhere"])


@pytest.mark.parametrize(
    ("heading", "edition"),
    [
        ('.TH f 2 2026-01-01 "Linux man-pages 6.99"', "Linux man-pages 6.99"),
        ('.TH F 2 2021\\-08\\-27 "Linux" "The Manual"', "Linux 2021-08-27"),
        (".TH f 2", "manual"),
        (".SH NAME", "manual"),
    ],
)
def test_the_edition_is_what_the_pages_say(tmp_path: Path, heading: str, edition: str) -> None:
    (tmp_path / "man2").mkdir()
    (tmp_path / "man2/f.2").write_text(f"{heading}\n.SH NOTES\nCAP_A\n")
    assert read_documents([tmp_path]).source == edition
