"""Addresses of a process: what file, function and line they belong to, now."""

from __future__ import annotations

import errno
import os
import re
from bisect import bisect_right
from functools import cached_property
from typing import NamedTuple

from ebee.errors import KernelError, ObjectError
from ebee.linux.symbols.demangle import demangle
from ebee.linux.symbols.elf import STT_FUNC, STT_IFUNC, STT_NOTYPE, Image
from ebee.linux.symbols.files import debug_file, root_of
from ebee.linux.symbols.lines import Lines, SourceLine


class Frame(NamedTuple):
    """One address of a stack: the function and how far behind its beginning, the file or module it
    is in ("" for the kernel itself), and its line of source where that is known.

    An address that nothing is known of has no name; str() then shows the number.
    """

    address: int
    name: str = ""
    offset: int = 0
    module: str = ""
    source: SourceLine | None = None

    def __str__(self) -> str:
        text = f"{self.name}+{self.offset:#x}" if self.name else f"{self.address:#018x}"
        text += f" [{os.path.basename(self.module)}]" if self.module else ""
        return text + (f" {self.source.file}:{self.source.line}" if self.source else "")


class Mapping(NamedTuple):
    """A line of /proc/PID/maps."""

    start: int
    end: int
    rights: str
    offset: int
    inode: int
    path: str


class ImageSymbols:
    """The functions of one file, and of its debug file, by address."""

    def __init__(self, image: Image, path: str, root: str = ""):
        self.image = image
        self._path, self._root = path, root

    @cached_property
    def _separate(self) -> Image | None:
        return debug_file(self.image, self._path, self._root)

    @cached_property
    def _functions(self) -> tuple[list[int], list[tuple[int, str]]]:
        """Beginnings, and (size, name); the best name of each address: a function rather than a
        bare label, a public rather than a hidden one, one without underscores."""
        best: dict[int, tuple[tuple[bool, bool, bool, int], int, str]] = {}
        for image in filter(None, (self.image, self._separate)):
            for s in image.symbols():
                if s.type not in (STT_FUNC, STT_IFUNC, STT_NOTYPE) or s.name.startswith("$"):
                    continue
                if image.file_offset(s.address) is None and not self._has(s.address):
                    continue
                rank = (s.type == STT_NOTYPE, not s.bind, s.name.startswith("_"), len(s.name))
                if s.address not in best or rank < best[s.address][0]:
                    best[s.address] = rank, s.size, s.name
        starts = sorted(best)
        return starts, [best[start][1:] for start in starts]

    def _has(self, address: int) -> bool:
        return any(s.address <= address < s.address + s.size for s in self.image.segments)

    @cached_property
    def _lines(self) -> Lines | None:
        for image in filter(None, (self.image, self._separate)):
            if (found := Lines.of(image)) is not None:
                return found
        return None

    def function(self, address: int) -> tuple[str, int] | None:
        """The function at an address of the file, and how far behind its beginning."""
        starts, rest = self._functions
        index = bisect_right(starts, address) - 1
        if index < 0:
            return None
        size, name = rest[index]
        offset = address - starts[index]
        return (demangle(name), offset) if offset < size or not size else None

    def source(self, address: int) -> SourceLine | None:
        """The line of source at an address of the file."""
        return self._lines.at(address) if self._lines is not None else None


class Images:
    """Files that have been opened, by what they are: one for all processes that run them."""

    def __init__(self) -> None:
        self._open: dict[tuple[int, int, int], ImageSymbols | None] = {}
        self._by_build_id: dict[bytes, ImageSymbols] = {}

    def get(self, path: str, root: str = "") -> ImageSymbols | None:
        """A file's symbols; None if it cannot be read, or is no program."""
        try:
            status = os.stat(path)
        except OSError:
            return None
        key = status.st_dev, status.st_ino, status.st_mtime_ns
        if key not in self._open:
            try:
                self.add(key, ImageSymbols(Image.open(path), path, root))
            except (KernelError, ObjectError):
                self._open[key] = None
        return self._open[key]

    def add(self, key: tuple[int, int, int], made: ImageSymbols) -> None:
        """Keep an image under a key; it is found by its build id, too."""
        self._open[key] = made
        try:
            if made.image.build_id:
                self._by_build_id[padded(made.image.build_id)] = made
        except ObjectError:
            pass

    def by_build_id(self, build_id: bytes) -> ImageSymbols | None:
        """A file that has been opened, or the debug file of one that has not."""
        from ebee.linux.symbols.files import DEBUG_ROOTS

        build_id = padded(build_id)
        if build_id not in self._by_build_id:
            text = build_id.hex()
            for root in DEBUG_ROOTS:
                self.get(f"{root}/.build-id/{text[:2]}/{text[2:]}.debug")
        return self._by_build_id.get(build_id)


def padded(build_id: bytes) -> bytes:
    """A build id as the kernel tells it: 20 bytes."""
    return build_id[:20].ljust(20, b"\0")


class ProcessSymbols:
    """What the addresses of one process mean; KernelError (ESRCH) when there is none."""

    def __init__(self, pid: int, images: Images | None = None):
        self.pid, self._images = pid, images or Images()
        self.root = root_of(pid)
        self.refresh()

    def refresh(self) -> None:
        """Read the memory map again: libraries may have come since, and compiled code."""
        self._mappings = list(mappings(self.pid))
        self._starts = [m.start for m in self._mappings]
        self.__dict__.pop("_compiled", None)

    def mapping(self, address: int) -> Mapping | None:
        """The part of memory that an address is in."""
        index = bisect_right(self._starts, address) - 1
        found = self._mappings[index] if index >= 0 else None
        return found if found is not None and address < found.end else None

    def frame(self, address: int, *, lines: bool = True) -> Frame:
        """What is at an address. `lines`: look for the line of source, too, which takes longer."""
        found = self.mapping(address)
        if found is None:
            return Frame(address)
        if (own := self._compiled.at(address)) is not None:
            return own
        image = self._image(found)
        if image is None:
            return Frame(address, module=found.path)
        place = image.image.address_at(address - found.start + found.offset)
        if place is None:
            return Frame(address, module=found.path)
        name, behind = image.function(place) or ("", 0)
        source = image.source(place) if lines else None
        return Frame(address, name, behind, found.path, source)

    def _image(self, found: Mapping) -> ImageSymbols | None:
        if found.path == "[vdso]":
            return self._vdso(found)
        if not found.path.startswith("/"):
            return None
        path = self.root + found.path
        try:
            if os.stat(path).st_ino == found.inode:
                return self._images.get(path, self.root)
        except OSError:
            pass
        # Deleted or replaced, or on a file system that others mounted: the file that runs.
        exact = f"/proc/{self.pid}/map_files/{found.start:x}-{found.end:x}"
        return self._images.get(exact, self.root) or self._images.get(path, self.root)

    def _vdso(self, found: Mapping) -> ImageSymbols | None:
        """The kernel's little library, which is in no file."""
        try:
            with open(f"/proc/{self.pid}/mem", "rb") as memory:
                memory.seek(found.start)
                data = memory.read(found.end - found.start)
            return ImageSymbols(Image(data, "[vdso]"), "[vdso]")
        except (OSError, ObjectError):
            return None

    @cached_property
    def _compiled(self) -> PerfMap:
        return PerfMap.of(self.pid, self.root)


class PerfMap:
    """What a just-in-time compiler says it has put where: the file /tmp/perf-PID.map that perf has
    made a custom (V8, the JVM's agent, Python with `-X perf`)."""

    def __init__(self, lines: list[str]):
        found = []
        for line in lines:
            fields = line.rstrip("\n").split(" ", 2)
            try:
                found.append((int(fields[0], 16), int(fields[1], 16), fields[2]))
            except (ValueError, IndexError):
                continue  # half a line, while it is being written
        found.sort(key=lambda entry: entry[0])  # of equal ones the last stays last
        self._entries = found
        self._starts = [entry[0] for entry in found]

    @classmethod
    def of(cls, pid: int, root: str = "") -> PerfMap:
        """That of a process, by the number that it has in its own namespace."""
        try:
            with open(f"/proc/{pid}/status") as status:
                numbers = re.search(r"^NSpid:\s*(.*)$", status.read(), re.MULTILINE)
            own = numbers[1].split()[-1] if numbers else str(pid)
            with open(f"{root}/tmp/perf-{own}.map", errors="replace") as file:
                trusted = {0, os.getuid(), os.stat(f"/proc/{pid}").st_uid}
                if os.fstat(file.fileno()).st_uid in trusted:  # anyone may write to /tmp
                    return cls(file.readlines())
        except OSError:
            pass
        return cls([])

    def at(self, address: int) -> Frame | None:
        """The compiled function at an address; the newest, where memory was used again."""
        index = bisect_right(self._starts, address) - 1
        if index < 0:
            return None
        start, size, name = self._entries[index]
        if address >= start + size:
            return None
        # Python's own: "py::function:/path/file.py".
        if found := re.fullmatch(r"py::(.+):([^:]+)", name):
            source = SourceLine(found[2], 0)
            return Frame(address, found[1], address - start, "python", source)
        return Frame(address, demangle(name), address - start, "jit")


_MAPPING = re.compile(
    r"([0-9a-f]+)-([0-9a-f]+) (\S+) ([0-9a-f]+) \S+ (\d+) *(.*)"
)  # start, end, rights, offset, device, inode, path


def mappings(pid: int) -> list[Mapping]:
    """A process's memory map; KernelError when there is no such process, or it is not ours."""
    try:
        with open(f"/proc/{pid}/maps", errors="surrogateescape") as file:
            lines = file.read().splitlines()
    except OSError as error:
        gone = error.errno in (errno.ENOENT, errno.ESRCH)
        why = f"there is no process {pid}" if gone else f"cannot read /proc/{pid}/maps"
        code = errno.ESRCH if gone else error.errno or 0
        raise KernelError(why if gone else f"{why}: {error.strerror}", code) from None
    found = []
    for line in lines:
        if match := _MAPPING.fullmatch(line):
            start, end, rights, offset, inode, path = match.groups()
            path = path.removesuffix(" (deleted)")
            found.append(
                Mapping(int(start, 16), int(end, 16), rights, int(offset, 16), int(inode), path)
            )
    return found
