"""What a syscall asks for: by operation, with what happens without it, whose it is and what does as
well."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from caphistory.errors import UsageError
from caphistory.questions.names import list_operations, resolve_operation
from caphistory.questions.queries import ask
from caphistory.questions.requirements import list_requirements, may_be_replaced
from caphistory.records import CapabilityDefinition, LinkedRelease
from caphistory.store import open_reader
from tests.faces.conftest import Run
from tests.factories import build, check, linked, site, step, syscall

PATHS = ("access", "chdir", "open", "rename", "unlink")
"""What comes through path lookup, and with SHARING others besides."""
SHARING = 25
NAMES = ("CAP_DAC_OVERRIDE", "CAP_NET_ADMIN", "CAP_SYS_ADMIN", "CAP_BPF", "CAP_SYS_RESOURCE")

Says = Callable[..., list[str]]


def kernel(name: str, interface: str = "CAP_NET_ADMIN") -> LinkedRelease:
    """A release whose interfaces are set with ``interface``."""
    root = interface == "suser"
    lookup = site("fs/namei.c", 400, "permission", capability="CAP_DAC_OVERRIDE", errno="EACCES")
    address = site(
        "net/ipv4/devinet.c", 60, "devinet_ioctl", interface if root else "capable",
        None if root else interface,
    )  # fmt: skip
    program = site("kernel/bpf.c", 9, "bpf_load", "ns_capable", "CAP_BPF")
    memory = site("mm/mlock.c", 30, "sys_mlock", capability="CAP_SYS_RESOURCE", effect="limit")
    quota = site("fs/quota.c", 8, "sys_quotactl", capability="CAP_SYS_RESOURCE")
    return linked(
        name,
        checks=[
            *(
                check(path, lookup, step(f"sys_{path}", "fs/open.c", at), shared_by=SHARING)
                for at, path in enumerate(PATHS, 1)
            ),
            *(
                check(
                    "ioctl",
                    address,
                    step("sys_ioctl", "fs/ioctl.c", 5, "proto_ops.ioctl"),
                    operation=operation,
                )
                for operation in ("SIOCSIFADDR", "SIOCSIFFLAGS", "SIOCSIFMTU")
            ),
            check(
                "bpf",
                program,
                step("sys_bpf", "kernel/bpf.c", 70),
                instead=("CAP_SYS_ADMIN",),
                namespace="owner",
                operation="BPF_PROG_LOAD",
            ),
            check("mlock", memory, effect="limit", errno="ENOMEM", namespace="init"),
            check("quotactl", quota, effect="limit", subject="other"),
        ],
        syscalls=[
            syscall(name, number)
            for number, name in enumerate((*PATHS, "ioctl", "bpf", "mlock", "quotactl", "getpid"))
        ],
        definitions=[
            CapabilityDefinition(name, number, "capability.h", number, "")
            for number, name in enumerate(NAMES)
        ],
    )


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(
        tmp_path_factory.mktemp("requirements") / "a.db",
        kernel("2.1.91", "suser"),
        kernel("2.1.92"),
        kernel("2.2.0"),
    )


@pytest.fixture
def connection(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(open_reader(path)) as connection:
        yield connection


@pytest.fixture
def says(path: Path, caphistory: Run, monkeypatch: pytest.MonkeyPatch) -> Says:
    """The lines of an answer on a terminal of 80 columns."""
    monkeypatch.setenv("COLUMNS", "80")

    def ask_it(*question: str) -> list[str]:
        said = caphistory("--db", str(path), "--format", "table", *question)
        assert said.exit_code == 0, said.err
        assert all(len(line) <= 80 for line in said.lines), said.out
        return said.lines

    return ask_it


def test_which_lists_the_operations_of_each_syscall(says: Says) -> None:
    assert says("which", "net_admin")[:5] == [
        "CAP_NET_ADMIN in 2.2.0: 1 syscall",
        "syscall  operation     else   sites  reach    where",
        "ioctl    SIOCSIFADDR   EPERM  1      pointer  net/ipv4/devinet.c:60",
        "ioctl    SIOCSIFFLAGS  EPERM  1      pointer  net/ipv4/devinet.c:60",
        "ioctl    SIOCSIFMTU    EPERM  1      pointer  net/ipv4/devinet.c:60",
    ]


def test_operations_that_have_no_room_are_counted(says: Says) -> None:
    lines = says("which", "bpf", "sys_resource", "net_admin", "dac_override", "--rows", "1")
    assert any(line.startswith("ioctl    SIOCSIFADDR +2 ") for line in lines)


def test_what_many_share_is_told_in_one_line(says: Says) -> None:
    lines = says("which", "dac_override")
    assert lines[:2] == [
        "CAP_DAC_OVERRIDE in 2.2.0: 5 syscalls, in code that many share",
        "access, chdir, open, rename, unlink, through permission: EACCES",
    ]


def test_a_long_list_of_syscalls_is_cut_to_a_line_or_shown_whole(
    caphistory: Run, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    asked = ("--db", str(path), "which", "dac_override", "--format", "table")
    assert caphistory(*asked).lines[1] == (
        "access, chdir, open … and 2 more, through permission: EACCES"
    )
    assert caphistory(*asked, "--rows", "all").lines[1:3] == [
        "access, chdir, open, rename, unlink, through permission:",
        "  EACCES",
    ]


def test_which_narrows_to_operations(says: Says) -> None:
    lines = says("which", "net_admin", "--operation", "siocsif[am]*")
    assert [line.split()[1] for line in lines[2:4]] == ["SIOCSIFADDR", "SIOCSIFMTU"]


def test_syscall_is_a_table_by_operation(says: Says) -> None:
    assert says("syscall", "ioctl", "--release", "2.2.0")[:3] == [
        "ioctl in 2.2.0: 3 requirements",
        "operation     asks for       else   reach    where",
        "SIOCSIFADDR   CAP_NET_ADMIN  EPERM  pointer  net/ipv4/devinet.c:60",
    ]


def test_since_which_release_an_operation_asks_for_a_capability_and_what_before(
    says: Says, connection: sqlite3.Connection
) -> None:
    lines = says("syscall", "ioctl", "--operation", "SIOCSIFADDR")
    assert lines[1:4] == [
        "operation    asks for       releases  else   where",
        "SIOCSIFADDR  suser          2.1.91    EPERM  net/ipv4/devinet.c:60",
        "SIOCSIFADDR  CAP_NET_ADMIN  2.1.92 –  EPERM  net/ipv4/devinet.c:60",
    ]
    told = ("syscall", "operation", "privilege", "first_release", "last_release", "open")
    rows = ask(connection, "operation_history", operation="siocsifaddr")
    assert [tuple(row[name] for name in told) for row in rows] == [
        ("ioctl", "SIOCSIFADDR", "suser", "2.1.91", "2.1.91", 0),
        ("ioctl", "SIOCSIFADDR", "CAP_NET_ADMIN", "2.1.92", "2.2.0", 1),
    ]
    assert says("which", "net_admin", "--all-releases", "--operation", "SIOCSIFMTU")[1] == (
        "ioctl    SIOCSIFMTU  CAP_NET_ADMIN  2.1.92 –"
    )


def test_a_privilege_that_comes_to_be_asked_for_in_a_user_namespace_shows_since_when(
    tmp_path: Path, caphistory: Run
) -> None:
    def asks(name: str, namespace: str | None) -> LinkedRelease:
        host = site("kernel/sys.c", 9, "sys_sethostname", capability="CAP_SYS_ADMIN")
        return linked(name, checks=[check("sethostname", host, namespace=namespace)])

    path = build(
        tmp_path / "a.db", asks("2.6.37", None), asks("2.6.38", "init"), asks("2.6.39", "owner")
    )
    said = caphistory("--db", str(path), "syscall", "sethostname", "--format", "table")
    assert [line.split()[:6] for line in said.lines[4:6]] == [
        ["CAP_SYS_ADMIN", "2.6.37", "–", "2.6.38", "EPERM", "init"],
        ["CAP_SYS_ADMIN", "2.6.39", "–", "EPERM", "owner", "kernel/sys.c:9"],
    ]


def test_words_are_explained_where_they_stand(says: Says) -> None:
    lines = says("which", "sys_resource")
    assert "mlock     ENOMEM at limit  init   1      direct  mm/mlock.c:30  sys_mlock" in lines
    assert "quotactl  limited          other  1      direct  fs/quota.c:8   sys_quotactl" in lines
    assert "limited: it goes on, with less than was asked for" in lines
    assert any(line.startswith("at limit: it fails with this error") for line in lines)
    assert any(line.startswith("init: in the first user namespace alone") for line in lines)
    assert any(line.startswith("other: another task's privilege") for line in lines)
    assert not any("limit" in line for line in says("which", "net_admin"))


def test_why_without_a_capability_is_about_all_that_is_the_syscalls_own(says: Says) -> None:
    lines = says("why", "ioctl", "--all")
    assert lines[0] == "ioctl in 2.2.0: 3 requirements"
    assert [line for line in lines if line.startswith("SIOC")] == [
        "SIOCSIFADDR:",
        "SIOCSIFFLAGS:",
        "SIOCSIFMTU:",
    ]
    assert "checks ns_capable(CAP_BPF) or CAP_SYS_ADMIN, else EPERM" in "\n".join(
        says("why", "bpf")
    )


def test_what_another_capability_saves_is_not_lost(says: Says, caphistory: Run, path: Path) -> None:
    asked = ("--db", str(path), "container", "--format", "json")
    nothing = caphistory(*asked, "--drop", "CAP_BPF")
    assert (nothing.exit_code, nothing.rows) == (0, [])
    both = caphistory(*asked, "--drop", "bpf,sys_admin").rows
    assert [(row["syscall"], row["operation"], row["instead"]) for row in both] == [
        ("bpf", "BPF_PROG_LOAD", ["CAP_SYS_ADMIN"])
    ]


def test_what_many_share_is_lost_too(says: Says) -> None:
    lines = says("container", "--drop", "dac_override")
    assert lines[1:3] == [
        "lost is only what many syscalls share",
        "in code that many syscalls come through: CAP_DAC_OVERRIDE (5 syscalls)",
    ]


def test_container_names_the_operation_and_its_errno(says: Says) -> None:
    lines = says("container", "--drop", "net_admin")
    assert lines[1] == "1 syscall denied something"
    assert lines[3].split()[:2] == ["CAP_NET_ADMIN", "ioctl"]
    assert "SIOCSIFADDR" in lines[3]
    assert "EPERM" in lines[3]


def test_an_operation_is_found_by_any_part_of_its_name(tmp_path: Path) -> None:
    link = check("sendmsg", site("a.c", 1, "f", "suser"), operation="NETLINK_ROUTE/RTM_NEWLINK")
    with closing(open_reader(build(tmp_path / "a.db", linked("2.2.0", checks=[link])))) as db:
        assert list_operations(db) == ["NETLINK_ROUTE/RTM_NEWLINK"]
        for text in ("RTM_NEWLINK", "netlink_route", "netlink_route/rtm_newlink", "NETLINK*"):
            assert resolve_operation(db, text) == text
            rows = list_requirements(db, operation=text)
            assert [row["syscall"] for row in rows] == ["sendmsg"], text
        with pytest.raises(UsageError, match="no operation 'RTM_NEWLINX'; nearest: NETLINK_ROUTE"):
            resolve_operation(db, "RTM_NEWLINX")
        with pytest.raises(UsageError, match="no operation 'bind by RTM_NEWLINK'"):
            resolve_operation(db, "RTM_NEWLINK", "bind")


def test_requirements_of_a_release_are_a_list_for_others_to_build_on(
    connection: sqlite3.Connection,
) -> None:
    rows = list_requirements(connection, "2.1.91", syscall="ioctl")
    assert [(row["operation"], row["privilege"]) for row in rows] == [
        ("SIOCSIFADDR", "suser"),
        ("SIOCSIFFLAGS", "suser"),
        ("SIOCSIFMTU", "suser"),
    ]
    (program,) = list_requirements(connection, privilege="cap_bpf")
    assert may_be_replaced(program, {"CAP_SYS_ADMIN"})
    assert not may_be_replaced(program, {"CAP_NET_ADMIN"})


def test_a_syscall_that_shares_everything_is_shared_in_no_more_words(
    says: Says,
) -> None:
    assert says("syscall", "open", "--release", "2.2.0")[:3] == [
        "open in 2.2.0: 1 requirement",
        "in code that many syscalls share:",
        "through permission, with 24 more syscalls: CAP_DAC_OVERRIDE, EACCES",
    ]


def test_completion_knows_operations(path: Path) -> None:
    from caphistory.cli.complete import complete_operation

    class Context:
        obj = type("Session", (), {"db": path})()

    offered = complete_operation(Context(), None, "SIOCSIFA")  # type: ignore[arg-type]
    assert offered == ["SIOCSIFADDR"]


def test_operations_are_listed(connection: sqlite3.Connection) -> None:
    assert ask(connection, "operation_list", syscall="bpf") == [
        {"syscall": "bpf", "operation": "BPF_PROG_LOAD"}
    ]


def test_two_releases_are_compared_by_operation(says: Says, caphistory: Run, path: Path) -> None:
    lines = says("transition", "2.1.91", "2.2.0", "--operation", "SIOC*")
    assert lines[0] == "2.1.91 → 2.2.0: 3 operations changed"
    assert lines[3].split() == ["ioctl", "SIOCSIFADDR", "suser", "CAP_NET_ADMIN"]
    same = caphistory("--db", str(path), "transition", "2.1.92", "2.2.0", "--operation", "SIOC*")
    assert same.exit_code == 1
    both = caphistory("--db", str(path), "transition", "--sites", "--operation", "SIOC*")
    assert both.exit_code == 2


def test_a_history_tells_what_its_last_release_says(tmp_path: Path) -> None:
    def kernel_with(name: str, *effects: str) -> LinkedRelease:
        return linked(
            name,
            checks=[
                check(
                    "ioctl",
                    site("net/x.c", 5, "x_ioctl", "capable", "CAP_NET_ADMIN"),
                    step("sys_ioctl", "fs/ioctl.c", 5),
                    operation="SIOCSIFADDR",
                    effect=effect,
                    errno="EPERM" if effect == "deny" else None,
                )
                for effect in effects
            ],
        )

    path = build(
        tmp_path / "a.db",
        # Both begin here; the one with the better evidence by all other signs ends sooner.
        kernel_with("2.2.0", "deny", "limit"),
        kernel_with("2.2.1", "limit"),
    )
    with closing(open_reader(path)) as connection:
        (row,) = ask(connection, "syscall", syscall="ioctl")
        assert (row["first_release"], row["last_release"]) == ("2.2.0", "2.2.1")
        assert (row["effect"], row["errno"]) == ("limit", None)


def test_two_spellings_of_a_protocol_family_are_one_operation(tmp_path: Path) -> None:
    def kernel_with(name: str, operation: str, privilege: str) -> LinkedRelease:
        asks = site("net/x.c", 5, "x_ioctl", privilege if privilege == "suser" else "capable",
                    None if privilege == "suser" else privilege)  # fmt: skip
        way = step("sys_ioctl", "fs/ioctl.c", 5)
        return linked(name, checks=[check("ioctl", asks, way, operation=operation)])

    path = build(
        tmp_path / "a.db",
        kernel_with("2.1.99", "AF_INET/SIOCSIFADDR", "suser"),
        kernel_with("2.1.100", "AF_INET/SIOCSIFADDR", "CAP_NET_ADMIN"),
        kernel_with("2.1.101", "PF_INET/SIOCSIFADDR", "CAP_NET_ADMIN"),
    )
    with closing(open_reader(path)) as connection:
        histories = ask(connection, "syscall", syscall="ioctl")
        assert [(row["privilege"], row["first_release"]) for row in histories] == [
            ("suser", "2.1.99"),
            ("CAP_NET_ADMIN", "2.1.100"),
        ]
        (since,) = ask(connection, "requirement_since", syscall="ioctl")
        assert (since["operation"], since["first_release"]) == ("PF_INET/SIOCSIFADDR", "2.1.100")
        asked = {"from": "2.1.100", "to": "2.1.101"}
        assert not ask(connection, "operation_changes", **asked)
        for text in ("PF_INET/SIOCSIFADDR", "af_inet", "AF_INET/*"):
            assert resolve_operation(connection, text, "ioctl") == text
            for question in ("syscall", "operation_history"):
                rows = ask(connection, question, syscall="ioctl", operation=text)
                assert len(rows) == 2
