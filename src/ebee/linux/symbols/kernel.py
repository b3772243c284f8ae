"""Addresses of the kernel and its modules: /proc/kallsyms, read once and searched by bisection."""

from __future__ import annotations

import errno
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import NamedTuple

from ebee.errors import KernelError

PATH = "/proc/kallsyms"
CODE = frozenset("tTwW")
"""Types of kallsyms that are code: text, and weak text."""


class KernelSymbol(NamedTuple):
    """A symbol: `kind` is nm's letter ("t", "T", "D", ...), `module` empty for the kernel itself;
    compiled BPF programs are in module "bpf"."""

    address: int
    name: str
    kind: str = "t"
    module: str = ""


class KernelSymbols:
    """All symbols of the kernel, as they were when it was made.

    >>> KernelSymbols(["1000 T start", "1010 t work [module]"]).at(0x1014)
    (KernelSymbol(address=4112, name='work', kind='t', module='module'), 4)
    """

    def __init__(self, lines: Iterable[str]):
        found = []
        for line in lines:
            address, kind, name, *module = line.split()
            found.append((int(address, 16), kind, name, module[0][1:-1] if module else ""))
        found.sort(key=lambda symbol: symbol[0])
        self._symbols = found
        self._addresses = array("Q", (symbol[0] for symbol in found))

    @classmethod
    def load(cls) -> KernelSymbols:
        """Those of the running kernel; KernelError where it hides their addresses."""
        try:
            with open(PATH, errors="replace") as lines:
                made = cls(lines)
        except OSError as error:
            text = f"cannot read {PATH}: {error.strerror}"
            raise KernelError(text, error.errno or 0) from None
        if not made._symbols or not made._addresses[-1]:
            raise KernelError(
                "the kernel hides its addresses: run as root, with kernel.kptr_restrict at 0 or 1",
                errno.EPERM,
            )
        return made

    def at(self, address: int) -> tuple[KernelSymbol, int] | None:
        """The code that an address lies in, and how far behind its beginning; None below all.

        Where several symbols have one address, it is a global one rather than a local one.
        """
        index = bisect_right(self._addresses, address) - 1
        while index >= 0:
            start = self._addresses[index]
            first = index
            while first > 0 and self._addresses[first - 1] == start:
                first -= 1
            names = [s for s in self._symbols[first : index + 1] if s[1] in CODE]
            if names:
                best = min(names, key=lambda s: (s[1] == "t", s[2].startswith("__pfx_")))
                return self._symbol(best), address - start
            index = first - 1
        return None

    def named(self, name: str, module: str | None = None) -> list[KernelSymbol]:
        """The symbols of a name, in all modules or in one ("" is the kernel)."""
        found = (self._symbols[i] for i in self._by_name.get(name, ()))
        return [self._symbol(s) for s in found if module is None or s[3] == module]

    def all_named(self, names: Iterable[str]) -> Iterator[tuple[str, int]]:
        """The code of these names: (name, address), several times where there are several."""
        for name in sorted(set(names)):
            for symbol in self.named(name):
                if symbol.kind in CODE:
                    yield name, symbol.address

    @cached_property
    def _by_name(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for index, symbol in enumerate(self._symbols):
            found.setdefault(symbol[2], []).append(index)
        return found

    @staticmethod
    def _symbol(raw: tuple[int, str, str, str]) -> KernelSymbol:
        return KernelSymbol(raw[0], raw[2], raw[1], raw[3])

    def __len__(self) -> int:
        return len(self._symbols)

    def __iter__(self) -> Iterator[KernelSymbol]:
        return map(self._symbol, self._symbols)
