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
def skip_cycle_search() -> Iterator[None]:
    """Switch the garbage collector off: rows hold no cycles, and searching so many objects for some
    takes a sixth of the time or more."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@contextmanager
def block_interrupts() -> Iterator[None]:
    """Block SIGINT while workers start. Ctrl-C reaches all processes of a terminal, but only the
    writing process handles it and ends the workers; these never see it, not even while Python
    starts."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def end_with_parent() -> None:
    """Wait for the writing process to end, even by a kill, and end this process."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
