"""The kernel's configuration as a program sees it: `extern int CONFIG_HZ __kconfig`.

Values stand in a frozen map of their own, as libbpf makes it (set_kcfg_value_*), besides those of
CONFIG_ options: LINUX_KERNEL_VERSION, LINUX_HAS_BPF_COOKIE, LINUX_HAS_SYSCALL_WRAPPER.
"""

from __future__ import annotations

import gzip
import os
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

from ebee.btf import Array, Enum, Int, Var
from ebee.errors import ObjectError
from ebee.linux import uapi
from ebee.linux.errors import older_than
from ebee.linux.host import kernel_symbols, version_code
from ebee.linux.maps import LinuxMap
from ebee.obj.spec import ExternSpec, ObjectSpec

TRISTATE = {"n": 0, "y": 1, "m": 2}  # enum libbpf_tristate
SYSCALL_WRAPPERS = ("__x64_sys_bpf", "__arm64_sys_bpf", "__s390x_sys_bpf", "__riscv_sys_bpf")
VIRTUAL: dict[str, Callable[[], int]] = {
    "LINUX_KERNEL_VERSION": version_code,
    "LINUX_HAS_BPF_COOKIE": lambda: int(not older_than("5.15")),
    "LINUX_HAS_SYSCALL_WRAPPER": lambda: int(bool(kernel_symbols(*SYSCALL_WRAPPERS))),
}


@cache
def options() -> dict[str, str] | None:
    """The kernel's CONFIG_ options as its configuration file has them; None without one."""
    for path in (f"/boot/config-{os.uname().release}", "/proc/config.gz"):
        try:
            raw = Path(path).read_bytes()
        except OSError:
            continue
        text = (gzip.decompress(raw) if path.endswith(".gz") else raw).decode(errors="replace")
        lines = (line.partition("=") for line in text.splitlines() if line.startswith("CONFIG_"))
        return {name: value.strip() for name, _, value in lines}
    return None


class Kconfig:
    """The values that one object's externs ask for; the map is made when the first is needed."""

    def __init__(self, spec: ObjectSpec):
        self.spec = spec
        self._map: LinuxMap | None = None
        self._offsets: dict[str, int] = {}

    def place(self, name: str) -> tuple[LinuxMap, int]:
        """The map, and the offset of a variable in its value."""
        if self._map is None:
            data = b""
            for extern in self.spec.externs.values():
                if extern.kind == "kconfig":
                    self._offsets[extern.name] = len(data)
                    data += self._value(extern)
                    data += bytes(-len(data) % 8)
            flags = uapi.BPF_F_RDONLY_PROG
            self._map = LinuxMap.create("array", 4, len(data), 1, name=".kconfig", flags=flags)
            self._map.update(bytes(4), data)
            self._map.freeze()
        return self._map, self._offsets[name]

    def close(self) -> None:
        if self._map is not None:
            self._map.close()

    def _value(self, extern: ExternSpec) -> bytes:
        btf = self.spec.btf
        declared = btf.type(extern.btf_id) if btf else None
        if btf is None or not isinstance(declared, Var):
            raise ObjectError(f"{extern.name}: its type is not known")
        size = btf.sizeof(declared.type)
        if extern.name in VIRTUAL:
            return VIRTUAL[extern.name]().to_bytes(size, sys.byteorder)
        found = (options() or {}).get(extern.name)
        if found is None:
            if extern.weak:
                return bytes(size)
            where = "the kernel's configuration" if options() else "no readable configuration"
            raise ObjectError(f"{extern.name} is not set: {where} has no such option")
        kind = btf.resolve(declared.type)
        try:
            if isinstance(kind, Array):
                return found.strip('"').encode()[: size - 1].ljust(size, b"\0")
            if found in TRISTATE and isinstance(kind, Enum):
                return TRISTATE[found].to_bytes(size, sys.byteorder)
            if found in TRISTATE and isinstance(kind, Int):
                number = int(found == "y") if kind.boolean else ord(found)
                return number.to_bytes(size, sys.byteorder)
            signed = isinstance(kind, Int) and kind.signed
            return int(found, 0).to_bytes(size, sys.byteorder, signed=signed)
        except (ValueError, OverflowError):
            raise ObjectError(
                f"{extern.name} is {found} here, which its type cannot hold"
            ) from None
