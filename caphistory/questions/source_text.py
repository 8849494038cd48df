"""The source text of what an answer names, where a clone on this machine has it."""

from __future__ import annotations

from caphistory.history.source_text import (
    FunctionText,
    KernelSource,
    cached_repositories,
    open_kernel,
)

__all__ = ["FunctionText", "KernelSource", "cached_repositories", "open_kernel"]
