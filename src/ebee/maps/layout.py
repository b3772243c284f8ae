"""What a map needs of memory: the answer that an operations module gives before a map is made."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from math import lcm
from typing import TYPE_CHECKING

from ebee.abi.errno import E2BIG, EINVAL, NAMES
from ebee.abi.map import ACCESS_FLAGS, BPF_F_RDONLY_PROG, BPF_F_WRONLY_PROG
from ebee.errors import KernelError

if TYPE_CHECKING:
    from ebee.obj.spec import MapSpec

LINE = 64
"""Bytes of a cache line; what different CPUs write lies in different lines."""

KMALLOC_MAX = 4 << 20
"""Largest value the kernel handles at once (KMALLOC_MAX_SIZE on x86-64)."""

PERCPU_MAX = 32 << 10
"""Largest per-CPU value (PCPU_MIN_UNIT_SIZE in include/linux/percpu.h)."""


@dataclass(frozen=True, slots=True)
class Area:
    """Zeroed memory that the pointer member `name` of the map's state will point to.

    What programs may touch of it: nothing, or bytes `lo..hi` of each element of `stride` bytes, or
    what the operation `guard(m, addr, size)` allows; `writable`: not only to read.
    """

    name: str
    size: int
    stride: int = 0
    lo: int = 0
    hi: int = 0
    program: bool = False
    writable: bool = True
    guard: str = ""


@dataclass(frozen=True, slots=True)
class Layout:
    """The areas of a map, the values of its state's const members, and the capacity and the size
    of a value inside where they are not those that were asked for."""

    areas: tuple[Area, ...] = ()
    members: dict[str, int] = field(default_factory=dict)
    max_entries: int | None = None
    value_size: int | None = None

    def read_only(self) -> Layout:
        """The same, programs may only read."""
        return replace(self, areas=tuple(replace(area, writable=False) for area in self.areas))

    def hidden(self) -> Layout:
        """The same, out of programs' reach."""
        return replace(self, areas=tuple(replace(area, program=False) for area in self.areas))


def values_area(name: str, count: int, stride: int, size: int) -> Area:
    """An area of `count` values of `size` bytes, `stride` apart, that programs may touch."""
    return Area(name, count * stride, stride, 0, size, program=True)


def per_cpu_stride(count: int, stride: int) -> int:
    """Distance between two CPUs' parts of `count` elements: whole elements and whole lines."""
    return round_up(count * stride, lcm(stride, LINE))


def round_up(n: int, to: int) -> int:
    """The next multiple of `to`."""
    return -(-n // to) * to


def power_of_two(n: int) -> int:
    """The next power of two."""
    return 1 << (n - 1).bit_length() if n > 1 else 1


def refuse(spec: MapSpec, code: int, why: str) -> KernelError:
    """The error with which the kernel would refuse to create such a map."""
    what = f"map {spec.name}: cannot create a {spec.type} map"
    return KernelError(f"{what}: {why} [{NAMES.get(code, code)}]", code)


def require(spec: MapSpec, holds: bool, why: str, code: int = EINVAL) -> None:
    """One rule of creation."""
    if not holds:
        raise refuse(spec, code, why)


def check_flags(spec: MapSpec, allowed: int) -> None:
    """Creation flags: only `allowed` ones, and no contradiction (bpf_map_flags_access_ok)."""
    unknown = spec.flags & ~allowed
    require(spec, not unknown, f"flags {unknown:#x} are not for this type")
    both = BPF_F_RDONLY_PROG | BPF_F_WRONLY_PROG
    require(
        spec, spec.flags & allowed & ACCESS_FLAGS & both != both,
        "neither reading nor writing is left to programs (BPF_F_RDONLY_PROG, BPF_F_WRONLY_PROG)",
    )  # fmt: skip


def check_sizes(spec: MapSpec, key: int | None = None) -> None:
    """The rules of sizes that most types share; `key`: the only key size allowed."""
    require(spec, spec.max_entries > 0, "max_entries is 0")
    require(spec, spec.value_size > 0, "value_size is 0")
    if key is None:
        require(spec, spec.key_size > 0, "key_size is 0")
    else:
        require(spec, spec.key_size == key, f"key_size is {spec.key_size}, it must be {key}")


def check_per_cpu(spec: MapSpec) -> None:
    """The limit of a per-CPU value."""
    large = f"a per-CPU value of {spec.value_size} bytes is larger than {PERCPU_MAX}"
    require(spec, round_up(spec.value_size, 8) <= PERCPU_MAX, large, E2BIG)
