"""Common records of captures indexed by compiled code, where that pays and can be had."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Callable
from functools import cache
from mmap import mmap
from typing import Any, Final

from ebee.errors import CompileError
from ebee.machine.capture.packet import Batch

SAMPLE: Final = 256
"""Packets that Python takes before it is asked whether compiled code pays, and after a run of
compiled code that found fewer: a call costs as much as some ten packets in Python."""

WORTH: Final = {True: 20_000, False: 500_000}
"""Packets from which on compiled code pays, when its loader is there already and when not."""

CHUNK: Final = 8192
"""Packets by which the rest of a capture is judged."""

SMALLEST: Final = 16
"""Bytes of the smallest record."""

LOADER: Final = "ebee.machine.jit.batch"

Clock = tuple[int, int, int]
"""Nanoseconds = ticks * times // over + plus."""


class Indexer:
    """Compiled code's part in what a scanner does; `name`: the function of `index_ops`."""

    def __init__(self, name: str):
        self.due = 0
        """The length of the batch from which on `run` wants to be called again."""
        self._name = name
        self._earlier = 0  # packets of earlier batches
        self._on = True
        self._pays = False
        self._size = SMALLEST
        self._run = array("Q")
        self._words: dict[str, int] = {}

    def begin(self) -> None:
        """A batch begins."""
        self.due = 0 if self._pays else SAMPLE

    def end(self, batch: Batch) -> None:
        """A batch is done."""
        self._earlier += len(batch)

    def run(
        self, buffer: mmap | bytearray, pos: int, end: int, batch: Batch, limit: int, order: str,
        **given: Any,
    ) -> int:  # fmt: skip
        """Append common records, if it pays, until the batch has `limit` packets or something
        else comes; returns where that is. `given`: members of `index_ops.Run`."""
        before = len(batch)
        if before < self.due:
            return pos
        self.due = before + SAMPLE
        few = min(limit - before, (end - pos) // SMALLEST) < SAMPLE
        self._pays = self._pays or self._worth(pos, end, batch)
        if few or not self._on or not self._pays:
            return pos
        call = compiled(self._name, order == ("<" if sys.byteorder == "big" else ">"))
        if call is None:
            self._on = False
            return pos
        if not self._words:
            from ebee.machine.capture.index_ops import Run
            from ebee.types import fields, sizeof

            self._words = {name: field.offset // 8 for name, field in fields(Run).items()}
            self._run = array("Q", bytes(sizeof(Run)))
        pos = self._fill(call, buffer, pos, end, batch, limit, given)
        if len(batch) - before >= SAMPLE:
            self.due = len(batch)
        return pos

    def _worth(self, pos: int, end: int, batch: Batch) -> bool:
        """Whether enough packets have been there, or are to be expected."""
        known = self._earlier + len(batch) + self._expected(pos, end, batch)
        return known >= WORTH[LOADER in sys.modules]

    def _expected(self, pos: int, end: int, batch: Batch) -> int:
        """How many packets there will be if they are like those before."""
        if batch:
            self._size = max((pos - batch.offsets[0]) // len(batch), SMALLEST)
        return (end - pos) // self._size + 1

    def _fill(
        self, call: Callable[[int], int], buffer: mmap | bytearray, pos: int, end: int,
        batch: Batch, limit: int, given: dict[str, Any],
    ) -> int:  # fmt: skip
        """Append packets by compiled code up to what it does not take."""
        from ebee.machine.buffer import address

        run, at = self._run, self._words
        where = address(run)
        with memoryview(buffer) as held:  # nobody may close or move it meanwhile
            run[at["data"]], run[at["pos"]], run[at["end"]] = address(held), pos, end
            for name, value in given.items():
                run[at[name]] = address(value) if isinstance(value, array) else value
            while (seen := len(batch)) < limit:
                likely = self._expected(run[at["pos"]], end, batch)
                if seen < CHUNK and not self._earlier:
                    likely = min(likely, CHUNK)  # the first packets say little of the rest
                run[at["room"]] = room = min(limit - seen, likely)
                for name, (_, size) in ARRAYS.items():
                    run[at[name]] = address(_lengthen(batch, name, room)) + seen * size
                count = call(where)
                if count < room:
                    for name in ARRAYS:
                        del getattr(batch, name)[seen + count :]
                    break
            return run[at["pos"]]


def _lengthen(batch: Batch, name: str, room: int) -> array[int]:
    """A batch's array with `room` more elements. Not by appending: that copies the whole again
    and again."""
    old = getattr(batch, name)
    new = array(old.typecode, (0,)) * (len(old) + room)
    new[: len(old)] = old
    setattr(batch, name, new)
    return new


ARRAYS: Final = {
    "stamps": ("Q", 8), "lengths": ("I", 4), "orig_lens": ("I", 4), "interfaces": ("I", 4),
    "offsets": ("Q", 8),
}  # fmt: skip
"""The arrays of a batch: their types and sizes of elements; last the one that gives its length."""


@cache
def compiled(name: str, swapped: bool) -> Callable[[int], int] | None:
    """A function of `index_ops` for records in host or swapped byte order, from the address of a
    Run; None where there is no compiler: Python does it all then, more slowly."""
    try:
        from ebee.lang.build import c_function, native
        from ebee.lang.unit import Spec, compile_native
        from ebee.machine.capture import index_ops

        spec = Spec(getattr(index_ops, name), name, {"swapped": int(swapped)})
        module = compile_native([spec])
        call: Callable[[int], int] = c_function(native(module), name, module.exports[name])
    except (CompileError, ImportError, OSError):
        return None
    return call


def clock_words(clock: Clock) -> tuple[int, int, int, int]:
    """A clock as `index_ops.Clock` has it; all zero when it is beyond that."""
    times, over, plus = clock
    shift = 0
    if times > 1:  # over is a power of two then
        shift, over = over.bit_length() - 1, 1
    if max(times, over) >> 64 or shift > 63 or not -1 << 63 <= plus < 1 << 63:
        return 0, 0, 0, 0
    return times, over, plus & (1 << 64) - 1, shift
