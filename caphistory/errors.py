"""The errors that a user can act on; each message is one clear line."""

from __future__ import annotations


class CaphistoryError(Exception):
    """Something cannot be read or written: the command line prints the message and exits with 3."""

    exit_code = 3


class UsageError(CaphistoryError):
    """The question is wrong (an unknown name, a bad option): exit code 2."""

    exit_code = 2


class NothingFound(CaphistoryError):
    """The question has no answer: exit code 1."""

    exit_code = 1
