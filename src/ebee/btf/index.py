"""Where each type of a type section begins, found in one pass, and kept in the cache.

The pass over the 126,000 types of a kernel is what makes BTF slow to open, so its result (two
arrays of 32-bit words: starts, and types in the order of their names) is stored per kernel.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

from ebee.btf.types import KINDS
from ebee.errors import BtfError

Words: TypeAlias = "memoryview | array[int]"
"""32-bit words in the host's order; a memoryview of them in format "I", or an array("I")."""

# kind -> words after the three of every type: (always, per vlen entry), and whether the kind may
# use its kind_flag (kernel/bpf/btf.c, *_check_meta). FUNC keeps its linkage in vlen.
_LAYOUT: dict[int, tuple[int, int, bool]] = {
    1: (1, 0, False),  # INT: encoding
    2: (0, 0, False),
    3: (3, 0, False),  # ARRAY: type, index type, count
    4: (0, 3, True),  # STRUCT: name, type, offset
    5: (0, 3, True),
    6: (0, 2, True),  # ENUM: name, value
    7: (0, 0, True),  # FWD
    8: (0, 0, False),
    9: (0, 0, False),
    10: (0, 0, False),
    11: (0, 0, False),
    12: (0, 0, False),
    13: (0, 2, False),  # FUNC_PROTO: name, type
    14: (1, 0, False),  # VAR: linkage
    15: (0, 3, False),  # DATASEC: type, offset, size
    16: (0, 0, False),
    17: (1, 0, True),  # DECL_TAG: component
    18: (0, 0, True),  # TYPE_TAG
    19: (0, 3, True),  # ENUM64: name, low, high
}
_VLEN_IS_NO_COUNT = {12}


class _Steps(dict[int, int]):
    """info word -> how many words the type takes; each distinct info word is checked once."""

    def __missing__(self, info: int) -> int:
        kind, vlen = info >> 24 & 0x1F, info & 0xFFFF
        if kind not in _LAYOUT:
            raise BtfError(f"kind {kind} is unknown (info word {info:#x})")
        fixed, each, flag = _LAYOUT[kind]
        name = KINDS[kind].__name__
        if info & 0x60FF0000:
            raise BtfError(f"reserved bits are set in the info word {info:#x} of a {name}")
        if info >> 31 and not flag:
            raise BtfError(f"a {name} cannot have the kind flag (info word {info:#x})")
        if vlen and not each and kind not in _VLEN_IS_NO_COUNT:
            raise BtfError(f"a {name} cannot have {vlen} entries (info word {info:#x})")
        step = self[info] = 3 + fixed + each * vlen
        return step


class Index(NamedTuple):
    """`starts[i]` is the first word of local type i; `by_name` holds all i, sorted by the
    string offset of their names."""

    starts: Sequence[int]
    by_name: Sequence[int]


def build(words: Words) -> Index:
    """Index a type section; BtfError for a kind that is unknown or a type that is cut off."""
    steps, starts, names = _Steps(), array("I"), array("I")
    # An array's items come out faster than a memoryview's.
    fast = words if isinstance(words, array) else array("I", words.tobytes())
    position, end = 0, len(fast)
    add_start, add_name = starts.append, names.append
    try:
        while position < end:
            add_start(position)
            add_name(fast[position])
            position += steps[fast[position + 1]]
    except IndexError:
        position = end + 1
    except BtfError as error:
        raise BtfError(f"BTF type number {len(starts)} of its section: {error}") from None
    if position > end:
        raise BtfError(
            f"BTF type section: type number {len(starts)} runs past the end of the section"
        )
    return Index(starts, array("I", sorted(range(len(names)), key=names.__getitem__)))


_HEADER = struct.Struct("=8sIII")
_MAGIC = b"ebeebtf\x02"


def cached(key: str, words: Words) -> Index | None:
    """The stored index of the section `words`, or None if there is none that fits."""
    from ebee import cachedir

    data = cachedir.load("btf", key)
    if data is None or len(data) < _HEADER.size:
        return None
    magic, section, count, last = _HEADER.unpack_from(data)
    if magic != _MAGIC or section != len(words) or len(data) != _HEADER.size + 8 * count:
        return None
    # The key names the content; this only guards against a file cut short or swapped by hand.
    # A wrong index could at most show wrong types: every access is checked against the section.
    both = memoryview(data)[_HEADER.size :].cast("I")
    starts, by_name = both[:count], both[count:]
    if not count or starts[0] or starts[count - 1] != last or last + 3 > section:
        return None
    return Index(starts, by_name)


def keep(key: str, words: Words, index: Index) -> None:
    """Store `index` for the next `cached`; silently nothing where there is no cache."""
    from ebee import cachedir

    count = len(index.starts)
    if count:
        header = _HEADER.pack(_MAGIC, len(words), count, index.starts[count - 1])
        body = array("I", index.starts).tobytes() + array("I", index.by_name).tobytes()
        cachedir.store("btf", key, header + body)
