"""Columns of numbers, texts and blobs as bytes that compress well and are read at C speed.

Numbers from 0 that fit one byte or two are stored as they are: that compresses better than their
differences, and nothing is left to compute. Others are stored as differences, four bytes each, all
first bytes before all second bytes and so on: what stays almost the same from row to row becomes
long runs of zeros. The first byte of a column says which.
"""

from __future__ import annotations

import json
import sys
from array import array
from collections.abc import Iterable, Sequence
from contextlib import suppress
from io import BufferedIOBase
from itertools import accumulate, chain, pairwise

# Codes of ``array``: one byte, two bytes, and four with a sign.
_PLAIN, _WIDE, _WIDTH = ("B", "H"), "i", 4


def write_part(file: BufferedIOBase, data: bytes) -> None:
    """Write bytes with their length before them."""
    file.write(len(data).to_bytes(8, "little"))
    file.write(data)


def read_part(file: BufferedIOBase) -> bytes:
    """Read what ``write_part`` wrote; raises EOFError where the file ends too early."""
    length = file.read(8)
    data = file.read(int.from_bytes(length, "little"))
    if len(length) < 8 or len(data) < int.from_bytes(length, "little"):
        raise EOFError("the file is cut off")
    return data


def pack_numbers(numbers: Sequence[int]) -> bytes:
    """Return numbers of at most 31 bits as bytes."""
    for code in _PLAIN:
        with suppress(OverflowError):
            return code.encode() + _order_bytes(array(code, numbers)).tobytes()
    differences = array(_WIDE, (b - a for a, b in pairwise(chain((0,), numbers))))
    mixed = _order_bytes(differences).tobytes()
    return _WIDE.encode() + b"".join(mixed[plane::_WIDTH] for plane in range(_WIDTH))


def unpack_numbers(data: bytes) -> Sequence[int]:
    """Return what ``pack_numbers`` was given."""
    code, packed = chr(data[0]), data[1:]
    if code in _PLAIN:
        return _order_bytes(array(code, packed))
    size = len(packed) // _WIDTH
    mixed = bytearray(len(packed))
    for plane in range(_WIDTH):
        mixed[plane::_WIDTH] = packed[plane * size : (plane + 1) * size]
    return list(accumulate(_order_bytes(array(_WIDE, bytes(mixed)))))


def pack_optional(numbers: Iterable[int | None]) -> bytes:
    """Return numbers, some of them None, as bytes: None becomes 0 and makes room from 0 upwards."""
    return pack_numbers([0 if n is None else n + 1 if n >= 0 else n for n in numbers])


def unpack_optional(data: bytes) -> list[int | None]:
    """Return what ``pack_optional`` was given."""
    return [n - 1 if n > 0 else n or None for n in unpack_numbers(data)]


def pack_texts(texts: Sequence[str | None]) -> bytes:
    """Return texts, some of them None, as bytes."""
    return json.dumps(texts, ensure_ascii=False, separators=(",", ":")).encode()


def unpack_texts(data: bytes) -> list[str | None]:
    """Return what ``pack_texts`` was given."""
    texts: list[str | None] = json.loads(data)
    return texts


def pack_blobs(blobs: Sequence[bytes]) -> bytes:
    """Return blobs as bytes: their lengths, then all of them."""
    lengths = pack_numbers([len(blob) for blob in blobs])
    return len(lengths).to_bytes(8, "little") + lengths + b"".join(blobs)


def unpack_blobs(data: bytes) -> list[bytes]:
    """Return what ``pack_blobs`` was given."""
    start = 8 + int.from_bytes(data[:8], "little")
    ends = accumulate(unpack_numbers(data[8:start]), initial=start)
    return [data[a:b] for a, b in pairwise(ends)]


def _order_bytes(numbers: array[int]) -> array[int]:
    """Return numbers whose lowest byte comes first, or such as this machine has them."""
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers
