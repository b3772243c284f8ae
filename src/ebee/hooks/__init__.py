"""Hooks: the places where Linux runs eBPF programs; declarations, a file per family.

A hook says what kind of program it takes, what its sections are called, what its context looks
like, what its return values mean, and by which of the few mechanisms it is attached. The backends
know how each mechanism works.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from typing import Any

FAMILIES = (
    "xdp", "tc", "socket", "sockmap", "cgroup", "lwt", "kprobe", "uprobe", "tracepoint",
    "perf_event", "fentry", "lsm", "iter", "struct_ops", "syscall", "netfilter", "lirc",
)  # fmt: skip
"""The modules of this package that declare hooks, each in a tuple HOOKS."""


@dataclass(frozen=True, slots=True)
class CtxField:
    """A member of the context as the program sees it (UAPI struct), and where it comes from.

    `size`: of one element in bytes, `count`: elements of an array. `kind`: what a load gives:
    "scalar", or a pointer kind ("packet", "packet_meta", "packet_end", "socket", ...; `?`: may be
    null); `source`: the member of the machine's block that holds it.

    A program may load the whole element; `narrow`: also a part of it, of at least `least` bytes,
    `head`: only one that begins where the element begins; `also`: further sizes, as 8 bytes for
    two neighbours. `write`: it may store the whole (or `also`), `write_parts`: any part too. `net`:
    so many bits of it, the first ones in memory, are a number in network order; `signed`: it may be
    below zero. `at`, `write_at`: the attach types for which that holds (none: all).
    """

    name: str
    offset: int
    size: int
    source: str = ""
    kind: str = "scalar"
    write: bool = False
    narrow: bool = True
    count: int = 1
    least: int = 1
    head: bool = False
    also: tuple[int, ...] = ()
    write_parts: bool = False
    at: tuple[int, ...] = ()
    write_at: tuple[int, ...] = ()
    net: int = 0
    signed: bool = False

    @property
    def end(self) -> int:
        return self.offset + self.size * self.count

    def allows(self, offset: int, size: int, write: bool, attach_type: int | None = None) -> bool:
        """Whether a program may load or store `size` bytes at an offset of the context."""
        within = self.offset <= offset < self.end
        if not within or offset % size or (self.at and attach_type not in self.at):
            return False
        at = (offset - self.offset) % self.size
        whole = at == 0 and size == self.size
        joined = at == 0 and size in self.also and (offset + size <= self.end or self.count == 1)
        part = size < self.size and at + size <= self.size and not (self.head and at)
        if write:
            wanted = self.write and (not self.write_at or attach_type in self.write_at)
            return wanted and (whole or joined or (part and self.write_parts))
        return whole or joined or (part and self.narrow and size >= self.least)


@dataclass(frozen=True, slots=True)
class Section:
    """A section name that selects a hook, one of libbpf's section definitions.

    A `name` that ends in `+` may have something behind a slash, which `extra` describes; any other
    is the whole name. `attach_type`: the expected attach type (None: not set); `optional`: leave
    it out for kernels before 4.17, which do not know it; `flags`: of BPF_PROG_LOAD; `on_return`:
    runs when the function returns.
    """

    name: str
    attach_type: int | None = None
    flags: int = 0
    sleepable: bool = False
    extra: str = ""
    optional: bool = False
    on_return: bool = False


@dataclass(frozen=True, slots=True)
class Hook:
    """One hook.

    `prog_type`: number of the BPF_PROG_TYPE_*; `context`: name of the UAPI struct (None: what the
    traced function or tracepoint gives); `fields`: its members; `block`: "module:Struct" that
    backs the context on the machine; `returns`: name of each return value with a meaning;
    `result`: the lowest and highest value that the verifier takes (None: any), `result_at`: where
    an attach type has other bounds; `attach`: the mechanism ("netdev", "cgroup", ...; None: it is
    only run on request); `helpers`: names of the helpers that a program here may call, `more`:
    those for one attach type or one target only; `target`: what a program must name to be loaded
    ("function", "tracepoint", ...: looked up in BTF); `missing`: why a coverage cell is blank.
    """

    name: str
    prog_type: int
    since: str
    doc: str
    sections: tuple[Section, ...]
    context: str | None = None
    fields: tuple[CtxField, ...] = ()
    block: str | None = None
    returns: dict[str, int] = field(default_factory=dict)
    result: tuple[int, int] | None = None
    result_at: dict[int, tuple[int, int]] = field(default_factory=dict)
    attach: str | None = None
    helpers: frozenset[str] = frozenset()
    more: Mapping[Any, frozenset[str]] = field(default_factory=dict)
    target: str | None = None
    missing: dict[str, str] = field(default_factory=dict)

    def field_at(
        self, offset: int, size: int, write: bool = False, attach_type: int | None = None
    ) -> CtxField | None:
        """The member that an access of the context reaches, None if it is not allowed."""
        for f in self.fields:
            if f.allows(offset, size, write, attach_type):
                return f
        return None

    def may_call(self, helper: str, attach_type: int | None = None, target: str = "") -> bool:
        """Whether a program here may call a helper (its name without `bpf_`)."""
        if helper in self.helpers:
            return True
        return any(helper in self.more.get(key, ()) for key in (attach_type, target) if key)


@cache
def all_hooks() -> tuple[Hook, ...]:
    """Every declared hook."""
    return tuple(h for f in FAMILIES for h in import_module(f"ebee.hooks.{f}").HOOKS)


@cache
def by_name(name: str) -> Hook | None:
    """The hook of a name."""
    return next((h for h in all_hooks() if h.name == name), None)


@cache
def by_prog_type(number: int) -> Hook | None:
    """The first hook of a BPF_PROG_TYPE_* number."""
    return next((h for h in all_hooks() if h.prog_type == number), None)


def for_section(section: str) -> tuple[Hook, Section, str | None] | None:
    """The hook that an ELF section name selects, its declaration, and the part behind the slash.

    The rule is libbpf's: a declared name ending in `+` may be followed by a slash and more, any
    other must be met exactly. A leading `?` (do not load by default) is the caller's to strip.
    The odd ones: `tc/ingress` is tcx, `tc` the classifier of old; `xdp/eth0` is nothing; attach
    type 0 (cgroup_skb/ingress) is what a program without one has as well; `syscall` is sleepable
    without saying so; `usdt` becomes uprobe.multi where the kernel has it; the attach type of
    `struct_ops` is the index of the member, known only with the map.
    """
    exact, open_ended = _sections()
    found = exact.get(section)
    if found is not None:
        return *found, None
    base, slash, extra = section.partition("/")
    found = open_ended.get(base)
    return None if found is None else (*found, extra if slash else None)


@cache
def _sections() -> tuple[dict[str, tuple[Hook, Section]], dict[str, tuple[Hook, Section]]]:
    exact, open_ended = {}, {}
    for hook in all_hooks():
        for s in hook.sections:
            if s.name.endswith("+"):
                open_ended[s.name[:-1]] = hook, s
            else:
                exact[s.name] = hook, s
    return exact, open_ended
