"""The manual of Debian as it is installed: that the reader understands the real pages.

What is asserted are facts that every edition since 2004 tells; the texts are not kept here.
"""

from __future__ import annotations

import pytest

from caphistory.documented.documents import Documents
from caphistory.documented.manual import DEFAULT_FOLDERS, read_manual
from caphistory.documented.reading import read_documents

PAGES = [
    file for folder in DEFAULT_FOLDERS for file in folder.glob("man[27]/*.[27]*") if file.is_file()
]
pytestmark = pytest.mark.skipif(
    not any(file.name.startswith("capabilities.7") for file in PAGES)
    or not any(file.name.startswith("chroot.2") for file in PAGES),
    reason="the manual is not installed (Debian: apt install manpages manpages-dev)",
)


@pytest.fixture(scope="module")
def documents() -> Documents:
    return read_documents(DEFAULT_FOLDERS)


@pytest.fixture(scope="module")
def named(documents: Documents) -> set[tuple[str, str, str]]:
    """Document, syscall and capability of what is named."""
    return {
        (claim.place.document, syscall, claim.capability)
        for claim in documents.claims
        for syscall in claim.named
    }


def test_the_edition_is_told(documents: Documents) -> None:
    assert documents.source.startswith("Linux")


@pytest.mark.parametrize(
    ("syscall", "capability"),
    [
        ("chroot", "CAP_SYS_CHROOT"),
        ("mount", "CAP_SYS_ADMIN"),
        ("mlock", "CAP_IPC_LOCK"),
        ("setuid", "CAP_SETUID"),
        ("stime", "CAP_SYS_TIME"),
        ("sched_setscheduler", "CAP_SYS_NICE"),
        ("iopl", "CAP_SYS_RAWIO"),
        ("vhangup", "CAP_SYS_TTY_CONFIG"),
        ("delete_module", "CAP_SYS_MODULE"),
    ],
)
def test_the_overview_names_syscalls(
    named: set[tuple[str, str, str]], syscall: str, capability: str
) -> None:
    assert ("capabilities(7)", syscall, capability) in named


@pytest.mark.parametrize(
    ("document", "syscall", "capability"),
    [
        ("chroot(2)", "chroot", "CAP_SYS_CHROOT"),
        ("chown(2)", "fchown", "CAP_CHOWN"),
        ("setgid(2)", "setgid", "CAP_SETGID"),
        ("reboot(2)", "reboot", "CAP_SYS_BOOT"),
        ("ioctl_tty(2)", "ioctl", "CAP_SYS_ADMIN"),
    ],
)
def test_pages_of_section_2_are_read(
    documents: Documents, document: str, syscall: str, capability: str
) -> None:
    assert any(
        claim.place.document == document
        and claim.capability == capability
        and syscall in claim.named | claim.covered
        for claim in documents.claims
    )


def test_a_capability_of_later_date_has_its_release(documents: Documents) -> None:
    since = {
        claim.since
        for claim in documents.claims
        if claim.place.document == "capabilities(7)"
        and claim.capability == "CAP_SYSLOG"
        and claim.named
    }
    assert since == {"2.6.37"}


def test_most_capabilities_are_told_of(documents: Documents) -> None:
    assert len({claim.capability for claim in documents.claims}) >= 38


def test_every_page_is_about_something() -> None:
    manual = read_manual(DEFAULT_FOLDERS)
    assert [page.title for page in manual.pages if not page.names or not page.passages] == []
