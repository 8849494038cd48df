"""What worker processes and long runs share: signals, the parent's end, the search for cycles."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import wait


@contextmanager
def no_search_for_cycles() -> Iterator[None]:
    """Without the garbage collector's search: rows hold no cycles, and looking for some among so
    many objects takes a sixth of the time and more."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@contextmanager
def no_interrupts() -> Iterator[None]:
    """Ctrl-C goes to all processes of a terminal, but is the writing process' business, which
    ends the workers: those started here never hear of it, not even while Python starts."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def end_with_parent() -> None:
    """End this process when the writing process is gone, be it killed."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
