"""How much a check says of its syscall: the rule, at its thresholds."""

from __future__ import annotations

from typing import Any

import pytest

from caphistory.store.standing import STANDINGS, Way, decide, weigh

TABLE = 200


def stands(**row: Any) -> str:
    """The standing of a row of a table with 200 syscalls."""
    usual: dict[str, Any] = {
        "feasible": 1,
        "depth": 3,
        "another_file": False,
        "pointer_hops": 0,
        "shared_by": 1,
        "check_name": "capable",
        "operation": "",
        "effect": "deny",
        "subject": "caller",
        "table": TABLE,
    }
    asked = usual | row
    way = Way(asked.pop("depth"), asked.pop("another_file"))
    return STANDINGS[decide(way=way, **asked)]


@pytest.mark.parametrize(
    ("standing", "row"),
    [
        ("off", {"feasible": 0, "depth": 0}),
        ("own", {"depth": 0, "shared_by": 150}),
        ("own", {"depth": 12, "shared_by": 3}),
        ("own", {"depth": 7, "pointer_hops": 2, "shared_by": 3}),
        ("remote", {"depth": 8, "pointer_hops": 2, "shared_by": 3}),
        ("remote", {"depth": 7, "pointer_hops": 3, "shared_by": 3}),
        # Calls alone: a family, then what everybody comes through, then printk.
        ("own", {"shared_by": 24}),
        ("shared", {"shared_by": 25}),
        ("shared", {"shared_by": 100}),
        ("remote", {"shared_by": 101}),
        ("own", {"depth": 10, "shared_by": 24}),
        ("remote", {"depth": 11, "shared_by": 24}),
        # An exemption from a limit.
        ("own", {"shared_by": 10, "effect": "limit"}),
        ("shared", {"shared_by": 11, "effect": "limit"}),
        ("shared", {"shared_by": 11, "effect": "unknown"}),
        # Through one pointer.
        ("own", {"pointer_hops": 1, "depth": 7, "shared_by": 20}),
        ("remote", {"pointer_hops": 1, "depth": 8, "shared_by": 20}),
        ("remote", {"pointer_hops": 1, "depth": 7, "shared_by": 21}),
        ("shared", {"pointer_hops": 1, "depth": 5, "shared_by": 50}),
        ("remote", {"pointer_hops": 1, "depth": 5, "shared_by": 51}),
        ("remote", {"pointer_hops": 2, "depth": 5, "shared_by": 4}),
        # By a named operation.
        ("own", {"pointer_hops": 2, "depth": 7, "shared_by": 20, "operation": "/proc/x"}),
        ("remote", {"pointer_hops": 2, "depth": 7, "shared_by": 20, "operation": "/proc/x/**"}),
        ("remote", {"pointer_hops": 2, "depth": 8, "shared_by": 20, "operation": "/proc/x"}),
        ("remote", {"pointer_hops": 2, "depth": 7, "shared_by": 21, "operation": "/proc/x"}),
        ("remote", {"pointer_hops": 3, "depth": 7, "shared_by": 20, "operation": "/proc/x"}),
        ("own", {"pointer_hops": 2, "depth": 7, "shared_by": 6, "operation": "SIOCX"}),
        ("remote", {"pointer_hops": 2, "depth": 7, "shared_by": 7, "operation": "SIOCX"}),
        ("own", {"pointer_hops": 2, "depth": 7, "shared_by": 20, "operation": "/dev/x/SIOCX"}),
        ("remote", {"pointer_hops": 2, "depth": 7, "shared_by": 20, "operation": "SIOCX//dev/x"}),
        # Who opened a file.
        ("remote", {"shared_by": 4, "check_name": "file_ns_capable"}),
        ("own", {"shared_by": 3, "check_name": "file_ns_capable"}),
        ("own", {"shared_by": 4, "check_name": "file_ns_capable", "operation": "/proc/x"}),
        ("remote", {"shared_by": 4, "check_name": "file_ns_capable", "operation": "PR_X"}),
        ("remote", {"shared_by": 1, "subject": "opener"}),
        ("own", {"shared_by": 1, "subject": "other"}),
        # An operation of another file.
        ("remote", {"shared_by": 1, "pointer_hops": 2, "another_file": True}),
        ("off", {"feasible": 0, "another_file": True}),
    ],
)
def test_standing(standing: str, row: dict[str, Any]) -> None:
    assert stands(**row) == standing


def test_a_small_table_does_not_make_a_check_everybodys() -> None:
    assert stands(shared_by=7, table=5) == "own"
    assert stands(shared_by=8, table=5) == "shared"


@pytest.mark.parametrize(("shared_by", "table"), [(17, 72), (31, 192), (35, 206), (93, 368)])
def test_path_lookup_is_shared_in_every_release(shared_by: int, table: int) -> None:
    """The numbers of 0.11, 2.0.40, 2.2.26 and 7.1.5."""
    assert stands(shared_by=shared_by, table=table) == "shared"


def test_a_step_to_all_that_is_registered_is_no_depth() -> None:
    hook = ("call", "security_list_options.file_open")
    assert [weigh([hook] * n, 11).depth for n in (0, 1, 2)] == [11, 10, 9]
    assert weigh([("pointer", "proto_ops.bind"), ("call", None)], 11).depth == 11
    # What a hook does is not the entry function's own, however near.
    assert (weigh([hook], 1).depth, weigh([], 0).depth) == (1, 0)


@pytest.mark.parametrize(
    ("another", "pointers"),
    [
        (False, ["file_operations.write"]),
        (False, ["file_operations.open", "file_operations.open"]),
        (False, ["file_operations.splice_read", "file_operations.read_iter"]),
        (False, ["io_issue_def.issue", "file_operations.write"]),
        (False, ["linux_binfmt.load_binary", "inode_operations.permission"]),
        (True, ["linux_binfmt.load_binary", "file_operations.mmap"]),
        (True, ["file_system_type.read_super", "file_operations.ioctl"]),
        (True, ["super_operations.put_super", "file_operations.write"]),
        (True, ["inode_operations.setattr", "file_operations.open"]),
        (True, ["file_operations.readdir", "file_operations.read"]),
        (True, ["file_operations.unlocked_ioctl", "file_operations.open"]),
        (True, ["finish_open(open)", "file_operations.open"]),
        (True, ["file_operations.write of acct_globals.file"]),
        (True, ["file_operations.write of acct_file", "proc_dir_entry.write_proc"]),
    ],
)
def test_an_operation_behind_one_of_something_else_is_another_files(
    another: bool, pointers: list[str]
) -> None:
    assert weigh([("pointer", via) for via in pointers], 5).another_file is another
