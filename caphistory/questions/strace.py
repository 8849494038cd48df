"""Read the system calls in a log of strace: lines in, calls with their named arguments out."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from errno import errorcode
from pathlib import Path
from typing import NamedTuple

from caphistory.errors import UsageError
from caphistory.questions.inputs import open_file

_PID = r"(?:\[pid\s+(?P<bracketed>\d+)(?:<[^>]*>)?\]\s*|(?P<pid>\d+)(?:<[^>]*>)?\s+)?"
_TIME = r"(?:\d{1,2}:\d{2}:\d{2}(?:\.\d+)?\s+|\d{9,}\.\d+\s+|\d+\.\d{3,}\s+|\(\+\s*\d+\.\d+\)\s+)*"
_POINTER = r"(?:\[[\s0-9a-f?]+\]\s+)*"
_PREFIX = rf"\s*{_PID}{_TIME}{_POINTER}{_TIME}"
_CALL = re.compile(rf"{_PREFIX}(?P<syscall>[a-z_][a-z0-9_]*)\((?P<rest>.*)$")
_RESUMED = re.compile(rf"{_PREFIX}<\.\.\. (?P<syscall>\w+) resumed>\s?,?(?P<rest>.*)$")
_UNFINISHED = re.compile(r"\s*<unfinished \.\.\.>.*$")
_RESULT = re.compile(
    r"^(?P<arguments>.*)\)\s*=\s*(?P<result>-?\d+|0x[0-9a-f]+|\?)(?:<[^>]*>)?"
    r"(?:\s+\(?(?P<errno>E[A-Z][A-Z0-9]+|errno \d+)\b)?"
)
_SUMMARY = re.compile(
    r"\s*[\d.,]+\s+[\d.,]+\s+\d+\s+(?P<calls>\d+)\s+(?:(?P<errors>\d+)\s+)?(?P<syscall>[a-z_]\w*)\s*$"
)
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"(?:\.\.\.)?')
_NAME = re.compile(r"\b[A-Z][A-Z0-9_]{2,}\b")
_PATH = re.compile(r'"(?P<quoted>/[^"]*)"|<(?P<decorated>/[^>]*)>')
_NETLINK = re.compile(r"NETLINK:\[(?P<family>[A-Z0-9_]+)")
_REFUSED = re.compile(r"\{error=-(E[A-Z0-9]+|\d+), msg=\[?\{[^{}]*?nlmsg_type=(\w+)")
_MESSAGE = "{nlmsg_type="
_DESCRIPTOR = re.compile(r"\s*(?P<number>\d+)\b")
_SHARED_TABLE = ("CLONE_FILES", "CLONE_THREAD")
_LONGEST = 100_000
_OPENING = frozenset(
    [
        "open",
        "openat",
        "openat2",
        "creat",
        "socket",
        "accept",
        "accept4",
        "dup",
        "dup2",
        "dup3",
        "memfd_create",
        "perf_event_open",
        "bpf",
    ]
)
"""The calls whose result is a descriptor that later calls name only by its number."""


class Call(NamedTuple):
    """A system call in a log. ``names`` are the named constants among its arguments, and those
    that its first descriptor was opened with; ``paths`` are the same of absolute paths.
    ``errno`` is "" for a call that did not fail; ``times`` is how often it was made."""

    line: int
    syscall: str
    arguments: str
    errno: str
    names: frozenset[str] = frozenset()
    paths: tuple[str, ...] = ()
    times: int = 1


def open_log(text: str) -> Iterable[str]:
    """Return the lines of the file ``text``, or of the text itself where it has a parenthesis and
    no file is called so."""
    is_text = "(" in text and not _is_file(text)
    return text.splitlines() if is_text else open_file(Path(text))


def _is_file(text: str) -> bool:
    """Whether there is a file of this name, which may be none at all (a long line)."""
    try:
        return Path(text).exists()
    except (OSError, ValueError):
        return False


def read_log(
    lines: Iterable[str], name: str, tell_cut_off: Callable[[int], None]
) -> Iterator[Call]:
    """Yield the calls of a log, which is called ``name``; tell how many are cut off, if any.

    Raises UsageError if no line is a call as strace prints it.
    """
    log = Log(lines)
    count = 0
    for count, call in enumerate(log, start=1):  # noqa: B007 - the last count is used
        yield call
    if not count:
        raise UsageError(f"no line of {name} is a call as strace prints it")
    if log.cut_off:
        tell_cut_off(log.cut_off)


class Log:
    """The calls of a log, with a count of the lines that hold a call cut off."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = lines
        self.cut_off = 0

    def __iter__(self) -> Iterator[Call]:
        """Yield the calls in the order in which they ended; those that ``strace -c`` counts as
        failed have the errno ``?``."""
        unfinished: dict[tuple[str, str], str] = {}
        opened: dict[str, dict[int, Call]] = {}
        sent: dict[str, Call] = {}
        for number, line in enumerate(self._lines, start=1):
            line = line.rstrip("\r\n")[:_LONGEST]
            summary = _SUMMARY.match(line)
            if summary and summary["syscall"] != "total":
                yield from _read_summary(number, summary)
                continue
            found = _CALL.match(line)
            resumed = None if found else _RESUMED.match(line)
            call = found or resumed
            if call is None:
                continue
            pid = call["bracketed"] or call["pid"] or ""
            rest = call["rest"]
            if resumed:
                rest = unfinished.pop((pid, call["syscall"]), "") + rest
            if _UNFINISHED.search(rest):
                unfinished[pid, call["syscall"]] = _UNFINISHED.sub("", rest)
                continue
            result = _RESULT.match(rest)
            if result is None:
                self.cut_off += 1
                continue
            made = _make_call(number, pid, call["syscall"], result, opened)
            yield made
            if made.syscall.startswith("send"):
                sent[pid] = made
            elif not made.errno:
                yield from _read_refusals(made, sent.get(pid))
        self.cut_off += len(unfinished)


def _read_refusals(received: Call, sent: Call | None) -> Iterator[Call]:
    """Yield a failed call for each error in a netlink answer: sending succeeds all the same."""
    for error, message in _REFUSED.findall(received.arguments):
        errno = errorcode.get(int(error), error) if error.isdecimal() else error
        names = (sent or received).names - {"NLMSG_ERROR"} | set(_NAME.findall(message))
        syscall = sent.syscall if sent else "sendmsg"
        yield Call(received.line, syscall, f"{_MESSAGE}{message}}}", errno, names)


def is_message(call: Call) -> bool:
    """Whether a call stands for a message that netlink refused in its answer."""
    return call.arguments.startswith(_MESSAGE)


def _read_summary(number: int, line: re.Match[str]) -> Iterator[Call]:
    errors = int(line["errors"] or 0)
    succeeded = int(line["calls"]) - errors
    if succeeded:
        yield Call(number, line["syscall"], "", "", times=succeeded)
    if errors:
        yield Call(number, line["syscall"], "", "?", times=errors)


def _make_call(
    number: int,
    pid: str,
    syscall: str,
    result: re.Match[str],
    opened: dict[str, dict[int, Call]],
) -> Call:
    """Return the call of a line; ``opened`` remembers by process what descriptors stand for."""
    arguments = result["arguments"]
    failed = result["result"].startswith("-") and bool(result["errno"])
    call = Call(
        number,
        syscall,
        arguments,
        result["errno"] if failed else "",
        find_names(arguments),
        find_paths(arguments),
    )
    # Before the first child, strace on a terminal names no process: a new one is that first one.
    table = opened.setdefault(pid, opened.get("", {}))
    descriptor = _DESCRIPTOR.match(arguments)
    origin = table.get(int(descriptor["number"])) if descriptor else None
    if not failed:
        _follow_descriptors(call, result["result"], table, opened)
    if origin and origin.syscall != "close":
        call = call._replace(names=call.names | origin.names, paths=call.paths + origin.paths)
    return call


def _follow_descriptors(
    call: Call, result: str, table: dict[int, Call], opened: dict[str, dict[int, Call]]
) -> None:
    """Remember what a call opened, forget what it closed, and let a child begin with what its
    parent had."""
    descriptor = _DESCRIPTOR.match(call.arguments)
    if call.syscall == "close" and descriptor:
        table.pop(int(descriptor["number"]), None)
    elif call.syscall in _OPENING and result.isdecimal():
        if call.syscall.startswith("dup") and descriptor:
            call = table.get(int(descriptor["number"]), call)
        table[int(result)] = call
    elif call.syscall in ("clone", "clone3", "fork", "vfork") and result.isdecimal():
        opened[result] = table if call.names & set(_SHARED_TABLE) else dict(table)


def find_names(arguments: str) -> frozenset[str]:
    """Return the named constants among arguments as strace prints them, those in quotes left out;
    an address family by both of its names."""
    names = set(_NAME.findall(_STRING.sub('""', arguments)))
    netlink = _NETLINK.search(arguments)
    names |= {f"PF_{name[3:]}" for name in names if name.startswith("AF_")}
    return frozenset(names | ({f"NETLINK_{netlink['family']}"} if netlink else set()))


def find_paths(arguments: str) -> tuple[str, ...]:
    """Return the absolute paths among arguments: in quotes, or beside a descriptor (``-y``)."""
    return tuple(found["quoted"] or found["decorated"] for found in _PATH.finditer(arguments))


FITS, FITS_INSIDE, MAY_FIT = 0, 1, 2
"""How an operation fits a call: all of it is named, its innermost part is, or the arguments do not
say (they are numbers, or only its outer part is named)."""


def fit_operation(operation: str, call: Call) -> int | None:
    """Return how an operation (``PR_SET_MM/PR_SET_MM_MAP``, ``/proc/PID/uid_map``) fits a call;
    None if the call is another one."""
    if not operation:
        return FITS
    constants, path = split_operation(operation)
    if path:
        is_asked = any(map(compile_path(path).fullmatch, call.paths))
        if not is_asked and (call.paths or not call.arguments):
            return None if call.paths else MAY_FIT
        if not is_asked or not constants:
            return FITS if is_asked else MAY_FIT
    named = [name in call.names for name in constants]
    if all(named):
        return FITS
    if named[-1]:
        return FITS_INSIDE
    if not call.arguments:
        return MAY_FIT
    if not _NUMBER.search(_STRING.sub("", call.arguments)):
        return None
    others = find_names(call.arguments) - set(constants) - _SELECTS_NOTHING
    if not others or (any(named) and not any(_is_of_family(o, constants[-1]) for o in others)):
        return MAY_FIT
    return None


_SELECTS_NOTHING = {"NULL", "AT_FDCWD"}
_NUMBER = re.compile(r"[,=]\s*(?:0x[0-9a-f]*[1-9a-f]|[1-9]\d*\b)")
"""A number other than 0, which may stand for a constant that strace does not know; not the first
argument, which is a descriptor."""


def make_call(syscall: str, operation: str = "") -> Call:
    """Return the call of a syscall that asks for an operation, "" for any."""
    constants, path = split_operation(operation) if operation else ([], "")
    return Call(0, syscall, operation, "", frozenset(constants), (path,) if path else ())


def split_operation(operation: str) -> tuple[list[str], str]:
    """Return the constants of an operation, outermost first, and its path, "" if it has none."""
    if operation.startswith("/"):
        return [], operation
    outer, slashes, path = operation.partition("//")
    return outer.split("/"), f"/{path}" if slashes else ""


def compile_path(path: str) -> re.Pattern[str]:
    """Return the pattern of a path in which a part in capitals (PID) or a star stands for any."""
    parts = [
        r"[^/]+" if re.fullmatch(r"[A-Z][A-Z0-9_]*|\*|<[^>]*>", part) else re.escape(part)
        for part in path.split("/")
    ]
    return re.compile("/".join(parts))


def _is_of_family(name: str, other: str) -> bool:
    """Whether two constants are of one family, by what stands before their first underscore:
    SO_REUSEADDR and SO_MARK."""
    return name.partition("_")[0] == other.partition("_")[0]
