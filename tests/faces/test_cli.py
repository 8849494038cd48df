"""The command line: what each command says to people and to machines, and how it ends."""

from __future__ import annotations

import csv
import fcntl
import io
import os
import pty
import re
import shlex
import signal
import sqlite3
import struct
import subprocess
import sys
import termios
from contextlib import closing, suppress
from pathlib import Path

import click
import pytest

from caphistory.cli.root import COMMANDS, root
from caphistory.records import CapabilityDefinition, LinkedRelease
from caphistory.store.views import VIEWS
from caphistory.wording.plain import clean
from tests.faces.conftest import Run, Said
from tests.factories import build, check, linked, site

PROGRAM = [sys.executable, "-c", "from caphistory.cli import main; main()"]


def table(said: Said) -> str:
    """What was said, without the spaces at the ends."""
    assert said.exit_code == 0, said.err
    return said.out.strip()


def test_which_names_the_pointer_that_a_check_is_reached_through(caphistory: Run) -> None:
    said = caphistory("which", "net_bind_service", "--format", "table")
    assert (
        "bind     EACCES  1      pointer  net/ipv4/af_inet.c:505  [proto_ops.bind] inet_bind"
        in (said.lines)
    )


def test_which_takes_any_number_of_names(caphistory: Run) -> None:
    said = caphistory("which", "setgid", "CAP_SYS_CHROOT", "--format", "json")
    assert [row["syscall"] for row in said.rows] == ["setgid", "chroot"]


def test_which_says_what_it_leaves_out_and_how_to_see_it(caphistory: Run) -> None:
    said = caphistory("which", "CAP_SYS_ADMIN", "--format", "table")
    assert "1 more syscall only far away, in code that many share: --all" in said.lines
    everything = caphistory("which", "CAP_SYS_ADMIN", "--all", "--format", "json")
    assert [row["syscall"] for row in everything.rows] == ["mount", "ioctl"]


def test_which_with_nothing_but_what_it_leaves_out_found_nothing(caphistory: Run) -> None:
    said = caphistory("which", "CAP_SYS_TIME")
    assert said == (
        1,
        "",
        "caphistory: no syscall checks CAP_SYS_TIME in 2.2.24 (1 more syscall only where"
        " constants on the way switch the check off: --all)\n",
    )


def test_which_in_all_releases_says_from_which_to_which(caphistory: Run) -> None:
    said = caphistory("which", "suser", "--all-releases", "--format", "table")
    assert table(said).splitlines()[:3] == [
        "suser: 4 syscalls in any release",
        "syscall  releases",
        "bind     2.0.39 – 2.1.91",
    ]
    rows = caphistory("which", "setgid", "--all-releases", "--format", "json").rows
    assert [(row["first_release"], row["last_release"], row["open"]) for row in rows] == [
        ("2.1.92", "2.2.24", 1)
    ]


def test_a_capability_in_a_user_namespace_is_shown_as_such(tmp_path: Path, caphistory: Run) -> None:
    own = site("fs/open.c", 10, "sys_chroot", "ns_capable", "CAP_SYS_CHROOT")
    first = site("kernel/sys.c", 20, "sys_reboot", capability="CAP_SYS_BOOT")
    path = build(
        tmp_path / "namespaces.db",
        linked(
            "3.8",
            checks=[
                check("chroot", own, namespace="owner"),
                check("reboot", first, namespace="init"),
            ],
            definitions=[
                CapabilityDefinition(name, number, "include/linux/capability.h", number, "")
                for number, name in enumerate(("CAP_SYS_CHROOT", "CAP_SYS_BOOT"))
            ],
        ),
    )

    def answer(*question: str) -> str:
        return table(caphistory("--db", str(path), "--format", "table", *question))

    chroot = answer("which", "CAP_SYS_CHROOT")
    assert "chroot   EPERM  owner  1      direct" in chroot
    assert "owner: in the user namespace that owns" in chroot
    assert "init: in the first user namespace alone" in answer("which", "CAP_SYS_BOOT")
    assert "user namespace that owns" in answer("why", "chroot")


def test_reach_narrows_the_answer(caphistory: Run) -> None:
    said = caphistory("which", "suser", "--release", "2.0.40", "--reach", "pointer")
    assert [line.split("\t")[2] for line in said.lines] == ["syscall", "bind"]


def test_syscall_in_one_release(caphistory: Run) -> None:
    said = caphistory("syscall", "sys_setgid", "--release", "v2.0.40", "--format", "json")
    assert [(row["check_name"], row["line"]) for row in said.rows] == [("suser", 301)]


def test_a_syscall_without_checks_is_nothing_found(caphistory: Run) -> None:
    assert caphistory("syscall", "getpid").err == (
        "caphistory: getpid checks no privilege in any release\n"
    )
    assert caphistory("syscall", "chdir") == (
        1,
        "",
        "caphistory: chdir checks no privilege in any release but far away in code that many"
        " share, or switched off: --all\n",
    )


def test_what_a_release_does_not_have_is_said(caphistory: Run) -> None:
    assert caphistory("which", "setgid", "--release", "2.0.40").err == (
        "caphistory: 2.0.40 does not define CAP_SETGID\n"
    )


def test_transition_groups_by_what_became_of_root(caphistory: Run) -> None:
    lines = caphistory("transition", "2.0.40", "2.2.24", "--format", "table").lines
    assert "4 asked for root before; now 4 for capabilities" in lines
    assert "from root to a capability: 4" in lines
    assert "setgid: suser → CAP_SETGID" in lines


def test_transition_names_alike_changes_once_and_the_plainest_first(
    caphistory: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")

    def kernel(name: str, **asked: tuple[str, ...]) -> LinkedRelease:
        return linked(
            name,
            checks=[
                check(syscall, site("kernel/sys.c", at, f"sys_{syscall}", *privilege.split()))
                for syscall, privileges in asked.items()
                for at, privilege in enumerate(privileges, start=1)
            ],
        )

    setid, admin = "capable CAP_SETUID", "capable CAP_SYS_ADMIN"
    path = build(
        tmp_path / "alike.db",
        kernel("2.0.40", a=("suser",), b=("suser",), c=("suser",), d=("suser",), e=("suser",)),
        kernel("2.2.24", a=(setid, admin), b=(admin,), c=(admin,), d=("suser", admin)),
    )
    lines = caphistory("--db", str(path), "transition", "--format", "table").lines
    assert lines[1] == (
        "5 asked for root before; now 3 for capabilities,"
        " 1 for capabilities and still for root; 1 gone"
    )
    assert lines[2] == "157 mainline releases between them not in the database"
    assert lines[5:8] == [
        "b, c: suser → CAP_SYS_ADMIN",
        "a: suser → CAP_SETUID, CAP_SYS_ADMIN",
        "d: suser → CAP_SYS_ADMIN, suser",
    ]


def test_no_transition_between_equal_releases(caphistory: Run) -> None:
    said = caphistory("transition", "2.2.0", "2.2.24")
    assert said == (1, "", "caphistory: no syscall changed what it checks: 2.2.0 → 2.2.24\n")


def test_why_in_json_has_the_chain_as_steps(caphistory: Run) -> None:
    (row,) = caphistory("--format", "json", "why", "bind", "net_bind_service").rows
    assert [(step["function"], step["edge"], step["via"]) for step in row["chain"]] == [
        ("sys_bind", "pointer", "proto_ops.bind"),
        ("inet_bind", "call", None),
    ]


def test_why_tells_when_a_check_says_little(caphistory: Run) -> None:
    assert "60 syscalls come to this check of CAP_SYS_ADMIN" in (
        caphistory("why", "ioctl", "sys_admin", "--format", "table").lines
    )
    assert "constants on this way switch the check off" in (
        caphistory("why", "stime", "sys_time", "--format", "table").lines
    )


def test_capability_lists_those_of_a_release(caphistory: Run) -> None:
    said = caphistory("capability", "--format", "table")
    assert said.lines[:3] == [
        "2.2.24: 6 capabilities",
        "number  capability            sites  syscalls  shared  defined",
        "1       CAP_DAC_OVERRIDE      1      0         0       include/linux/capability.h:51",
    ]
    assert caphistory("capability", "--release", "2.0.40").exit_code == 1


def test_capability_through_all_releases(caphistory: Run) -> None:
    said = caphistory("capability", "setgid", "--format", "table")
    assert said.lines == [
        "CAP_SETGID (6): 2.1.92 –",
        "include/linux/capability.h:56 in 2.2.24",
        "  Allow <b>it</b>.",
        "  And that.",
        "",
        "releases  sites  syscalls",
        "2.1.92 –  1      1",
        "",
        "next: caphistory which CAP_SETGID --all-releases",
    ]


def test_container_says_what_is_lost(caphistory: Run) -> None:
    said = caphistory("container", "--docker", "--drop", "setgid", "--format", "table")
    assert said.lines[:2] == [
        "what is missing in 2.2.24: 2 syscalls",
        "CAP_SETGID 1, CAP_SYS_ADMIN 1",
    ]
    # Bits 10 and 18: CAP_NET_BIND_SERVICE and CAP_SYS_CHROOT.
    by_mask = caphistory("container", "--mask", "0000000000040400", "--format", "json")
    by_name = caphistory(
        "container", "--drop", "ALL", "--add", "sys_chroot,net_bind_service", "--format", "json"
    )
    assert by_mask.rows == by_name.rows
    assert {row["syscall"] for row in by_mask.rows} == {"mount", "setgid"}


def test_container_says_what_of_a_mask_means_nothing_in_the_release(caphistory: Run) -> None:
    said = caphistory("container", "--mask", "8000000000040400", "--format", "table")
    assert "no capability of 2.2.24 has the number 63 of the mask" in said.lines
    assert caphistory("container", "--docker", "--release", "2.0.40").err == (
        "caphistory: 2.0.40 defines no capability: its checks ask for root alone\n"
    )


def test_releases_by_series_and_one_by_one(caphistory: Run) -> None:
    by_series = caphistory("releases", "--format", "table")
    assert by_series.lines[0] == "6 releases, 2.0.39 – 2.2.24"
    assert (
        "2.2     2         2.2.0   2.2.24  1999-01-26 – ?  defective, mainline" in by_series.lines
    )
    listed = caphistory("releases", "--series", "2.2", "--format", "table")
    assert listed.lines[-1] == "2.2.0: Its <b>drivers</b> are lost."
    one_by_one = caphistory("releases", "--series", "2.2", "--format", "json")
    assert [row["release"] for row in one_by_one.rows] == ["2.2.0", "2.2.24"]


def test_audit_sums_up_and_goes_into_detail(caphistory: Run) -> None:
    assert caphistory("audit", "--format", "table").lines[0] == (
        "6 releases: 15 of 87 occurrences of a check's name are unexplained"
    )
    one = caphistory("audit", "--release", "2.0.40", "--format", "json")
    assert one.rows[0]["unexplained"] == 1
    details = caphistory("audit", "--details", "--format", "table")
    assert "unexplained  drivers/a.c:4  suser in a table" in details.lines


def test_export_gives_the_same_bytes_for_the_same_facts(caphistory: Run, tmp_path: Path) -> None:
    first, second = tmp_path / "first.facts", tmp_path / "second.facts"
    assert caphistory("export", str(first)).exit_code == 0
    assert caphistory("export", str(second)).exit_code == 0
    assert first.read_bytes() == second.read_bytes() != b""


def test_alone_it_shows_what_there_is_an_answer_and_where_to_begin(caphistory: Run) -> None:
    said = caphistory()
    assert said.exit_code == 0
    assert "6 releases, 2.0.39 – 2.2.24; 5 checks in the newest" in said.lines
    assert "2.0.39 – 2.1.91 suser · 2.1.92 – CAP_SETGID" in said.lines
    assert "caphistory serve" in said.out


@pytest.mark.parametrize(
    "arguments",
    [
        ("which", "suser", "--release", "2.0.40", "--all"),
        ("syscall", "bind"),
        ("transition",),
        ("why", "chdir", "dac_override"),
        ("capability",),
        ("releases",),
        ("audit",),
    ],
)
def test_all_formats_hold_the_same_rows(caphistory: Run, arguments: tuple[str, ...]) -> None:
    rows = caphistory(*arguments, "--format", "json").rows
    by_comma = list(csv.reader(io.StringIO(caphistory(*arguments, "--format", "csv").out)))
    by_tab = [
        [cell.replace(r"\n", "\n") for cell in line.split("\t")]
        for line in caphistory(*arguments, "--format", "tsv").lines
    ]
    markdown = caphistory(*arguments, "--format", "markdown").lines
    assert by_comma == by_tab
    assert by_comma[0] == [*rows[0]]
    assert len(by_comma) - 1 == len(rows) == len(markdown) - 2
    assert len({re.sub(r"\\\|", "", line).count("|") for line in markdown}) == 1
    # Without a terminal, tab-separated values are what a program expects.
    assert caphistory(*arguments).out == caphistory(*arguments, "--format", "tsv").out


def test_requirements_have_the_columns_of_the_contract(caphistory: Run) -> None:
    contract = next(view.columns for view in VIEWS if view.name == "requirements")
    rows = caphistory("which", "suser", "--release", "2.0.40", "--format", "json").rows
    assert [*rows[0]] == [*contract]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("syscall", "setgidd"), "no syscall 'setgidd'; nearest: setgid, getpid"),
        (("which", "CAP_SYS_CHROT"), "no capability 'CAP_SYS_CHROT'; nearest: CAP_SYS_CHROOT"),
        (("which", "suser", "--release", "2.2.42"), "no release '2.2.42'; nearest: 2.2.24"),
        (("which", "suser", "--abi", "vax"), "no system-call table 'vax'; there are: i386"),
        (("which",), "Missing argument 'CAP_X...'."),
        (("wich",), "no command 'wich'; nearest: which"),
        (("xyzzy",), "no command 'xyzzy'; there are: which, syscall, "),
        (("which", "root"), "no check 'root'; nearest: suser, fsuser, uid0"),
        (("which", "susr"), "no check 'susr'; nearest: suser"),
        (("which", "suser", "--release", "2.4.1"), "no release '2.4.1'; nearest: "),
        (("which", "suser", "--all-releases", "--release", "2.2.0"), "leave --release out"),
        (("--release", "2.2.0", "transition"), "leave --release out"),
        (("container",), "give FILE, --docker, --mask or --drop"),
        (("container", "--docker", "--mask", "1"), "give one of them"),
        (("container", "--docker", "--container", "web"), "give the file too"),
        (("which", "suser", "--rows", "few"), "'few' is no number of rows"),
        (("which", "suser", "--rows", "0"), "give 1 or more, or all"),
        (("container", "--mask", "0xzz"), "is not hexadecimal"),
        (("container", "--mask", "-1"), "is not hexadecimal"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_2(
    caphistory: Run, arguments: tuple[str, ...], complaint: str
) -> None:
    said = caphistory(*arguments)
    assert (said.exit_code, said.out) == (2, "")
    assert complaint in said.err
    assert said.err.count("\n") == 1


def test_global_options_stand_before_or_after_the_command(caphistory: Run) -> None:
    before = caphistory("--release", "2.0.40", "--format", "csv", "which", "suser")
    after = caphistory("which", "suser", "--release", "2.0.40", "--format", "csv")
    assert before == after
    assert caphistory("--version").out.startswith("caphistory ")


def test_what_is_no_database_is_one_line_and_exit_code_3(caphistory: Run, tmp_path: Path) -> None:
    text = tmp_path / "text.db"
    text.write_text("hello")
    other = tmp_path / "other.db"
    with closing(sqlite3.connect(other)) as connection:
        connection.execute("create table t (x)")
    for path in (tmp_path / "missing.db", tmp_path, text, other):
        said = caphistory("--db", str(path), "which", "suser")
        assert (said.exit_code, said.out, said.err.count("\n")) == (3, "", 1)
        assert str(path) in said.err
    said = caphistory("export", str(tmp_path / "no folder" / "facts.db"))
    assert (said.exit_code, said.out, said.err.count("\n")) == (3, "", 1)


def test_a_database_without_releases_says_how_to_add_some(caphistory: Run, tmp_path: Path) -> None:
    empty = build(tmp_path / "empty.db")
    for arguments in (
        ("which", "setgid"),
        ("syscall", "setgid"),
        ("audit",),
        ("audit", "--details"),
        ("releases",),
        (),
    ):
        assert caphistory("--db", str(empty), *arguments) == (
            1,
            "",
            "caphistory: the database holds no release yet: caphistory index adds some\n",
        )


EVIL = "\x1b]0;owned\x07\x1b[31m\u202e|`<b>"


def test_nothing_from_the_database_reaches_the_terminal_as_a_command(
    caphistory: Run, tmp_path: Path
) -> None:
    at = site(f"fs/{EVIL}.c", 1, f"f{EVIL}", capability=f"CAP_{EVIL}")
    kernel = linked(
        "2.2.24",
        checks=[check(f"chroot{EVIL}", at)],
        definitions=[CapabilityDefinition("CAP_X", 1, f"{EVIL}.h", 1, EVIL)],
    )
    database = str(build(tmp_path / "evil.db", kernel))
    for arguments in (
        ("which", "CAP_X"),
        ("syscall", f"chroot{EVIL}"),
        ("syscall", "nothing"),
        ("capability",),
        ("capability", "CAP_X"),
        ("transition",),
        (),
    ):
        for form in ("table", "json", "csv", "tsv", "markdown"):
            said = caphistory("--db", database, *arguments, "--format", form)
            for text in (said.out, said.err):
                assert clean(text.replace("\n", "").replace("\t", "")) == (
                    text.replace("\n", "").replace("\t", "")
                )


def test_rows_cuts_an_answer_for_machines_only_when_it_is_given(caphistory: Run) -> None:
    asked = ("which", "suser", "--release", "2.0.40", "--format", "json")
    assert len(caphistory(*asked).rows) == len(caphistory(*asked, "--rows", "all").rows) == 4
    assert caphistory(*asked, "--rows", "2").rows == caphistory(*asked).rows[:2]


def on_a_terminal(database: Path, *arguments: str, lines: int, **environment: str) -> str:
    """What is shown on a terminal of 80 columns and so many ``lines``."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", lines, 80, 0, 0))
    own = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
    with subprocess.Popen(
        [*PROGRAM, "--db", str(database), *arguments],
        stdout=theirs,
        env=own | {"TERM": "xterm"} | environment,
    ):
        os.close(theirs)
        shown = b""
        # The other end of a terminal that nobody writes to any more is an error, not an end.
        with suppress(OSError):
            while part := os.read(ours, 65536):
                shown += part
    os.close(ours)
    return shown.decode()


def test_an_answer_fits_the_screen_and_says_what_it_left_out(tmp_path: Path) -> None:
    many = linked(
        "2.2.24",
        checks=[
            check(f"call{number:02}", site("fs/a.c", number + 1, f"sys_call{number:02}", "suser"))
            for number in range(60)
        ],
    )
    database = build(tmp_path / "many.db", many)
    shown = on_a_terminal(database, "which", "suser", lines=24)
    assert len(shown.splitlines()) < 24
    assert "suser in 2.2.24: 60 syscalls" in shown
    assert "… 44 more rows: --rows all" in shown
    everything = on_a_terminal(database, "which", "suser", "--rows", "all", lines=24)
    assert "call59" in everything


def test_color_is_for_terminals_unless_it_is_not_wanted(database: Path) -> None:
    assert "\x1b[1m" in on_a_terminal(database, "which", "setgid", lines=24)
    assert "\x1b" not in on_a_terminal(database, "which", "setgid", lines=24, NO_COLOR="1")


def test_a_narrow_table_leaves_out_columns_before_it_cuts_what_is_read(
    caphistory: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def row(width: int) -> str:
        monkeypatch.setenv("COLUMNS", str(width))
        lines = caphistory("which", "net_bind_service", "--format", "table").lines
        return next(line for line in lines if line.startswith("bind"))

    assert re.search(r"  ….*_bind$", row(78))
    assert row(60).endswith("pointer  net/ipv4/af_inet.c:505")
    assert row(40) == "bind     EACCES  net/ipv4/af_inet.c:505"
    assert row(36) == "bind     EACCES  net/…/af_inet.c:505"
    assert all(len(row(width)) <= width for width in range(34, 100, 3))


def test_a_narrow_table_goes_on_in_further_lines_and_loses_no_cell(
    caphistory: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = ("releases", "--format", "table", "--rows", "2")
    wide = [word for line in caphistory(*asked).lines[:3] for word in line.split()]
    monkeypatch.setenv("COLUMNS", "40")
    rows = caphistory(*asked).lines
    assert [word for line in rows[: len(wide)] for word in line.split()][: len(wide)] == wide


def test_a_narrow_chain_has_its_lines_below_their_functions(
    caphistory: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    said = caphistory("why", "bind", "CAP_NET_BIND_SERVICE", "--format", "table")
    assert said.lines[2:6] == [
        "sys_bind  calls inet_bind through proto_ops.bind",
        "  at net/socket.c:810",
        "  inet_bind  checks capable(CAP_NET_BIND_SERVICE), else EACCES",
        "    at net/ipv4/af_inet.c:505",
    ]


def test_every_command_explains_itself_in_a_sentence(caphistory: Run) -> None:
    listed = caphistory("--help").out
    for name in COMMANDS:
        command = root.get_command(click.Context(root), name)
        assert command is not None
        assert command.get_short_help_str(limit=80) in " ".join(listed.split())
        assert not command.get_short_help_str(limit=80).endswith("...")
        for parameter in command.params:
            assert isinstance(parameter, click.Argument) or getattr(parameter, "help", None)


POD = """
kind: Pod
spec:
  containers:
    - name: web
    - name: log
"""
PROFILE = '{"syscalls": [{"names": ["chroot"], "includes": {"caps": ["CAP_SYS_CHROOT"]}}]}'
INSPECTED = '[{"Name": "/web", "HostConfig": {"CapAdd": null, "CapDrop": ["CHOWN"]}}]'


def examples() -> list[str]:
    """The examples of every help text."""
    commands = [root, *(root.get_command(click.Context(root), name) for name in COMMANDS)]
    return [
        line.strip()
        for command in commands
        for line in (getattr(command, "help", None) or "").splitlines()
        if re.match(r"\s+(\S.*\| )?caphistory( |$)", line)
    ]


@pytest.mark.parametrize("example", examples())
def test_the_examples_in_help_texts_are_right(
    caphistory: Run, example: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    arguments = shlex.split(example.split(" | ")[-1].split(" > ")[0])[1:]
    if arguments[0] in ("serve", "index"):
        command = root.get_command(click.Context(root), arguments[0])
        assert command is not None
        command.make_context(arguments[0], arguments[1:])
    else:
        (tmp_path / "pod.yaml").write_text(POD)
        (tmp_path / "default.json").write_text(PROFILE)
        monkeypatch.setattr(sys, "stdin", io.StringIO(INSPECTED))
        # This small history has not every name, and no clone has its source.
        said = caphistory(*arguments)
        assert said.exit_code in (0, 1) or re.search(
            r"no (release|capability|syscall|operation) |is not on this machine", said.err
        ), said.err


def test_completion_knows_commands_and_the_names_of_the_database(database: Path) -> None:
    def completed(words: str) -> list[str]:
        environment = os.environ | {
            "_CAPHISTORY_COMPLETE": "bash_complete",
            "COMP_WORDS": f"caphistory --db {database} {words}",
            "COMP_CWORD": str(len(words.split(" ")) + 2),
        }
        output = subprocess.run(
            PROGRAM, env=environment, capture_output=True, text=True, check=False
        ).stdout
        return [line.split(",", 1)[1] for line in output.splitlines()]

    assert completed("whi") == ["which"]
    assert completed("which CAP_SYS_C") == ["CAP_SYS_CHROOT"]
    assert completed("syscall chr") == ["chroot"]
    assert completed("transition 2.1") == ["2.1.91", "2.1.92"]
    assert completed("which suser --release 2.0.4") == ["2.0.40"]
    assert completed("transition v2.1.91 v2.1") == ["v2.1.91", "v2.1.92"]
    assert completed("container --drop setg") == ["setgid"]
    assert completed("why bind NET_B") == ["NET_BIND_SERVICE"]
    assert completed("which s") == ["suser", "setgid", "sys_chroot", "sys_admin", "sys_time"]


def test_a_closed_pipe_ends_it_silently(database: Path) -> None:
    process = subprocess.Popen(
        [*PROGRAM, "--db", str(database), "syscall", "setgid"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None
    process.stdout.close()
    assert process.wait() == 0
    assert process.stderr is not None
    assert process.stderr.read() == b""
    process.stderr.close()


def test_ctrl_c_ends_the_explorer_with_one_line(database: Path) -> None:
    with subprocess.Popen(
        [*PROGRAM, "--db", str(database), "serve", "--no-open"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    ) as process:
        assert process.stdout is not None
        assert "the explorer is at http://127.0.0.1:" in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, complaint = process.communicate()
    assert process.returncode == 130
    assert complaint.strip().splitlines() == ["caphistory: stopped"]


def test_an_answer_needs_no_heavy_import(database: Path) -> None:
    script = (
        "import sys; from caphistory.cli import run;"
        f"run(['--db', {str(database)!r}, 'which', 'setgid']);"
        "print(*sys.modules, sep='\\n')"
    )
    output = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    ).stdout
    heavy = {"datasette", "sqlite_utils", "pygit2", "tree_sitter", "uvicorn", "yaml", "pandas"}
    assert heavy & set(output.split("\n")) == set()


def test_a_place_is_a_link_on_a_terminal_alone(caphistory: Run, database: Path) -> None:
    asked = ("why", "chroot", "sys_chroot")
    link = "\x1b]8;;https://elixir.bootlin.com/linux/2.2.24/source/fs/open.c#L405\x1b\\"
    assert f"{link}fs/open.c:405\x1b]8;;\x1b\\" in on_a_terminal(database, *asked, lines=24)
    for plain in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        assert "elixir" not in on_a_terminal(database, *asked, lines=24, **plain)
    assert "elixir" not in caphistory(*asked, "--format", "table").out


def test_without_a_terminal_there_is_no_color(caphistory: Run) -> None:
    assert "\x1b" not in caphistory("which", "setgid", "--format", "table").out
