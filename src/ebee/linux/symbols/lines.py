"""From addresses to lines of source: DWARF's line tables, by pyelftools."""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Iterator
from functools import cached_property
from typing import Any, NamedTuple

from ebee.linux.symbols.elf import Image


class SourceLine(NamedTuple):
    """A place in source: `line` from 1; `column` 0 where it is not known."""

    file: str
    line: int
    column: int = 0


class Lines:
    """The line tables of an image, one compilation unit at a time, when an address of it is asked
    for. Damaged DWARF gives no lines, and no error: a stack trace goes without them."""

    def __init__(self, image: Image):
        self._image = image
        self._tables: dict[int, tuple[list[int], list[SourceLine | None]]] = {}

    @classmethod
    def of(cls, image: Image) -> Lines | None:
        """The lines of an image; None if it has none."""
        sections = (".debug_line", ".zdebug_line")
        if not any(image.section(name) for name in sections):
            return None
        return cls(image)

    def at(self, address: int) -> SourceLine | None:
        """The line that the instruction at an address (as in the file) was made from."""
        unit = self._unit_of(address)
        if unit is None:
            return None
        addresses, found = self._table(unit)
        index = bisect_right(addresses, address) - 1
        return found[index] if index >= 0 else None

    @cached_property
    def _dwarf(self) -> Any:
        import io

        from elftools.common.exceptions import ELFError
        from elftools.elf.elffile import ELFFile

        try:
            return ELFFile(io.BytesIO(self._image.data)).get_dwarf_info(follow_links=False)
        except (ELFError, ValueError, KeyError, AttributeError, AssertionError):
            return None

    @cached_property
    def _ranges(self) -> tuple[list[int], list[tuple[int, int]]]:
        """Where the code of each compilation unit is: beginnings, (end, offset of the unit)."""
        found = sorted(self._all_ranges())
        return [start for start, _, _ in found], [(end, unit) for _, end, unit in found]

    def _all_ranges(self) -> Iterator[tuple[int, int, int]]:
        dwarf = self._dwarf
        if dwarf is None:
            return
        listed = set()
        table = _quietly(dwarf.get_aranges)
        if table is not None:
            for entry in table.entries:
                listed.add(entry.info_offset)
                yield entry.begin_addr, entry.begin_addr + entry.length, entry.info_offset
        for unit in _quietly(lambda: list(dwarf.iter_CUs())) or ():
            if unit.cu_offset not in listed:
                for start, end in _quietly(lambda unit=unit: list(_unit_ranges(dwarf, unit))) or ():
                    yield start, end, unit.cu_offset

    def _unit_of(self, address: int) -> int | None:
        starts, rest = self._ranges
        index = bisect_right(starts, address) - 1
        if index < 0 or address >= rest[index][0]:
            return None
        return rest[index][1]

    def _table(self, unit: int) -> tuple[list[int], list[SourceLine | None]]:
        if unit not in self._tables:
            rows = _quietly(lambda: sorted(self._rows(unit), key=lambda row: row[0])) or []
            self._tables[unit] = [row[0] for row in rows], [row[1] for row in rows]
        return self._tables[unit]

    def _rows(self, offset: int) -> Iterator[tuple[int, SourceLine | None]]:
        """Addresses in rising order, each with the line from there on; None ends a sequence."""
        unit = self._dwarf.get_CU_at(offset)
        program = self._dwarf.line_program_for_CU(unit)
        if program is None:
            return
        files = _files(program, unit)
        for entry in program.get_entries():
            state = entry.state
            if state is not None and state.end_sequence:
                yield state.address, None
            elif state is not None and state.line:
                yield (
                    state.address,
                    SourceLine(files.get(state.file, "?"), state.line, state.column),
                )


def _files(program: Any, unit: Any) -> dict[int, str]:
    """The names of a line program's files, by number (which DWARF 5 counts from 0)."""
    header = program.header
    first = 0 if header["version"] >= 5 else 1
    top = _text(unit.get_top_DIE().attributes.get("DW_AT_comp_dir"))
    folders = [_decoded(d) for d in header["include_directory"]]
    found = {}
    for number, entry in enumerate(header["file_entry"], first):
        index = entry.dir_index
        folder = top if first and not index else folders[index - first] if folders else ""
        found[number] = os.path.normpath(os.path.join(top, folder, _decoded(entry.name)))
    return found


def _unit_ranges(dwarf: Any, unit: Any) -> Iterator[tuple[int, int]]:
    """The addresses of a unit that .debug_aranges does not list."""
    attributes = unit.get_top_DIE().attributes
    low, high = attributes.get("DW_AT_low_pc"), attributes.get("DW_AT_high_pc")
    ranges = attributes.get("DW_AT_ranges")
    if ranges is not None:
        base = low.value if low else 0
        for entry in dwarf.range_lists().get_range_list_at_offset(ranges.value, cu=unit):
            if hasattr(entry, "base_address"):
                base = entry.base_address
            elif getattr(entry, "is_absolute", False):
                yield entry.begin_offset, entry.end_offset
            else:
                yield base + entry.begin_offset, base + entry.end_offset
    elif low is not None and high is not None:
        size = high.value if high.form != "DW_FORM_addr" else high.value - low.value
        yield low.value, low.value + size


def _text(attribute: Any) -> str:
    return _decoded(attribute.value) if attribute is not None else ""


def _decoded(raw: bytes | str) -> str:
    return raw.decode(errors="replace") if isinstance(raw, bytes) else raw


def _quietly(function: Any) -> Any:
    """What a function gives, None where pyelftools stumbles over what it reads."""
    from elftools.common.exceptions import DWARFError, ELFError

    try:
        return function()
    except (DWARFError, ELFError, KeyError, IndexError, ValueError, AssertionError, AttributeError,
            NotImplementedError):  # fmt: skip
        return None
