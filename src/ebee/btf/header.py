"""The header of a BTF blob and its two sections (Documentation/bpf/btf.rst, section 2)."""

from __future__ import annotations

import struct
import sys
from array import array
from typing import TYPE_CHECKING

from ebee.btf.index import Words
from ebee.errors import BtfError

if TYPE_CHECKING:
    from mmap import mmap

MAGIC = 0xEB9F
MAX_STRINGS = 0x00FFFFFF
"""Bytes of names that the kernel takes (BTF_MAX_NAME_OFFSET)."""


def read_header(data: bytes | mmap, name: str, split: bool) -> tuple[str, memoryview, bytes]:
    """(byte order, type section, string section) of a blob, all bounds checked."""
    size = len(data)
    if size < 24:
        raise BtfError(f"{name}: {size} bytes are too few for BTF (its header takes 24)")
    order = {b"\x9f\xeb": "little", b"\xeb\x9f": "big"}.get(bytes(data[:2]))
    if order is None:
        raise BtfError(f"{name}: this is no BTF: it begins with {bytes(data[:2]).hex()}, not 9feb")
    prefix = "<" if order == "little" else ">"
    version, flags, length, type_at, type_size, string_at, string_size = struct.unpack_from(
        prefix + "xxBBIIIII", data
    )
    if version != 1:
        raise BtfError(f"{name}: BTF version {version} is unknown (only 1 is)")
    if flags:
        raise BtfError(f"{name}: BTF header flags {flags:#x} are unknown")
    if not 24 <= length <= size:
        raise BtfError(f"{name}: the BTF header claims {length} bytes; there are {size}")
    for what, at, extent in (("type", type_at, type_size), ("string", string_at, string_size)):
        if length + at + extent > size:
            raise BtfError(
                f"{name}: the {what} section ({extent} bytes at {length + at}) reaches past the "
                f"end ({size} bytes); the BTF is cut off or damaged"
            )
    if type_at % 4 or type_size % 4:
        raise BtfError(f"{name}: the type section is not aligned to 4 bytes")
    if max(type_at, string_at) < min(type_at + type_size, string_at + string_size):
        raise BtfError(f"{name}: the type and string sections overlap")
    types = memoryview(data)[length + type_at : length + type_at + type_size]
    strings = bytes(data[length + string_at : length + string_at + string_size])
    if not strings and split:
        return order, types, strings  # every name may be one of the base's
    if not strings or strings[-1] or len(strings) > MAX_STRINGS + 1:
        raise BtfError(f"{name}: the string section is empty, too long or not NUL-terminated")
    if strings[0] and not split:
        raise BtfError(
            f"{name}: the string section does not begin with the empty string; if this is split BTF"
            " (a module's), it must be read with its base"
        )
    return order, types, strings


def as_words(section: memoryview, order: str) -> Words:
    if order == sys.byteorder:
        return section.cast("I")
    words = array("I", bytes(section))
    words.byteswap()
    return words
