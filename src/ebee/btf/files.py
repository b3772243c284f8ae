"""BTF in files: raw, inside ELF, what the running kernel publishes, what comes with ebee."""

from __future__ import annotations

import mmap
import struct
from os import PathLike, fspath
from pathlib import Path
from typing import NamedTuple

from ebee.errors import BtfError

VMLINUX = Path("/sys/kernel/btf/vmlinux")
BASE = ".BTF.base"
NOTES = Path("/sys/kernel/notes")
FOLDER = Path(__file__).parent / "data"
SUFFIX = ".btf.xz"
_WORTH_CACHING = 1 << 18
_MAX_FILE = 1 << 31


class Blob(NamedTuple):
    """What a Btf is read from. `key`: under which its index is kept, if that is worth it; `base`:
    the part of its base that it brings along."""

    data: bytes | mmap.mmap
    name: str
    key: str = ""
    base: Blob | None = None


def load(path: str | PathLike[str]) -> Blob:
    """A file: raw BTF or ELF. Indexes of big files are kept under their content's hash.

    A module's split BTF may bring along what it needs of its base (.BTF.base, since Linux 6.11).
    """
    base = None
    name = fspath(path)
    try:
        if Path(path).is_file() and Path(path).stat().st_size > _MAX_FILE:
            raise BtfError(f"{name}: the file is over {_MAX_FILE >> 30} GB")
        data = Path(path).read_bytes()
    except OSError as error:
        raise BtfError(f"cannot read BTF from {name}: {error.strerror}") from None
    if data[:4] == b"\x7fELF":
        whole = data
        data = section(whole, ".BTF", name)
        if has_section(whole, BASE):
            base = Blob(section(whole, BASE, name), f"{name}: {BASE}")
    key = ""
    if len(data) >= _WORTH_CACHING:
        from hashlib import blake2b

        key = "file-" + blake2b(data, digest_size=20).hexdigest()
    return Blob(data, name, key, base)


def has_section(data: bytes, wanted: str) -> bool:
    """Whether an ELF file has a section of that name."""
    try:
        section(data, wanted, "")
    except BtfError:
        return False
    return True


def section(data: bytes, wanted: str, name: str) -> bytes:
    """The bytes of one section of an ELF file (32 or 64 bits, either byte order)."""
    try:
        wide, order = {1: False, 2: True}[data[4]], {1: "<", 2: ">"}[data[5]]
        at, size, count, names = struct.unpack_from(
            order + ("40xQ10xHHH" if wide else "32xI10xHHH"), data
        )
        layout = struct.Struct(order + ("II16xQQ" if wide else "II8xII"))
        if size < layout.size:
            raise KeyError
        headers = [layout.unpack_from(data, at + size * number) for number in range(count)]
        labels = headers[names][2]
        for label, kind, start, length in headers:
            end = data.find(b"\0", labels + label)
            if data[labels + label : end] == wanted.encode() and kind != 8:  # SHT_NOBITS
                if start + length > len(data):
                    raise BtfError(f"{name}: section {wanted} reaches past the end of the file")
                return data[start : start + length]
    except (struct.error, IndexError, KeyError):
        raise BtfError(f"{name}: the ELF file is damaged (its section headers)") from None
    raise BtfError(
        f"{name} has no {wanted} section: was it built without -g, or stripped? "
        "(a kernel needs CONFIG_DEBUG_INFO_BTF)"
    )


def vmlinux() -> Blob:
    """The running kernel's."""
    if not VMLINUX.exists():
        raise BtfError(
            f"this kernel publishes no BTF: {VMLINUX} does not exist "
            "(Linux only, since 5.4, built with CONFIG_DEBUG_INFO_BTF)"
        )
    build = build_id()
    return Blob(_map(VMLINUX), "vmlinux", f"kernel-{build}" if build else "")


def module(name: str) -> Blob:
    """A loaded module's, split on the kernel's."""
    path = VMLINUX.parent / name
    if "/" in name or not path.exists():
        raise BtfError(f"there is no BTF of a kernel module {name!r}: {path} does not exist")
    return Blob(_read(path), name)


def modules() -> list[str]:
    """The names of the loaded modules that have BTF."""
    try:
        return sorted(path.name for path in VMLINUX.parent.iterdir() if path != VMLINUX)
    except OSError:
        return []


def bundled() -> Blob:
    """What scripts/gen_btf.py has made, which tells what is in it."""
    import lzma

    path = next(FOLDER.glob(f"*{SUFFIX}"), None)
    if path is None:
        raise BtfError(f"this installation of ebee lacks its types: there are none in {FOLDER}")
    try:
        data = lzma.decompress(path.read_bytes())
    except (OSError, lzma.LZMAError) as error:
        raise BtfError(f"cannot read the bundled types from {path}: {error}") from None
    _, version, machine = path.name.removesuffix(SUFFIX).split("-", 2)
    return Blob(data, f"the bundled BTF (Linux {version}, {machine})")


def _map(path: Path) -> bytes | mmap.mmap:
    """The file's bytes, mapped where the kernel can (since Linux 6.16; private only), for a
    mapping costs nothing until a type is looked at; else read."""
    try:
        with path.open("rb") as file:
            return mmap.mmap(file.fileno(), 0, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ)
    except (OSError, ValueError):
        return _read(path)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BtfError(f"cannot read {path}: {error.strerror}") from None


def build_id() -> str:
    """The running kernel's build id in hex, or "" where it tells none (/sys/kernel/notes)."""
    try:
        notes = NOTES.read_bytes()
    except OSError:
        return ""
    at = 0
    while at + 12 <= len(notes):
        name_size, size, kind = struct.unpack_from("=III", notes, at)
        start = at + 12 + (name_size + 3 & ~3)
        if kind == 3 and notes[at + 12 : at + 12 + name_size] == b"GNU\0":
            return notes[start : start + size].hex()
        at = start + (size + 3 & ~3)
    return ""
