"""Perf events: their names, and opening them (perf_event_open(2)).

    open_event(named("cpu-clock"), frequency=99, cpu=0)

Numbers from include/uapi/linux/perf_event.h; the kernel's own events from /sys/bus/event_source.
"""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from ebee.errors import KernelError
from ebee.linux.host import read
from ebee.linux.sys import Fd, address, last_errno, strerror, syscall

TYPES = {"hardware": 0, "software": 1, "tracepoint": 2, "hw_cache": 3, "raw": 4, "breakpoint": 5}
HARDWARE = (
    "cycles", "instructions", "cache-references", "cache-misses", "branches", "branch-misses",
    "bus-cycles", "stalled-cycles-frontend", "stalled-cycles-backend", "ref-cycles",
)  # fmt: skip
SOFTWARE = (
    "cpu-clock", "task-clock", "page-faults", "context-switches", "cpu-migrations", "minor-faults",
    "major-faults", "alignment-faults", "emulation-faults", "dummy", "bpf-output",
    "cgroup-switches",
)  # fmt: skip
ALIASES = {
    "cpu-cycles": "cycles", "branch-instructions": "branches", "faults": "page-faults",
    "cs": "context-switches", "migrations": "cpu-migrations",
}  # fmt: skip
CACHES = ("L1-dcache", "L1-icache", "LLC", "dTLB", "iTLB", "branch", "node")
OPERATIONS = ("load", "store", "prefetch")

FLAGS = {
    "disabled": 1 << 0, "inherit": 1 << 1, "pinned": 1 << 2, "exclude_user": 1 << 4,
    "exclude_kernel": 1 << 5, "exclude_hv": 1 << 6, "exclude_idle": 1 << 7, "freq": 1 << 10,
}  # fmt: skip
"""Bits of perf_event_attr by name."""
ATTR = struct.Struct("=IIQQQQQIIQQ")
"""struct perf_event_attr up to config2 (PERF_ATTR_SIZE_VER1, known to every kernel with BPF)."""
FLAG_FD_CLOEXEC, FLAG_PID_CGROUP = 8, 4
IOC_ENABLE, IOC_DISABLE, IOC_SET_BPF = 0x2400, 0x2401, 0x40042408
DEVICES = "/sys/bus/event_source/devices"


@dataclass(frozen=True)
class Event:
    """What is counted. `bp_type`: of a breakpoint; `flags`: names of FLAGS.

    `config1` and `config2` may be addresses of texts, which `keep` then holds.
    """

    type: int
    config: int
    config1: int = 0
    config2: int = 0
    bp_type: int = 0
    flags: frozenset[str] = frozenset()
    keep: bytes = field(default=b"", repr=False)


def open_event(
    event: Event,
    *,
    period: int = 0,
    frequency: int = 0,
    pid: int = -1,
    cpu: int = -1,
    cgroup: Fd | None = None,
) -> Fd:
    """Open an event: on one CPU, for one process (`pid`, 0: this one), or for a cgroup on a CPU.

    A sample each `period` counts, or `frequency` times a second. OSError when the kernel refuses.
    """
    flags = sum(FLAGS[name] for name in event.flags) | FLAGS["freq"] * bool(frequency)
    attr = bytearray(
        ATTR.pack(
            event.type, ATTR.size, event.config, frequency or period, 0, 0, flags, 0,
            event.bp_type, event.config1, event.config2,
        )
    )  # fmt: skip
    target, mode = (pid, 0) if cgroup is None else (cgroup.fileno(), FLAG_PID_CGROUP)
    number = syscall("perf_event_open")(address(attr), target, cpu, -1, mode | FLAG_FD_CLOEXEC)
    if number < 0:
        raise OSError(last_errno(), strerror(last_errno()))
    return Fd(number)


def named(name: str) -> Event:
    """An event by the name that perf knows it by; KernelError when there is none.

    Software and hardware events ("cpu-clock", "cycles"), caches ("LLC-load-misses"), raw numbers
    ("r1a8"), breakpoints ("mem:0x1000/8:rw"), and those of the machine's units ("cpu/event=0x3c/",
    "msr/tsc/"). A suffix ":u" or ":k" counts only in user space, or only in the kernel.
    """
    text, _, suffix = name.rpartition(":")
    if text and suffix and set(suffix) <= {"u", "k"} and not name.startswith("mem:"):
        excluded = {"u": "exclude_user", "k": "exclude_kernel"}
        flags = frozenset(excluded[c] for c in "uk" if c not in suffix)
        return replace(named(text), flags=flags)
    plain = ALIASES.get(name, name)
    if plain in SOFTWARE:
        return Event(TYPES["software"], SOFTWARE.index(plain))
    if plain in HARDWARE:
        return Event(TYPES["hardware"], HARDWARE.index(plain))
    if found := re.fullmatch(r"r([0-9a-fA-F]+)", name):
        return Event(TYPES["raw"], int(found[1], 16))
    if found := re.fullmatch(r"mem:(0x[0-9a-fA-F]+|\d+)(?:/(\d+))?(?::([rwx]+))?", name):
        return breakpoint(int(found[1], 0), int(found[2] or 4), found[3] or "rw")
    if found := re.fullmatch(r"(.+)-(?:(\w+?)-misses|(load|store|prefetch)(?:e?s))", name):
        cache, operation = found[1], found[2] or found[3]
        if cache in CACHES and operation in OPERATIONS:
            config = CACHES.index(cache) | OPERATIONS.index(operation) << 8
            return Event(TYPES["hw_cache"], config | bool(found[2]) << 16)
    if found := re.fullmatch(r"([\w.-]+)/([^/]*)/", name):
        return of_unit(found[1], found[2])
    raise KernelError(
        f"there is no perf event {name!r}; there are {', '.join(SOFTWARE + HARDWARE)},"
        " LLC-load-misses and its like, rNNN, mem:ADDRESS, UNIT/EVENT/"
    )


def breakpoint(place: int, length: int = 4, access: str = "rw") -> Event:
    """A hardware breakpoint: when the bytes at an address are read, written ("rw") or run ("x")."""
    kinds = sum({"r": 1, "w": 2, "x": 4}[c] for c in set(access))
    length = struct.calcsize("P") if access == "x" else length
    return Event(TYPES["breakpoint"], 0, place, length, bp_type=kinds)


def unit_type(unit: str) -> int | None:
    """The number of a unit ("cpu", "kprobe", "uprobe"), None where the kernel has none."""
    number = read(f"{DEVICES}/{unit}/type")
    return int(number) if number else None


def of_unit(unit: str, text: str) -> Event:
    """An event of a unit: by its name in sysfs, or by terms ("event=0x3c,umask=1")."""
    number = unit_type(unit)
    if number is None:
        try:
            units = ", ".join(sorted(os.listdir(DEVICES)))
        except OSError:
            units = "none"
        raise KernelError(f"there is no unit {unit!r} for perf events here; there are: {units}")
    text = read(f"{DEVICES}/{unit}/events/{text}") or text
    configs = {"config": 0, "config1": 0, "config2": 0}
    for term in filter(None, text.split(",")):
        key, _, value = term.partition("=")
        try:
            number_of = int(value or "1", 0)
        except ValueError:
            raise KernelError(f"{term!r} of {unit}/{text}/ has no number") from None
        form = key if key in configs else read(f"{DEVICES}/{unit}/format/{key}")
        if form is None:
            raise KernelError(f"unit {unit} has no event and no term {key!r}")
        _place(configs, form, number_of)
    return Event(number, configs["config"], configs["config1"], configs["config2"])


def _place(configs: dict[str, int], form: str, value: int) -> None:
    """Put a value into the bits that a format names ("config:0-7,32-35")."""
    name, _, bits = form.partition(":")
    for part in bits.split(",") if bits else ["0-63"]:
        first, _, last = part.partition("-")
        low, high = int(first), int(last or first)
        mask = (1 << high - low + 1) - 1
        configs[name] |= (value & mask) << low
        value >>= high - low + 1


def names() -> Mapping[str, str]:
    """The events that can be named here, with their kind; those of the units, too."""
    found = dict.fromkeys(SOFTWARE, "software") | dict.fromkeys(HARDWARE, "hardware")
    try:
        for unit in sorted(os.listdir(DEVICES)):
            folder = f"{DEVICES}/{unit}/events"
            for event in sorted(os.listdir(folder)) if os.path.isdir(folder) else ():
                if not event.endswith((".scale", ".unit", ".snapshot")):
                    found[f"{unit}/{event}/"] = "unit"
    except OSError:
        pass
    return found
