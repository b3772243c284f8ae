"""Where `ebee run` puts a program: on the machine, or into the kernel. One program can follow
another there, with the maps that both have in common."""

from __future__ import annotations

import math
import os
import stat
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from ebee.cli import engines, report
from ebee.cli.check import before_run
from ebee.cli.companion import SHOWN
from ebee.cli.counted import MAP
from ebee.errors import EbeeError, MachineError

if TYPE_CHECKING:
    from ebee.cli.engines import Engine
    from ebee.machine.jit.engine import Tier
    from ebee.obj.handles import Object
    from ebee.obj.spec import ObjectSpec

EMPTY: frozenset[str] = frozenset()


@dataclass
class Loaded:
    """A loaded object, the (first) program of it that is run, and what runs packets through it.
    `maps` are byte-level maps that the place looks after; `counted`: the kernel counts verdicts."""

    object: Object
    program: Any
    engine: Engine
    maps: dict[str, Any] = field(default_factory=dict)
    counted: bool = False


class Place(Protocol):
    """A place for programs. `load` puts some of an object there, with the maps called `keep` taken
    over from the one `before`; `retire` gives back what the one before does not share with its
    successor; `hasten` makes reading its maps fast, where that takes time and is worth it."""

    name: str

    def load(
        self, spec: ObjectSpec, names: Sequence[str], before: Loaded | None, keep: Collection[str]
    ) -> Loaded: ...
    def retire(self, before: Loaded, after: Loaded) -> None: ...
    def hasten(self, loaded: Loaded) -> None: ...
    def close(self) -> None: ...


def place(where: str, options: dict[str, Any]) -> Place:
    """The place that the command's options ask for."""
    return OnMachine(options) if where == "machine" else InKernel(bool(options["count"]))


WORTH_A_WALK = 4 << 20
"""Bytes of a capture from which on it is worth a second or so of verifying that its packets then
run without checks, and some tenths that code for them is optimised well."""


def _size(path: str) -> float:
    """Bytes of a capture; of a pipe nobody knows."""
    try:
        found = os.stat(path)
    except OSError:
        return 0
    return found.st_size if stat.S_ISREG(found.st_mode) else math.inf


def wanted(spec: ObjectSpec, names: Sequence[str]) -> list[str]:
    """Programs, and those that they may call through maps."""
    called = {target for m in spec.maps.values() for target in m.contents.values()}
    return [*names, *sorted(called & spec.programs.keys() - set(names))]


class OnMachine:
    """User space: one machine for all programs that follow each other."""

    name = "machine"

    def __init__(self, options: dict[str, Any]):
        from ebee.machine.machine import Machine

        self.options = options
        self._packets = _size(options["pcap"])
        self.machine = Machine(options["cpus"] or 1, seed=options["seed"])

    def load(
        self,
        spec: ObjectSpec,
        names: Sequence[str],
        before: Loaded | None = None,
        keep: Collection[str] = EMPTY,
    ) -> Loaded:
        """See Place."""
        old = before.maps if before else {}
        maps = {n: old[n] for n in keep}
        try:
            for n, m in spec.maps.items():
                if n not in maps:
                    maps[n] = self.machine.create_map(m, spec.btf)
            loaded = self.machine.load(spec, wanted(spec, names), **maps)
            for warning in loaded.spec.warnings[len(spec.warnings) :]:
                report.warn(warning)  # of types that stand in for a kernel's
            program = loaded.programs[names[0]]
            kind = self.options["engine"]
            trusted = bool(self.options["trust"])
            small = self._packets < WORTH_A_WALK
            if not trusted and kind != "interpreter":
                proofs = before_run(spec, wanted(spec, names), known=small)
                for n, proof in (proofs or {}).items():
                    loaded.programs[n].prove(proof)
                trusted = proofs is not None
            tier: Tier = "quick" if small else "optimised"
            engine = engines.on_machine(self.machine, program, kind, trusted, tier)
        except BaseException:
            self._close({n: m for n, m in maps.items() if n not in keep})
            raise
        return Loaded(loaded, program, engine, maps)

    def retire(self, before: Loaded, after: Loaded) -> None:
        """See Place."""
        before.object.close()
        self._close({n: m for n, m in before.maps.items() if after.maps.get(n) is not m})

    def hasten(self, loaded: Loaded) -> None:
        """Have what user space does with the maps compiled: 20 to 100 ms for each map, and then
        reading a thousand elements takes 30 ms rather than 300."""
        with suppress(EbeeError, ImportError):  # no compiler: it stays as it is
            for name, m in loaded.object.maps.items():
                if (
                    loaded.object.spec.maps[name].type in SHOWN
                    and loaded.object.spec.maps[name].data is None
                ):
                    m.raw.compile()  # type: ignore[attr-defined]

    def _close(self, maps: dict[str, Any]) -> None:
        for m in maps.values():
            self.machine.close_map(m)

    def close(self) -> None:
        """Give everything back."""
        self.machine.close()


class InKernel:
    """The kernel. With `count` it counts what programs return, where that can be done."""

    name = "linux"

    def __init__(self, count: bool = False):
        self.count = count
        self._open: list[Loaded] = []

    def load(
        self,
        spec: ObjectSpec,
        names: Sequence[str],
        before: Loaded | None = None,
        keep: Collection[str] = EMPTY,
    ) -> Loaded:
        """See Place."""
        try:
            from ebee.linux.backend import load
            from ebee.linux.maps import LinuxMap
            from ebee.linux.sys import Fd
        except ImportError as error:  # not on this system: no epoll, say
            raise MachineError(f"there is no Linux here to load into: {error}") from None
        counting = self._counting(spec, names[0])
        if counting and before and before.counted:
            keep = {*keep, MAP}
        maps: dict[str, LinuxMap] = {}
        try:
            for n in keep:  # a descriptor of our own for a map that both have
                raw: Any = before.object.maps[n].raw if before else None
                maps[n] = LinuxMap.from_fd(Fd(os.dup(raw.fd.fileno())))
            made = None
            if counting is not None:
                with suppress(EbeeError):  # no room on the stack, say: then it runs as it is
                    made = load(counting, programs=wanted(counting, names), maps=maps)
            counts = made is not None
            if made is None and MAP in maps:
                maps.pop(MAP).close()
            made = made or load(spec, programs=wanted(spec, names), maps=maps)
        except BaseException:
            self._close(maps)
            raise
        program = made.programs[names[0]]
        self._open.append(Loaded(made, program, engines.on_linux(program), dict(maps), counts))
        return self._open[-1]

    def _counting(self, spec: ObjectSpec, name: str) -> ObjectSpec | None:
        if not self.count:
            return None
        from ebee import hooks
        from ebee.cli.counted import counted

        hook = hooks.by_name(spec.programs[name].hook)
        return counted(spec, name, hook) if hook else None

    def retire(self, before: Loaded, after: Loaded) -> None:
        """See Place; the link has been let go of."""
        before.object.close()
        self._close(before.maps)
        self._open.remove(before)

    def hasten(self, loaded: Loaded) -> None:
        """The kernel is fast enough."""

    @staticmethod
    def _close(maps: dict[str, Any]) -> None:
        for m in maps.values():
            m.close()

    def close(self) -> None:
        """Detach and give everything back."""
        while self._open:
            last = self._open.pop()
            last.object.close()
            self._close(last.maps)
