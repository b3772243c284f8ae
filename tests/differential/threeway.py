"""Functions of the language three ways: CPython, the machine (both engines), the kernel.

    with ThreeWay(text, "f") as way:      # text defines `f`, marked @func, of integers
        assert way.agree(1, 2) == 3       # all ways gave it

Arguments come from the packet of an XDP program, and results go back there.
"""

import itertools
import os
from array import array

from ebee import linux
from ebee.lang.bpf import build
from ebee.lang.source import define
from ebee.lang.unit import signature_of
from ebee.lang.values import name_of
from ebee.machine.jit.batch import PacketBatch
from ebee.machine.machine import Machine
from ebee.types import i64, u64

KERNEL = os.geteuid() == 0
HEAD = "from ebee import *\n"
PROGRAM = """

@struct
class _Given:
{members}
    results: array[u64, {count}]

@xdp
def _run(ctx: XdpContext) -> XDP:
    given = ctx.packet().take(_Given)
    if given is None:
        return XDP.ABORTED
{calls}
    return XDP.PASS
"""
SHOWN = {bool: "u8", int: "i64"}
USED = {bool: "given.{} != 0", int: "int(given.{})"}


class ThreeWay:
    """Functions of the same parameters, compiled once and loaded where they can be."""

    def __init__(self, text, *names, kernel=KERNEL, tier="optimised"):
        self.tier, self.text, self.names = tier, text, names or ("f",)
        space = define(HEAD + text)
        self.python = [space[n] for n in self.names]
        self.results = [signature_of(f)[1] for f in self.python]
        self.types = [t for _, t in signature_of(self.python[0])[0]]
        members = [f"    a{i}: {SHOWN.get(t) or name_of(t)}" for i, t in enumerate(self.types)]
        given = ", ".join(USED.get(t, "given.{}").format(f"a{i}") for i, t in enumerate(self.types))
        calls = [f"    given.results[{i}] = u64({n}({given}))" for i, n in enumerate(self.names)]
        whole = HEAD + text + PROGRAM.format(
            members="\n".join(members or ["    unused: u64"]), count=len(self.names),
            calls="\n".join(calls),
        )  # fmt: skip
        made = define(whole)
        self.given, self.spec = made["_Given"], build.compile(made["_run"])
        self.machine = Machine()
        self.opened = [self.machine]
        try:
            self.on_machine = self.machine.load(self.spec).programs["_run"]
            self.on_kernel = None
            if kernel:
                self.opened.append(loaded := linux.load(self.spec))
                self.on_kernel = loaded.programs["_run"]
        except BaseException:
            self.close()
            raise

    def answers(self, rows):
        """For each way what the functions give for each row of arguments, as 64 bits."""
        frames = [self._frame(row) for row in rows]
        found = {"CPython": [[int(u64(int(f(*self._typed(row))))) for f in self.python]
                             for row in rows]}  # fmt: skip
        found["interpreter"] = [self._read(self.on_machine.test_run(f)) for f in frames]
        found["compiled"] = self._batch(frames)
        if self.on_kernel is not None:
            found["kernel"] = [self._read(self.on_kernel.test_run(f)) for f in frames]
        return found

    def _typed(self, row):
        return [bool(v) if t is bool else t(v) for t, v in zip(self.types, row, strict=True)]

    def _frame(self, row):
        given = self.given(**{f"a{i}": int(v) for i, v in enumerate(row)})
        return bytes(given).ljust(64, b"\0")

    def _results(self, data):
        at = self.given.results.offset
        whole = bytes(data)[at : at + 8 * len(self.names)]
        return [int.from_bytes(whole[i : i + 8], "little") for i in range(0, len(whole), 8)]

    def _read(self, run):
        assert run.retval == 2, self.text
        return self._results(run.data)

    def _batch(self, frames):
        lengths = array("I", map(len, frames))
        offsets = array("Q", [0, *itertools.accumulate(lengths)][:-1])
        stamps = array("Q", bytes(8 * len(frames)))
        batch = PacketBatch(b"".join(frames), offsets, lengths, stamps, keep=True)
        while self.on_machine.run_batch(batch, self.tier):
            pass
        assert set(batch.verdicts) == {2}, self.text
        return [self._results(batch.packet(i)) for i in range(len(frames))]

    def check(self, rows):
        """Assert that all ways agree on each row; gives what they say."""
        found = self.answers(rows)
        expected = found["CPython"]
        for way, got in found.items():
            for row, want, have in zip(rows, expected, got, strict=True):
                assert have == want, (way, row, self.text)
        return expected

    def agree(self, *values):
        """What all ways give for one function: a number of its result type."""
        ((result,),) = self.check([values])
        t = self.results[0]
        return int(t(result)) if t not in (bool, int) else int(i64(result))

    def close(self):
        """Out of the kernel and the machine."""
        for thing in self.opened:
            thing.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def edge(t, rng):
    """A number of a type, often where things change."""
    if t is bool:
        return rng.randrange(2)
    bits = 64 if t is int else t.bits
    top = 1 << bits
    n = rng.choice((0, 1, 2, 3, 7, top - 1, top // 2, top // 2 - 1, rng.getrandbits(bits),
                    rng.getrandbits(rng.randrange(1, bits + 1))))  # fmt: skip
    return int((i64 if t is int else t)(n))


def rows(types, rng, count):
    """Random arguments."""
    return [[edge(t, rng) for t in types] for _ in range(count)]


__all__ = ["ThreeWay", "edge", "rows"]
