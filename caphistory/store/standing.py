"""How much a check says of the syscall that comes to it: the one rule, in code and in words.

The thresholds were measured with the rows of 2.0.40, 2.2.24 and 6.12.117 that readers judged in the
kernel's source (``tests/truth/labels``), over the share of a table's syscalls that reach a site.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

#: The standings, the most telling first; the database holds their places in this tuple.
STANDINGS = ("own", "shared", "remote", "off")
OWN, SHARED, REMOTE, OFF = range(4)

#: What is told unless all is asked for.
TOLD = (OWN, SHARED)

#: Through calls alone 441 of 444 rows are right up to this depth, and 10 of 14 beyond.
CALL_DEPTH = 10

#: Of the syscalls of a table, path lookup is reached by 16 % (2.0.40) to 25 % (7.1.5), and what
#: asks for the owner of a file by 7 % to 11 %.
FAMILY = 0.12

#: The same where nothing is refused: an exemption from a limit, or a question whose answer is not
#: an error. The most files that may be open (``get_empty_filp``) is a matter of 5.3 % (2.2.26) to
#: 14 % of the syscalls, and the policy of IMA of 8 % to 10 %; what a limit says of its own
#: syscalls stays below (the number of processes: 3.5 % in 2.6.0).
EXEMPTION = 0.05

#: More than half of a table come to the printing of kernel pointers (97 %), and to no gate.
ANYBODY = 0.5

#: Through one function pointer, of the rows that so many syscalls share, 102 of 124 are right
#: within so many steps, and 8 of 18 with a step more.
POINTER_DEPTH, POINTER_SHARED_BY = 7, 20

#: Of what more syscalls share, 10 of 10 are right within five steps, 5 of 6 within seven and 2 of
#: 18 beyond. What more than a quarter share is no path lookup (21 % of 2.2.26), but the closing of
#: files or page faults.
LOOKUP_DEPTH, LOOKUP = 5, 0.25

#: A way that an operation names (a file of /proc, a command) is selected by the caller: of 120
#: drawn from 6.8 and 2.2.24 those through two pointers were right in 13 of 20, and where the
#: operation begins with a file or names none in 13 of 15. A command does not choose a file that is
#: named behind it: keyctl opens no /dev/ppp. Any file of a folder (/dev/**) is none that is named.
#: A file may be handed to many syscalls; a command that more than a few have in common does not
#: select the way: of the draws of December 2026 5 of 14 such chains were true, of the others 10 of
#: 12 (sending to a family of sockets comes to signals, to timers and to another protocol's ports).
NAMED_POINTERS, NAMED_DEPTH, NAMED, NAMED_FEW = 2, 7, 0.10, 6

#: A site that so few syscalls share is their own through so many function pointers: 100 of 103 are
#: right. Not with more steps than ``POINTER_DEPTH``: of the draw from 6.8 none of four was.
FEW, FEW_POINTERS = 3, 2

#: What has functions of its own that open, read or map files, and the operations of files.
#: An operation of an inode opens other files (the folder of extended attributes of reiserfs, 2.6).
_HOLDERS = ("file_system_type.", "linux_binfmt.", "super_operations.", "inode_operations.")
_OF_FILES = "file_operations."

#: Behind it stands the variable in which the kernel keeps a file of its own that it operates on.
_KEPT_IN = " of "

#: Where a file system opens what it has just made (``atomic_open``), by its own function.
_GIVEN_OPEN = "finish_open(open)"

#: No table has fewer syscalls (0.01 has 67): a small one does not make a check everybody's.
SMALLEST_TABLE = 60

MEANS = {
    "own": "the syscall's own doing: in its own function, or at a site that at most"
    f" {FEW} syscalls share with no more than {FEW_POINTERS} function pointers on the way (and then"
    f" within {POINTER_DEPTH} steps), or"
    f" within {CALL_DEPTH} direct calls where at most {FAMILY:.0%} of the table's syscalls come to"
    f" it ({EXEMPTION:.0%} where it refuses nothing), or within {POINTER_DEPTH} steps, one of them"
    f" through a function pointer, where at most {POINTER_SHARED_BY} do, or within {NAMED_DEPTH}"
    f" steps by a named file where at most {NAMED:.0%} do, or by a command where at most"
    f" {NAMED_FEW} syscalls do",
    "shared": "in code that many syscalls come through, such as path lookup: within"
    f" {CALL_DEPTH} direct calls at a site that at most {ANYBODY:.0%} of the table's syscalls"
    f" reach, or within {LOOKUP_DEPTH} steps, one of them through a function pointer, where at"
    f" most {LOOKUP:.0%} do",
    "remote": "weak: more steps or function pointers lead to code that many share, or to an"
    " operation of another file than the syscall was handed (the interpreter of a program, the file"
    " behind a folder, the one that acct was given before), or it asks about who opened a file"
    " (file_ns_capable, or under its credentials) and not about the caller; a step to all that is"
    " registered, such as a hook of security modules, or one that hands on to the same operation of"
    " a driver, counts neither as a step nor as a pointer",
    "off": "constants on the way switch it off",
}

#: Which rule a database follows (``meta``).
RULE = "; ".join(f"{name}: {meaning}" for name, meaning in MEANS.items())

#: What a check asks for, in SQL: its capability, else root in one of the three ways.
PRIVILEGE = "coalesce(capability, check_name)"


class Way(NamedTuple):
    """What counts of the steps of a chain: how many there are, and whether one calls an operation
    of a file that is not the one which the syscall was handed."""

    depth: int
    another_file: bool


def decide(
    *,
    feasible: int,
    way: Way,
    pointer_hops: int,
    shared_by: int,
    check_name: str,
    operation: str,
    effect: str,
    subject: str,
    table: int,
) -> int:
    """Return the standing of a row, ``table`` being the number of syscalls of its release and
    ABI."""
    if not feasible:
        return OFF
    # Under the credentials of a file (process accounting) its opener's privilege counts.
    if subject == "opener" and check_name != "file_ns_capable":
        return REMOTE
    depth = way.depth
    if way.another_file:
        return REMOTE
    near = pointer_hops == 0 or depth <= POINTER_DEPTH
    if depth == 0 or (shared_by <= FEW and pointer_hops <= FEW_POINTERS and near):
        return OWN
    # In netlink's broadcasts it asks about the listeners (setgid tells those that follow changes
    # of ids), of a file about who opened it.
    if check_name == "file_ns_capable" and not operation.startswith("/"):
        return REMOTE
    share = shared_by / max(table, SMALLEST_TABLE)
    if pointer_hops == 0 and depth <= CALL_DEPTH:
        if share <= (FAMILY if effect == "deny" else EXEMPTION):
            return OWN
        return SHARED if share <= ANYBODY else REMOTE
    if pointer_hops == 1 and depth <= POINTER_DEPTH and shared_by <= POINTER_SHARED_BY:
        return OWN
    if (
        pointer_hops <= NAMED_POINTERS
        and depth <= NAMED_DEPTH
        and (
            (_is_file(operation) and share <= NAMED)
            or (_is_command(operation) and shared_by <= NAMED_FEW)
        )
    ):
        return OWN
    if pointer_hops == 1 and depth <= LOOKUP_DEPTH and share <= LOOKUP:
        return SHARED
    return REMOTE


def _is_file(operation: str) -> bool:
    """Tell whether an operation is one named file."""
    return operation.startswith("/") and not operation.endswith("/**")


def _is_command(operation: str) -> bool:
    """Tell whether an operation is a command, no file behind it."""
    begins_with_file, ends_anywhere = operation.startswith("/"), operation.endswith("/**")
    return bool(operation) and not begins_with_file and not ends_anywhere and "//" not in operation


def weigh(steps: Sequence[tuple[str, str | None]], depth: int) -> Way:
    """Return what counts of a chain with ``depth`` steps, given the (edge, via) of at least those
    that have a ``via``.

    A step to all that is registered (a hook of security modules) is no choice of a pointer: who
    calls them by name, as IMA was called up to 6.7, has a step less. Neither is one that only hands
    on what was handed to it, such as that of ``chrdev_open`` to the ``open`` of a driver.
    """
    dispatches = sum(edge == "call" and via is not None for edge, via in steps)
    pointers = [via for edge, via in steps if edge == "pointer" and via is not None]
    return Way(max(depth - dispatches, min(depth, 1)), _calls_another_file(pointers))


def _calls_another_file(pointers: Sequence[str]) -> bool:
    """Tell whether the last operation of a file is called behind one of something else that has
    files of its own, or of another file: an interpreter of execve, the container of a folder of
    coda; or any is one of a file that the kernel keeps for itself, as that of acct. What moves data
    may do so by another operation of the same file (``splice_read`` by ``read``), and one driver's
    ``open`` hands on to another's."""
    of_files = [at for at, via in enumerate(pointers) if via.startswith(_OF_FILES)]
    if not of_files:
        return False
    if any(_KEPT_IN in pointers[at] for at in of_files):
        return True
    last = pointers[of_files[-1]]
    return any(
        via.startswith(_HOLDERS)
        or via == _GIVEN_OPEN
        or (via.startswith(_OF_FILES) and via != last and not _moves_data(via, last))
        for via in pointers[: of_files[-1]]
    )


def _moves_data(*operations: str) -> bool:
    """Tell whether all these operations of files read or write their contents."""
    verbs = ("read", "write", "send")
    return all(any(verb in one for verb in verbs) and "dir" not in one for one in operations)


def select_standing(column: str) -> str:
    """Return SQL for the name of a standing that a column holds as a number."""
    cases = " ".join(f"WHEN {number} THEN '{name}'" for number, name in enumerate(STANDINGS))
    return f"CASE {column} {cases} END"
