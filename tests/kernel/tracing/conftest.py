"""What the tests of tracing share: programs that tell what they saw."""

import os
import struct
import subprocess
from contextlib import ExitStack

import pytest

from ebee.btf import Btf, Func, Typedef
from ebee.isa.asm import assemble
from ebee.linux import LinuxMap, LinuxProgram, uapi

SEEN = struct.Struct("=QqQQ")


class Witness:
    """An array that programs write to: how often they ran in this process (`count`), `cookie`, and
    a `value` of their choice."""

    def __init__(self, stack: ExitStack, pid: int):
        self.stack, self.pid = stack, pid
        self.map = stack.enter_context(LinuxMap.create("array", 4, SEEN.size, 1))

    def program(
        self, type="kprobe", *, body="r7 = 0", cookie=True, result=0, elsewhere=0, everyone=False,
        attach_type="", target="", name="witness", maps=None, **options,
    ):  # fmt: skip
        """A program that counts; `body` has the context in r6 and leaves its value in r7, `maps`
        are those it uses. It gives `result` where it counts, `elsewhere` in other processes."""
        text = f"""
            r6 = r1
            r7 = 0
            call 14
            r0 >>= 32
            {"" if everyone else f"if r0 != {self.pid} goto out"}
            {body}
            *(u32 *)(r10 -4) = 0
            r2 = r10
            r2 += -4
            r1 = map[seen]
            call 1
            if r0 == 0 goto out
            r8 = r0
            r1 = 1
            lock *(u64 *)(r8 +0) += r1
            *(u64 *)(r8 +16) = r7
            {"r1 = r6; call 174; *(u64 *)(r8 +8) = r0" if cookie else ""}
            r0 = {result}
            exit
        out:
            r0 = {elsewhere}
            exit
        """
        if target:
            kind = Typedef if target.startswith("btf_trace_") else Func
            options["attach_btf_id"] = Btf.vmlinux().find(target, kind).id
        held = {"seen": self.map, **(maps or {})}
        code = assemble(text, {name: each.fd.fileno() for name, each in held.items()})
        number = uapi.ATTACH_TYPES[attach_type] if attach_type else 0
        return self.stack.enter_context(
            LinuxProgram.load(code, type, name=name, attach_type=number, **options)
        )

    def _field(self, index: int) -> int:
        return SEEN.unpack(self.map.lookup(bytes(4)))[index]

    @property
    def count(self) -> int:
        return self._field(0)

    @property
    def cookie(self) -> int:
        return self._field(1)

    @property
    def value(self) -> int:
        return self._field(2)

    def clear(self) -> None:
        self.map.update(bytes(4), bytes(SEEN.size))


@pytest.fixture
def witness():
    """See Witness; its programs end with the test."""
    with ExitStack() as stack:
        yield Witness(stack, os.getpid())


@pytest.fixture
def own_tracefs(tmp_path, monkeypatch):
    """tracefs, mounted for this test where the machine has it or not."""
    path = tmp_path / "tracing"
    path.mkdir()
    subprocess.run(["mount", "-t", "tracefs", "tracefs", str(path)], check=True)
    monkeypatch.setattr("ebee.linux.tracefs.ROOTS", (str(path),))
    yield path
    subprocess.run(["umount", "-l", str(path)], check=True)
