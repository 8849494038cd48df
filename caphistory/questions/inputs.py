"""Read files that people give: their text within limits, and YAML or JSON in it as plain data."""

from __future__ import annotations

import json
import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from caphistory.errors import UsageError

if TYPE_CHECKING:
    from yaml import Node

MOST_BYTES = 16_000_000
"""The size of the largest file that is read as a whole: a cluster's ten thousand containers."""
_MOST_NODES = 500_000
_DEEPEST = 100


def read_text(file: Path) -> str:
    """Return the text of ``file``, or of standard input for ``-``.

    Raises UsageError for a device, for what is no text, and for more than MOST_BYTES.
    """
    if str(file) == "-":
        source = getattr(sys.stdin, "buffer", None)
        content = source.read(MOST_BYTES + 1) if source else sys.stdin.read(MOST_BYTES + 1)
    else:
        with open_file(file) as descriptor:
            content = descriptor.buffer.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise UsageError(f"{file} is larger than {MOST_BYTES // 1_000_000} MB: give a part of it")
    return content if isinstance(content, str) else _decode(content, file)


def open_file(file: Path) -> TextIO:
    """Open a file or a pipe for reading, bytes that are no UTF-8 replaced; raise UsageError for a
    device or a folder. A pipe that nobody writes to is empty."""
    descriptor = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    mode = os.fstat(descriptor).st_mode
    if not (stat.S_ISREG(mode) or stat.S_ISFIFO(mode)):
        os.close(descriptor)
        noun = "a directory" if stat.S_ISDIR(mode) else "a device or a socket"
        raise UsageError(f"{file} is {noun}, not a file to read")
    os.set_blocking(descriptor, True)
    return os.fdopen(descriptor, encoding="utf-8", errors="replace")


def _decode(content: bytes, file: Path) -> str:
    is_utf16 = content[:2] in (b"\xff\xfe", b"\xfe\xff")
    try:
        text = content.decode("utf-16" if is_utf16 else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{file} is no text") from error
    if "\0" in text:
        raise UsageError(f"{file} is no text")
    return text


def parse_documents(text: str) -> list[Any]:
    """Return the documents of YAML or JSON text as plain data: dicts, lists, texts, numbers.

    Raises UsageError if it is neither, or nested or repeated (by aliases) beyond reason.
    """
    if text.lstrip()[:1] in ("{", "["):
        try:
            return _parse_json(text)
        except ValueError:
            pass  # YAML may begin with a bracket too.
        except RecursionError as error:
            raise UsageError("the file is nested too deeply") from error
    return list(_parse_yaml(text))


def _parse_json(text: str) -> list[Any]:
    """Return the JSON documents in ``text``, which may follow one another."""
    decoder, documents, at = json.JSONDecoder(), [], 0
    while at < len(text):
        document, at = decoder.raw_decode(text, at + len(text[at:]) - len(text[at:].lstrip()))
        documents.append(document)
        if not text[at:].strip():
            break
    return documents


def _parse_yaml(text: str) -> Iterator[Any]:
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    left = [_MOST_NODES]
    try:
        # YAML allows no tabs between tokens, but JSON, which is YAML else, does.
        for node in yaml.compose_all(text.replace("\t", "  "), Loader=loader):
            yield _build(node, left, _DEEPEST)
    except yaml.YAMLError as error:
        if "{{" in text or "{%" in text:
            raise UsageError(
                "the file is a template that is not rendered ({{ … }}): render it first, as with"
                " helm template"
            ) from error
        if "nesting" in str(error):
            raise UsageError("the file is nested too deeply") from error
        mark = getattr(error, "problem_mark", None)
        where = f" (line {mark.line + 1})" if mark else ""
        raise UsageError(f"the file is neither YAML nor JSON{where}") from error
    except RecursionError as error:
        raise UsageError("the file is nested too deeply") from error


def _build(node: Node | None, left: list[int], depth: int) -> Any:
    """Return a YAML node as plain data, without regard to tags of its own (``!reset``). ``left`` is
    how many more nodes may be built, aliases each time anew: what explodes is refused."""
    import yaml

    left[0] -= 1
    if left[0] < 0:
        raise UsageError("the file repeats itself by aliases too often, or is too large")
    if depth < 0:
        raise UsageError("the file is nested too deeply")
    if isinstance(node, yaml.SequenceNode):
        return [_build(item, left, depth - 1) for item in node.value]
    if isinstance(node, yaml.MappingNode):
        return _build_mapping(node, left, depth)
    return None if node is None else _build_scalar(str(node.tag), str(node.value))


def _build_mapping(node: Any, left: list[int], depth: int) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    own: dict[str, Any] = {}
    for key, value in node.value:
        built = _build(value, left, depth - 1)
        if str(key.tag).endswith(":merge"):
            for part in built if isinstance(built, list) else [built]:
                merged = {**(part if isinstance(part, dict) else {}), **merged}
        else:
            own[key.value if isinstance(key.value, str) else repr(key.tag)] = built
    return {**merged, **own}


def _build_scalar(tag: str, value: str) -> str | int | bool | None:
    kind = tag.rpartition(":")[2]
    if kind == "null":
        return None
    if kind == "bool":
        return value.lower() in ("true", "yes", "on")
    if kind == "int":
        try:
            return int(value.replace("_", ""), 0)
        except ValueError:  # 0777 and 1:30 are numbers for YAML 1.1.
            return value
    return value
