"""Finding files: libraries as the dynamic linker does, programs as the shell does, debug files as
debuggers do; in this process's view of the files or in that of another one (/proc/PID/root)."""

from __future__ import annotations

import errno
import os
import struct
import zlib
from collections.abc import Iterator
from fnmatch import fnmatch
from functools import cache

from ebee.errors import KernelError, ObjectError
from ebee.linux.symbols.elf import Image

LIBRARY_FOLDERS = (
    "/lib64", "/usr/lib64", "/lib", "/usr/lib", "/usr/local/lib",
    f"/lib/{os.uname().machine}-linux-gnu", f"/usr/lib/{os.uname().machine}-linux-gnu",
)  # fmt: skip
CACHE = "/etc/ld.so.cache"
CACHE_MAGIC = b"glibc-ld.so.cache1.1"
# The flags of a cache entry for this machine's own libraries (glibc, sysdeps/generic/ldconfig.h).
CACHE_FLAGS = {"x86_64": 0x0303, "aarch64": 0x0A03, "riscv64": 0x1003, "s390x": 0x0403,
               "ppc64le": 0x0503}  # fmt: skip
DEBUG_ROOTS = ("/usr/lib/debug",)


def root_of(pid: int) -> str:
    """The folder below which a process's files are: "" for processes that see ours.

    Containers see others: their files are reached through /proc/PID/root (needs the right to
    trace the process).
    """
    if pid <= 0:
        return ""
    try:
        if os.stat(f"/proc/{pid}/ns/mnt").st_ino == os.stat("/proc/self/ns/mnt").st_ino and (
            os.path.samestat(os.stat(f"/proc/{pid}/root"), os.stat("/"))
        ):
            return ""
    except OSError as error:
        if error.errno == errno.ENOENT and not os.path.exists(f"/proc/{pid}"):
            raise KernelError(f"there is no process {pid}", errno.ESRCH) from None
        return ""
    return f"/proc/{pid}/root"


def binary(name: str, pid: int = -1) -> str:
    """The path of a program or library: a path as it is, "libssl.so.3" and "libssl" as the dynamic
    linker finds them, "bash" as the shell does. KernelError when there is none.

    With a process, what it has mapped goes first, and paths are those that it sees.
    """
    root = root_of(pid)
    if "/" in name:
        if name.startswith("/proc/") or not root:
            return _existing(name, name)
        return _existing(root + name, name)
    if pid > 0:
        for path in _mapped(pid):
            if _is_library(os.path.basename(path), name) or os.path.basename(path) == name:
                return _existing(root + path, name)
    found = next(_libraries(name, root), None)
    if not name.startswith("lib") and ".so" not in name:
        import shutil

        found = shutil.which(name) if not root else None
        found = found or next(_libraries("lib" + name, root), None)
    if found is None:
        text = "is on no path of programs or libraries; give the whole path"
        raise KernelError(f"{name!r} {text}", errno.ENOENT)
    return found


def _existing(path: str, name: str) -> str:
    if not os.path.exists(path):
        raise KernelError(f"there is no file {name}", errno.ENOENT)
    return path


def _is_library(file: str, name: str) -> bool:
    """Whether a file is the library meant: "libc.so.6" itself; "libc" with any version."""
    if ".so" in name:
        return file == name
    return fnmatch(file, f"{name}.so") or fnmatch(file, f"{name}.so.*") or fnmatch(
        file, f"{name}-[0-9]*.so"
    )  # fmt: skip


def _libraries(name: str, root: str) -> Iterator[str]:
    """Files of a library, the best first: LD_LIBRARY_PATH, the linker's cache, usual folders."""
    folders = [f for f in os.environ.get("LD_LIBRARY_PATH", "").split(":") if f]
    for folder in folders if not root else ():
        yield from _in_folder(folder, name)
    for file, path in _cached(root + CACHE):
        if _is_library(file, name) and os.path.exists(root + path):
            yield root + path
    for folder in LIBRARY_FOLDERS:
        yield from _in_folder(root + folder, name)


def _in_folder(folder: str, name: str) -> Iterator[str]:
    try:
        files = sorted(os.listdir(folder), key=lambda f: (len(f), f))
    except OSError:
        return
    yield from (os.path.join(folder, f) for f in files if _is_library(f, name))


@cache
def _cached(path: str) -> list[tuple[str, str]]:
    """The dynamic linker's cache: (library, path), of this machine's word size."""
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError:
        return []
    data = data[max(data.find(CACHE_MAGIC), 0) :]
    if not data.startswith(CACHE_MAGIC) or len(data) < 48:
        return []
    wanted = CACHE_FLAGS.get(os.uname().machine)
    found = []
    (count,) = struct.unpack_from("=I", data, 20)
    for i in range(min(count, (len(data) - 48) // 24)):
        flags, key, value = struct.unpack_from("=III", data, 48 + 24 * i)
        if wanted is None or flags == wanted:
            texts = [data[at : data.find(b"\0", at)] for at in (key, value)]
            found.append((os.fsdecode(texts[0]), os.fsdecode(texts[1])))
    return found


def _mapped(pid: int) -> Iterator[str]:
    """The files that a process runs code of, each once."""
    seen = set()
    try:
        with open(f"/proc/{pid}/maps", errors="surrogateescape") as lines:
            for line in lines:
                fields = line.rstrip("\n").split(maxsplit=5)
                path = fields[5] if len(fields) == 6 else ""
                if "x" in fields[1] and path.startswith("/") and path not in seen:
                    seen.add(path)
                    yield path
    except OSError as error:
        text = f"cannot read the memory map of process {pid}: {error.strerror}"
        raise KernelError(text, error.errno or 0) from None


def debug_file(image: Image, path: str, root: str = "") -> Image | None:
    """The separate file with an image's symbols and DWARF, by build id or link; None if there is
    none that fits."""
    for candidate in _debug_candidates(image, path, root):
        try:
            found = Image.open(candidate)
        except (KernelError, ObjectError):
            continue
        if image.build_id and found.build_id == image.build_id:
            return found
        link = image.debug_link
        if not image.build_id and link and zlib.crc32(found.data) == link[1]:
            return found
    return None


def _debug_candidates(image: Image, path: str, root: str) -> Iterator[str]:
    for base in DEBUG_ROOTS:
        if image.build_id:
            text = image.build_id.hex()
            yield f"{root}{base}/.build-id/{text[:2]}/{text[2:]}.debug"
    if image.debug_link:
        name = image.debug_link[0]
        folder = os.path.dirname(os.path.realpath(path))
        inside = folder.removeprefix(root)
        yield from (f"{folder}/{name}", f"{folder}/.debug/{name}")
        yield from (f"{root}{base}{inside}/{name}" for base in DEBUG_ROOTS)
