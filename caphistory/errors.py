"""The errors that a user can do something about, each one clear line."""

from __future__ import annotations


class CaphistoryError(Exception):
    """Something could not be read or written: the command line shows the message
    and exits with 3."""

    exit_code = 3


class UsageError(CaphistoryError):
    """The question was put wrongly (unknown name, bad option): exit code 2."""

    exit_code = 2


class NothingFound(CaphistoryError):
    """The question was understood and has no answer: exit code 1."""

    exit_code = 1
