"""The command line: it runs ``caphistory.questions.queries`` and prints the answers."""

from __future__ import annotations

import os
import sqlite3
import sys
from collections.abc import Sequence
from typing import NoReturn

import click

from caphistory.errors import CaphistoryError

STOPPED = 130


def main() -> NoReturn:
    """Run the command line and exit with its code."""
    from caphistory.cli.streams import accept_any_text

    accept_any_text(sys.stdout, sys.stderr)
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run the command line on ``arguments`` and return its exit code: 0 for an answer, 1 if nothing
    was found, 2 for wrong usage, 3 if something cannot be read or written, 130 when interrupted.
    Errors are printed on stderr, in one line each."""
    from caphistory.cli.root import root

    try:
        if "_CAPHISTORY_COMPLETE" in os.environ:
            root.main(list(arguments), prog_name="caphistory")
        with root.make_context("caphistory", list(arguments)) as context:
            root.invoke(context)
        sys.stdout.flush()
    except click.exceptions.Exit as end:
        return end.exit_code
    except BrokenPipeError:
        # Python flushes stdout once more at exit, into the same broken pipe.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (KeyboardInterrupt, click.Abort):
        return _complain("stopped", STOPPED)
    except CaphistoryError as error:
        return _complain(str(error), error.exit_code)
    except click.UsageError as error:
        where = error.ctx.command_path if error.ctx else "caphistory"
        return _complain(f"{error.format_message()} ({where} --help)", 2)
    except click.ClickException as error:
        return _complain(error.format_message(), 3)
    except sqlite3.Error as error:
        return _complain(f"the database cannot be read: {error}", 3)
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing == "caphistory":
            raise
        return _complain(
            f"this needs the Python package {missing}: python -m pip install caphistory", 3
        )
    except OSError as error:
        return _complain(f"{error.filename or 'cannot go on'}: {error.strerror or error}", 3)
    return 0


def _complain(message: str, exit_code: int) -> int:
    from caphistory.wording.plain import clean

    click.echo(f"caphistory: {clean(' '.join(message.split()))}", file=sys.stderr)
    return exit_code
