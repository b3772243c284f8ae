"""Who holds the kernel's programs, maps and links: processes by their descriptors, and pins."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from ebee.linux.host import read

Key = tuple[str, int]
"""("prog" | "map" | "link" | "btf", id)"""

_ANON = {
    "anon_inode:bpf-prog": "prog", "anon_inode:bpf-map": "map", "anon_inode:bpf_link": "link",
    "anon_inode:btf": "btf",
}  # fmt: skip


class Owner(NamedTuple):
    """A process that has a thing open."""

    pid: int
    comm: str


def processes() -> dict[Key, list[Owner]]:
    """The processes that have each thing open, as far as this user may look into them. Programs
    and links since Linux 4.13 and 5.8, BTF since 5.19."""
    found: defaultdict[Key, list[Owner]] = defaultdict(list)
    for entry in os.listdir("/proc"):
        if entry.isdecimal():
            for key in set(_of(entry)):
                comm = read(f"/proc/{entry}/comm") or ""
                found[key].append(Owner(int(entry), comm))
    return dict(found)


def _of(pid: str) -> Iterator[Key]:
    try:
        numbers = os.listdir(f"/proc/{pid}/fd")
    except OSError:  # ended, or another user's
        return
    for number in numbers:
        try:
            kind = _ANON.get(os.readlink(f"/proc/{pid}/fd/{number}"))
        except OSError:
            continue
        said = fdinfo(pid, number) if kind else {}
        if kind and f"{kind}_id" in said:
            yield kind, int(said[f"{kind}_id"])


def fdinfo(pid: str | int, fd: str | int) -> dict[str, str]:
    """What /proc says of a descriptor; empty when it is gone, or hidden."""
    text = read(f"/proc/{pid}/fdinfo/{fd}") or ""
    pairs = (line.partition(":") for line in text.splitlines())
    return {name.strip(): value.strip() for name, _, value in pairs}


def file_systems() -> list[Path]:
    """Where BPF file systems are mounted."""
    mounts = read("/proc/self/mounts") or ""
    found = re.findall(r"^\S+ (\S+) bpf ", mounts, re.MULTILINE)
    return [Path(re.sub(r"\\(\d{3})", lambda m: chr(int(m[1], 8)), place)) for place in found]


def pins() -> dict[Key, list[str]]:
    """The paths under which things are pinned, in all BPF file systems that are mounted here."""
    from ebee.linux.info import kind_of
    from ebee.linux.sys import open_fd

    found: defaultdict[Key, list[str]] = defaultdict(list)
    for root in dict.fromkeys(file_systems()):
        for folder, _, names in os.walk(root):
            for name in names:
                path = os.path.join(folder, name)
                try:
                    with open_fd("OBJ_GET", pathname=path) as fd:
                        kind = kind_of(fd)
                        said = fdinfo("self", fd.fileno())
                except OSError:  # an iterator, or not for this user
                    continue
                if f"{kind}_id" in said:
                    found[kind, int(said[f"{kind}_id"])].append(path)
    return dict(found)
