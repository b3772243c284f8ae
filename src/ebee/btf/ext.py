""".BTF.ext: which instruction is which function, source line and CO-RE relocation.

The layout is that of Documentation/bpf/btf.rst section 4 and uapi/linux/bpf.h (bpf_func_info,
bpf_line_info, bpf_core_relo). Three subsections, each: a record size, then per ELF section its
name, a count and that many records. Offsets are in bytes, as in the file; an instruction has 8.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

from ebee.btf.header import MAGIC
from ebee.btf.reader import Btf
from ebee.btf.relo import CoreKind as CoreKind
from ebee.btf.relo import CoreRelo as CoreRelo
from ebee.errors import BtfError

R = TypeVar("R", bound="tuple[Any, ...]")


class FuncInfo(NamedTuple):
    """A function begins at `offset` of its section; `type` is its Func."""

    offset: int
    type: int


class LineInfo(NamedTuple):
    """The code from `offset` on comes from `line` of `file`; `text` is that source line."""

    offset: int
    file: str
    text: str
    line: int
    column: int


@dataclass
class BtfExt:
    """The three tables, by ELF section name; each in the order of the file."""

    funcs: dict[str, list[FuncInfo]] = field(default_factory=dict)
    lines: dict[str, list[LineInfo]] = field(default_factory=dict)
    relos: dict[str, list[CoreRelo]] = field(default_factory=dict)

    @classmethod
    def parse(cls, data: bytes, btf: Btf) -> BtfExt:
        """Read a .BTF.ext section; `btf` is the .BTF of the same object (it holds the strings).

        Longer records than known are taken and their rest skipped, as the format asks; shorter
        ones and all that reaches out of bounds raise BtfError.
        """
        order = {b"\x9f\xeb": "<", b"\xeb\x9f": ">"}.get(bytes(data[:2]))
        if len(data) < 24 or order is None:
            raise BtfError(".BTF.ext: too short, or does not begin with the BTF magic number")
        version, flags, length = struct.unpack_from(order + "xxBBI", data)
        if version != 1 or flags:
            raise BtfError(f".BTF.ext: version {version} with flags {flags:#x} is unknown")
        if not 24 <= length <= len(data):
            raise BtfError(f".BTF.ext: the header claims {length} of {len(data)} bytes")
        # Headers of 24 bytes, before Linux 5.4, have no CO-RE part.
        sizes = struct.unpack_from(order + ("6I" if length >= 32 else "4I"), data, 8)
        funcs, lines, *relos = (
            _Part(data, order, btf, length + at, size)
            for at, size in zip(sizes[::2], sizes[1::2], strict=True)
        )
        string = _Strings(btf, len(data)).string
        return cls(
            funcs.read("function info", "II", lambda at, type_id: FuncInfo(at, type_id)),
            lines.read(
                "line info",
                "IIII",
                lambda at, file, text, place: LineInfo(
                    at, string(file), string(text), place >> 10, place & 0x3FF
                ),
            ),
            relos[0].read(
                "CO-RE relocation",
                "IIII",
                lambda at, type_id, access, kind: CoreRelo(
                    at, type_id, string(access), _kind(kind)
                ),
            )
            if relos
            else {},
        )

    def bytes(self, string: Callable[[str], int], byteorder: str = "little") -> bytes:
        """The section's bytes; `string` gives the offset of a string in the .BTF that goes with
        it (BtfBuilder.string)."""
        order = "<" if byteorder == "little" else ">"
        parts = [
            _write(self.funcs, order, string, lambda info: info),
            _write(
                self.lines,
                order,
                string,
                lambda info: (
                    info.offset,
                    string(info.file),
                    string(info.text),
                    min(info.line, 0x3FFFFF) << 10 | min(info.column, 0x3FF),
                ),
            ),
            _write(
                self.relos,
                order,
                string,
                lambda relo: (relo.offset, relo.type, string(relo.access), relo.kind),
            ),
        ]
        places: list[int] = []
        for number, part in enumerate(parts):
            places += (sum(map(len, parts[:number])), len(part))
        return struct.pack(order + "HBBI6I", MAGIC, 1, 0, 32, *places) + b"".join(parts)


class _Strings:
    """A Btf's strings, each made once: thousands of lines name the same file. Together they may
    not be out of proportion to the data, as they are when records point into one long string at
    ever new places."""

    def __init__(self, btf: Btf, size: int):
        self._btf, self._budget = btf, 16 * (size + btf.string_end) + 4096
        self._known: dict[int, str] = {}

    def string(self, offset: int) -> str:
        """The string at an offset; BtfError when it is damaged, or all are too many."""
        if offset not in self._known:
            text = self._known[offset] = self._btf.string(offset)
            self._budget -= len(text)
            if self._budget < 0:
                raise BtfError("its strings overlap too much")
        return self._known[offset]


def _kind(number: int) -> CoreKind:
    try:
        return CoreKind(number)
    except ValueError:
        raise BtfError(f"CO-RE relocation kind {number} is unknown") from None


class _Part(NamedTuple):
    """One subsection of .BTF.ext."""

    data: bytes
    order: str
    btf: Btf
    start: int
    size: int

    def read(self, what: str, layout: str, make: Callable[..., R]) -> dict[str, list[R]]:
        """All records, by section. `layout` is the part of a record that is known."""
        data, order, (start, end) = self.data, self.order, (self.start, self.start + self.size)
        if not self.size:
            return {}
        if end > len(data) or self.size < 4:
            raise BtfError(f".BTF.ext: the {what} ({self.size} bytes at {start}) is cut off")
        record = struct.Struct(order + layout)
        (size,) = struct.unpack_from(order + "I", data, start)
        if size < record.size or size % 4:
            raise BtfError(f".BTF.ext: {what} records of {size} bytes; {record.size} are needed")
        found: dict[str, list[R]] = {}
        at = start + 4
        while at < end:
            if at + 8 > end:
                raise BtfError(f".BTF.ext: the {what} is cut off at byte {at}")
            name, count = struct.unpack_from(order + "II", data, at)
            at += 8
            if count == 0 or at + count * size > end:
                raise BtfError(f".BTF.ext: {count} {what} records at byte {at} do not fit")
            try:
                records = found.setdefault(self.btf.string(name), [])
                for place in range(at, at + count * size, size):
                    records.append(make(*record.unpack_from(data, place)))
            except BtfError as error:
                raise BtfError(f".BTF.ext: {what} at byte {at}: {error}") from None
            at += count * size
        return found


def _write(
    table: Mapping[str, Iterable[R]],
    order: str,
    string: Callable[[str], int],
    words: Callable[[R], tuple[int, ...]],
) -> bytes:
    """One subsection; nothing at all if no section has records."""
    body, size = b"", 0
    for name, records in table.items():
        rows = [words(record) for record in records]
        if rows:
            size = 4 * len(rows[0])
            flat = [word for row in rows for word in row]
            body += struct.pack(f"{order}II{len(flat)}I", string(name), len(rows), *flat)
    return struct.pack(order + "I", size) + body if body else b""
