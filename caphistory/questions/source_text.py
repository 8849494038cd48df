"""The source text of the functions that an answer names, read from a clone on this machine."""

from __future__ import annotations

from caphistory.history.source_text import (
    FunctionText,
    KernelSource,
    cached_repositories,
    open_kernel,
)

__all__ = ["FunctionText", "KernelSource", "cached_repositories", "open_kernel"]
