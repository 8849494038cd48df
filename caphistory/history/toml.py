"""TOML files: a path in, their content out."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from caphistory.errors import CaphistoryError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


def read_toml(file: Path) -> Mapping[str, Any]:
    """Return the content of a TOML file. Raises CaphistoryError if it cannot be read."""
    try:
        with file.open("rb") as stream:
            content: dict[str, Any] = tomllib.load(stream)
    except OSError as error:
        raise CaphistoryError(f"cannot read {file}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CaphistoryError(f"{file} is not TOML: {error}") from error
    return content
