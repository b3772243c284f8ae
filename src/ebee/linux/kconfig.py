"""The kernel's configuration as a program sees it: `extern int CONFIG_HZ __kconfig`.

Values stand in a frozen map of their own, laid out and converted as libbpf does it
(set_kcfg_value_*), besides those of CONFIG_ options: LINUX_KERNEL_VERSION, LINUX_HAS_BPF_COOKIE,
LINUX_HAS_SYSCALL_WRAPPER.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Mapping
from functools import cache

from ebee.btf import Array, Btf, Enum, Enum64, Int, Var
from ebee.btf.types import Type
from ebee.errors import ObjectError
from ebee.linux import features, uapi
from ebee.linux.host import version_code
from ebee.linux.maps import LinuxMap
from ebee.obj.spec import ExternSpec, ObjectSpec

TRISTATE = {"n": 0, "y": 1, "m": 2}  # enum libbpf_tristate
VIRTUAL: dict[str, Callable[[], int]] = {
    "LINUX_KERNEL_VERSION": version_code,
    "LINUX_HAS_BPF_COOKIE": lambda: int(features.has("cookies")),
    "LINUX_HAS_SYSCALL_WRAPPER": lambda: int(features.has("system call wrappers")),
}
_GZIP = b"\x1f\x8b"
Given = str | os.PathLike[str] | Mapping[str, object] | None
"""A configuration of the caller's: a file, or values by name."""


@cache
def options() -> dict[str, str] | None:
    """The kernel's CONFIG_ options as its configuration file has them; None without one."""
    for path in (f"/boot/config-{os.uname().release}", "/proc/config.gz"):
        try:
            with open(path, "rb") as file:
                return parse(file.read())
        except OSError:
            continue
    return None


def parse(raw: bytes) -> dict[str, str]:
    """The options of a configuration file (.config), also a compressed one."""
    if raw.startswith(_GZIP):
        import gzip

        raw = gzip.decompress(raw)
    text = raw.decode(errors="replace")
    lines = (line.partition("=") for line in text.splitlines() if line.startswith("CONFIG_"))
    return {name: value.strip() for name, _, value in lines}


def given_options(given: Given) -> dict[str, str]:
    """The options that the caller supplies; True and False are y and n, text gets its quotes."""
    if given is None:
        return {}
    if isinstance(given, Mapping):
        return {name: _written(value) for name, value in given.items()}
    import zlib

    try:
        with open(given, "rb") as file:
            raw = file.read()
        if options := parse(raw):
            return options
        why: object = "it has no line CONFIG_...=..."
    except (OSError, EOFError, zlib.error) as error:
        why = getattr(error, "strerror", None) or error
    raise ObjectError(f"cannot read the configuration {os.fspath(given)}: {why}")


def _written(value: object) -> str:
    if isinstance(value, bool):
        return "y" if value else "n"
    if isinstance(value, str) and value not in TRISTATE:
        return f'"{value}"'
    return str(value)


def values(spec: ObjectSpec, given: Given = None) -> dict[str, bytes]:
    """What each `__kconfig` variable of an object holds on this machine; with `given`, what that
    configuration says of another one (and so not what is no option: its version). ObjectError as
    for loading: when one is not set, or does not fit its type."""
    wanted = [e for e in spec.externs.values() if e.kind == "kconfig"]
    config, found = given_options(given), dict[str, bytes]()
    made = Kconfig(spec, [e.name for e in wanted], "")
    for extern in wanted:
        btf, kind = _type(spec, extern)
        if given is None:
            found[extern.name] = made.value(extern, btf, kind)
        elif extern.name in config:
            found[extern.name] = convert(extern.name, config[extern.name], btf, kind)
        elif extern.name not in VIRTUAL and not extern.weak:
            raise ObjectError(f"{extern.name} is not set in {given}: declare it __weak")
        elif extern.name not in VIRTUAL:
            found[extern.name] = bytes(btf.sizeof(kind))
    return found


def _type(spec: ObjectSpec, extern: ExternSpec) -> tuple[Btf, int]:
    """The id of a variable's type, and the BTF that has it."""
    declared = spec.btf.type(extern.btf_id) if spec.btf else None
    if spec.btf is None or not isinstance(declared, Var):
        raise ObjectError(f"{extern.name}: its type is not known")
    return spec.btf, declared.type


class Kconfig:
    """The values that one object's externs ask for, in `order`; the map is made when the first is
    needed. `name`: the map's."""

    def __init__(self, spec: ObjectSpec, order: list[str], name: str, given: Given = None):
        self.spec, self.name = spec, name
        self._wanted = [e for n in order if (e := spec.externs[n]).kind == "kconfig"]
        self._given = given_options(given)
        self._map: LinuxMap | None = None
        self._offsets: dict[str, int] = {}

    def place(self, name: str) -> tuple[LinuxMap, int]:
        """The map, and the offset of a variable in its value."""
        if self._map is None:
            data = self.data()
            flags = uapi.BPF_F_RDONLY_PROG
            flags |= uapi.BPF_F_MMAPABLE if features.has("arrays in memory") else 0
            self._map = LinuxMap.create("array", 4, len(data), 1, name=self.name, flags=flags)
            self._map.update(bytes(4), data)
            self._map.freeze()
        return self._map, self._offsets[name]

    def data(self) -> bytes:
        """All values as they stand in the map."""
        data = b""
        for extern in self._wanted:
            btf, kind = _type(self.spec, extern)
            data += bytes(-len(data) % btf.alignof(kind))
            self._offsets[extern.name] = len(data)
            data += self.value(extern, btf, kind)
        return data

    def close(self) -> None:
        if self._map is not None:
            self._map.close()

    def value(self, extern: ExternSpec, btf: Btf, type_id: int) -> bytes:
        """What one variable holds, as its type has it."""
        name, size = extern.name, btf.sizeof(type_id)
        if name in VIRTUAL:
            return _number(name, btf, btf.resolve(type_id), size, VIRTUAL[name]())
        found = self._given.get(name)
        if found is None and name.startswith("CONFIG_"):
            found = (options() or {}).get(name)
        if found is not None:
            return convert(name, found, btf, type_id)
        if extern.weak:
            return bytes(size)
        if not name.startswith("CONFIG_"):
            raise ObjectError(f"{name} is no option of the kernel (CONFIG_...), nor one of"
                              f" {', '.join(VIRTUAL)}")  # fmt: skip
        where = "the kernel's configuration" if options() else "no readable configuration"
        raise ObjectError(
            f"{name} is not set: {where} has no such option; give a configuration (kconfig=), or"
            " declare it __weak"
        )


def convert(name: str, text: str, btf: Btf, type_id: int) -> bytes:
    """An option as its file has it, in the type that a program declares."""
    kind, size = btf.resolve(type_id), btf.sizeof(type_id)
    if text in TRISTATE:
        return _tristate(name, text, kind, size)
    if text.startswith('"'):
        if not _is_text(btf, kind):
            raise _misfit(name, text, "an array of char")
        if len(text) < 2 or not text.endswith('"'):
            raise ObjectError(f"{name} is {text} here, a string without its end")
        return text[1:-1].encode()[: size - 1].ljust(size, b"\0")
    if not re.fullmatch(r"[-+]?(0[xX][0-9a-fA-F]+|[0-9]+)", text):
        raise ObjectError(f"{name} is {text} here, which is no number")
    if not isinstance(kind, Int) or kind.boolean:
        raise _misfit(name, text, "an integer")
    octal = re.fullmatch(r"([-+]?)0([0-7]+)", text)
    number = int(octal[1] + octal[2], 8) if octal else int(text, 0)
    return _number(name, btf, kind, size, number)


def _tristate(name: str, text: str, kind: Type, size: int) -> bytes:
    if isinstance(kind, Enum | Enum64) and kind.name == "libbpf_tristate":
        return TRISTATE[text].to_bytes(size, sys.byteorder)
    if isinstance(kind, Int) and kind.boolean and text != "m":
        return bytes([text == "y"])
    if isinstance(kind, Int) and not kind.boolean and size == 1:
        return text.encode()
    wanted = "enum libbpf_tristate or char" if text == "m" else "bool, enum libbpf_tristate or char"
    raise _misfit(name, text, wanted)


def _number(name: str, btf: Btf, kind: Type, size: int, number: int) -> bytes:
    if not isinstance(kind, Int) or size not in (1, 2, 4, 8):
        raise _misfit(name, str(number), "an integer")
    try:
        if kind.boolean and number > 1:
            raise OverflowError
        # As libbpf reads them (strtoull): a 64-bit number has its bits, whatever its sign.
        wide = size == 8 and -(1 << 63) <= number < 1 << 64
        value = number & (1 << 64) - 1 if wide else number
        return value.to_bytes(size, sys.byteorder, signed=kind.signed and not wide)
    except OverflowError:
        raise ObjectError(
            f"{name} is {number} here, which its type of {size} bytes cannot hold"
        ) from None


def _is_text(btf: Btf, kind: Type) -> bool:
    if not isinstance(kind, Array) or not kind.nelems:
        return False
    element = btf.resolve(kind.type)
    return isinstance(element, Int) and element.size == 1 and not element.boolean


def _misfit(name: str, text: str, wanted: str) -> ObjectError:
    return ObjectError(f"{name} is {text} here, which its type cannot hold: declare it as {wanted}")
