"""Map types: declarations, a file per family; `by_id` and `by_name` find them.

A declaration says what the kernel knows of the type; the operations stand in a module of
restricted Python beside it (`ops`), which only the machine imports. Such a module has

    State                  struct of the map's state; its first member is `head: MapHeader`
    check(spec, cpus)      KernelError where the kernel would refuse to create the map
    plan(spec, cpus)       Layout: the areas of memory, and the values of State's const members
    init(m)                optional: what has to be written before the first use

and the operations as @native functions: `lookup(cpu, m, key)`, `update(cpu, m, key, value,
flags)`, `delete(cpu, m, key)`, ... as programs see them, and what user space needs beside them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from typing import Literal

FAMILIES = (
    "array", "hash", "lru", "lpm_trie", "queue", "bloom", "ringbuf", "perf", "stack_trace",
    "prog_array", "map_in_map", "devmap", "cpumap", "xskmap", "sockmap", "cgroup", "storage",
    "struct_ops", "arena",
)  # fmt: skip
"""The modules of this package that declare map types, each in a tuple MAPS."""

Presence = Literal["optional", "required", "forbidden"]

# Flags of creation (BPF_F_*), by the names that declarations use.
FLAGS = {
    "no_prealloc": 1 << 0, "no_common_lru": 1 << 1, "numa_node": 1 << 2, "rdonly": 1 << 3,
    "wronly": 1 << 4, "stack_build_id": 1 << 5, "zero_seed": 1 << 6, "rdonly_prog": 1 << 7,
    "wronly_prog": 1 << 8, "clone": 1 << 9, "mmapable": 1 << 10, "preserve_elems": 1 << 11,
    "inner_map": 1 << 12, "link": 1 << 13, "vtype_btf_obj_fd": 1 << 15, "segv_on_fault": 1 << 17,
    "no_user_conv": 1 << 18,
}  # fmt: skip
FD_ACCESS = FLAGS["rdonly"] | FLAGS["wronly"]
PROGRAM_ACCESS = FLAGS["rdonly_prog"] | FLAGS["wronly_prog"]
ACCESS = FD_ACCESS | PROGRAM_ACCESS
"""BPF_F_ACCESS_MASK of include/linux/bpf.h."""


def flags(*names: str, also: int = ACCESS) -> int:
    """Creation flags by name; `also` says what of the access flags goes with them."""
    return also | sum(FLAGS[name] for name in names)


@dataclass(frozen=True, slots=True)
class MapType:
    """One map type.

    `key`: rule of key_size ("u32": 4 bytes, "any", "none": 0, "lpm": prefix length and data,
    "cgroup": 8 or 16); `value`: rule of value_size ("any", "none": 0, "u32": 4, "u32|u64": 4 or 8,
    "trace": a multiple of 8); `entries`: rule of max_entries ("any": above zero, "none": 0, "one",
    "pages": a power of two of pages); `flags`: the creation flags it takes, `required` those that
    it must have; `map_extra`: what that attribute says.
    `per_cpu`: one value per possible CPU; `handle`: what the value that user space gives and gets
    stands for ("program", "map", ...; it writes descriptors and reads ids); `direct`: programs may
    hold the address of the first value (global data).
    `program`: the helpers that take such a map; `user`: what the system call can do with it, as
    words (`take`: look up and delete); `btf`: whether key and value may be described; `needs`: the
    capabilities for creating one, beside CAP_BPF where unprivileged BPF is off.
    `ops`: module with its operations for the machine; `missing`: why a cell of the coverage matrix
    is blank.
    """

    id: int
    name: str
    since: str
    doc: str
    key: str = "any"
    value: str = "any"
    entries: str = "any"
    flags: int = 0
    required: int = 0
    map_extra: str = ""
    per_cpu: bool = False
    handle: str | None = None
    direct: bool = False
    program: str = ""
    user: str = ""
    btf: Presence = "optional"
    needs: tuple[str, ...] = ()
    ops: str | None = None
    missing: dict[str, str] = field(default_factory=dict)

    def takes(self, helper: str) -> bool:
        """Whether programs may call a helper with such a map."""
        return helper in self.program.split()

    @property
    def indexed(self) -> bool:
        """Whether keys are indexes below max_entries."""
        return self.key == "u32" and "next_key" in self.user and "hash" not in self.name


@cache
def all_types() -> tuple[MapType, ...]:
    """Every declared map type, by number."""
    found = [m for f in FAMILIES for m in import_module(f"ebee.maps.{f}").MAPS]
    return tuple(sorted(found, key=lambda m: m.id))


@cache
def _tables() -> tuple[dict[int, MapType], dict[str, MapType]]:
    return {m.id: m for m in all_types()}, {m.name: m for m in all_types()}


def by_id(number: int) -> MapType | None:
    """The map type of a BPF_MAP_TYPE_* number."""
    return _tables()[0].get(number)


def by_name(name: str) -> MapType | None:
    """The map type of a name as bpftool prints it (`hash`, `percpu_array`)."""
    return _tables()[1].get(name)
