"""One object in a process of its own: opened and loaded by ebee or by libbpf, and what the kernel
was asked for (corpus_record.c), in a form that can be compared."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import re
import resource
import struct
import sys
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
MEMORY = 4 << 30
LDDW, MAP_FD, MAP_VALUE, BTF_ID = 0x18, 1, 2, 3
CALL, KFUNC = 0x85, 2
INFO_SIZE = 80

FLAGS = {
    "BPF_F_STRICT_ALIGNMENT": 1, "BPF_F_ANY_ALIGNMENT": 2, "BPF_F_TEST_RND_HI32": 4,
    "BPF_F_TEST_STATE_FREQ": 8, "BPF_F_TEST_REG_INVARIANTS": 128,
}  # fmt: skip
"""What the tests ask for by name (the others by number)."""

Outcome = dict[str, Any]
"""What became of a program (or, as "", of the object): `error`, or what was loaded."""

# Of union bpf_attr, what decides about the program: (offset, size).
ASKED = {
    "type": (0, 4), "flags": (44, 4), "ifindex": (64, 4), "attach_type": (68, 4),
    "attach_btf_id": (108, 4),
}  # fmt: skip
NAME = slice(48, 64)
INFO = struct.Struct("=IIIIII16s")
"""Of struct bpf_map_info: type, id, key size, value size, entries, flags, name."""


def outcome(record: bytes, wanted: int) -> Outcome:
    """What the program of a descriptor was loaded with: the last one that got it."""
    found: Outcome = {}
    at = 0
    while at < len(record):
        made, attr_size, slots, funcs, maps = struct.unpack_from("=5I", record, at)
        at += 20
        attr = record[at : at + attr_size].ljust(168, b"\0")
        at += attr_size
        insns = record[at : at + 8 * slots]
        at += 8 * slots
        func_info = record[at : at + funcs]
        at += funcs
        known = {}
        for _ in range(maps):
            (fd,) = struct.unpack_from("=I", record, at)
            known[fd] = describe(record[at + 4 : at + 4 + INFO_SIZE])
            at += 4 + INFO_SIZE
        if made == wanted:
            asked = {k: int.from_bytes(attr[o : o + n], "little") for k, (o, n) in ASKED.items()}
            functions = [start for start, _ in struct.iter_unpack("=II", func_info)]
            name = attr[NAME].rstrip(b"\0").decode()
            code = normal(insns, known)
            found = {
                **asked,
                "name": name,
                "functions": functions,
                "maps": sorted(known.values()),
                "code": code,
            }
    return found or {"error": "loaded, but the kernel was not asked for it"}


def describe(info: bytes) -> str:
    """A map as far as programs see it."""
    kind, _, key, value, entries, flags, name = INFO.unpack_from(info)
    label = name.rstrip(b"\0").decode()
    return f"{label} type {kind} {key}:{value} x{entries} flags {flags:#x}"


def normal(insns: bytes, maps: dict[int, str]) -> str:
    """Instructions in hex, with maps told by what they are instead of by a descriptor; of modules
    (whose BTF has one, too, and a place in an array of them) only that it is one."""
    made = bytearray(insns)
    at = 0
    while at < len(made):
        wide = made[at] == LDDW
        if wide and made[at + 1] >> 4 in (MAP_FD, MAP_VALUE):
            (fd,) = struct.unpack_from("=I", made, at + 4)
            struct.pack_into("=I", made, at + 4, zlib.crc32(maps.get(fd, str(fd)).encode()))
        elif wide and made[at + 1] >> 4 == BTF_ID and any(made[at + 12 : at + 16]):
            struct.pack_into("=I", made, at + 12, 1)
        elif made[at] == CALL and made[at + 1] >> 4 == KFUNC and any(made[at + 2 : at + 4]):
            struct.pack_into("=H", made, at + 2, 1)
        at += 16 if wide else 8
    return made.hex()


class Recorder:
    """The memory file that the preloaded recorder writes to."""

    def __init__(self) -> None:
        self.fd = os.memfd_create("record")
        os.environ["EBEE_RECORD"] = str(self.fd)

    def take(self) -> bytes:
        """What was recorded since the last time."""
        size = os.lseek(self.fd, 0, os.SEEK_END)
        data = os.pread(self.fd, size, 0)
        os.lseek(self.fd, 0, os.SEEK_SET)
        os.ftruncate(self.fd, 0)
        return data


class Wish(NamedTuple):
    """How a program of the kernel's tests wants to be loaded: its test runner reads it from
    declaration tags, and so do both of our loaders."""

    flags: int = 0
    types: Path | None = None
    """An object whose BTF stands in for the kernel's in CO-RE relocations."""


def wishes(path: Path) -> dict[str, Wish]:
    """Those of an object, by program."""
    from ebee.btf import Btf, DeclTag, Func
    from ebee.errors import EbeeError

    found: dict[str, Wish] = {}
    with contextlib.suppress(EbeeError):  # an object without BTF wishes nothing
        btf = Btf.load(path)
        for tag in btf:
            if not isinstance(tag, DeclTag) or not isinstance(btf.type(tag.type), Func):
                continue
            name, (word, _, value) = btf.type(tag.type).name, tag.name.partition("=")
            wish = found.get(name, Wish())
            if word == "comment:test_prog_flags":
                flags = FLAGS.get(value.strip("!")) or int(value.strip("!"), 0)
                known = wish.flags & ~flags if value.startswith("!") else wish.flags | flags
                found[name] = wish._replace(flags=known)
            elif word == "comment:test_btf_path":
                other = path.with_name(value.replace(".bpf.o", ".o"))
                found[name] = wish._replace(types=other)
    return found


def with_ebee(path: Path, _: Path, recorder: Recorder) -> Iterator[tuple[str, Outcome]]:
    """Each program's outcome; the name "" is the object itself."""
    from ebee import linux, obj
    from ebee.btf import Btf
    from ebee.errors import EbeeError

    wished = wishes(path)
    try:
        spec = obj.load(path)
    except EbeeError as error:
        yield "", {"error": str(error)}
        return
    yield "", {}
    for made in spec.maps.values():
        made.pinning = 0
    arrays = [m.contents.values() for m in spec.maps.values() if m.type == "prog_array"]
    called = [name for held in arrays for name in held]  # tail calls: what arrays must hold
    for name, program in spec.programs.items():
        recorder.take()
        wish = wished.get(name, Wish())
        program.flags |= wish.flags
        types = Btf.load(wish.types) if wish.types else None
        chosen = dict.fromkeys([*called, name])
        try:
            with linux.load(spec, programs=chosen, core_btf=types) as loaded:
                result = outcome(recorder.take(), loaded.programs[name].fd.fileno())
            yield name, result
        except EbeeError as error:
            yield name, {"error": str(error)}


class OpenOptions(ctypes.Structure):
    """The start of struct bpf_object_open_opts."""

    _fields_ = (
        ("sz", ctypes.c_size_t), ("object_name", ctypes.c_char_p), ("relaxed_maps", ctypes.c_bool),
        ("pin_root_path", ctypes.c_char_p), ("unused", ctypes.c_uint32),
        ("kconfig", ctypes.c_char_p), ("btf_custom_path", ctypes.c_char_p),
    )  # fmt: skip


def with_libbpf(path: Path, library: Path, recorder: Recorder) -> Iterator[tuple[str, Outcome]]:
    """The same by libbpf: the object is opened anew for each program."""
    lib = ctypes.CDLL(str(library))
    said: list[str] = []
    for function in ("open_file", "next_program", "next_map"):
        getattr(lib, f"bpf_object__{function}").restype = ctypes.c_void_p
    lib.bpf_program__name.restype = ctypes.c_char_p
    wished = wishes(path)
    printer = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p)
    libc = ctypes.CDLL(None)

    def listen(level: int, form: bytes, arguments: int) -> int:
        if level == 0:  # LIBBPF_WARN
            text = ctypes.create_string_buffer(1 << 16)
            libc.vsnprintf(text, len(text), form, ctypes.c_void_p(arguments))
            said.append(text.value.decode(errors="replace"))
        return 0

    keep = printer(listen)
    lib.libbpf_set_print(keep)

    def each(function: str, opened: ctypes.c_void_p) -> Iterator[ctypes.c_void_p]:
        at = getattr(lib, function)(opened, None)
        while at:
            yield ctypes.c_void_p(at)
            at = getattr(lib, function)(opened, ctypes.c_void_p(at))

    def attempt(name: str | None, called: tuple[str, ...] = ()) -> tuple[list[str], Outcome]:
        said.clear()
        recorder.take()
        wish = wished.get(name or "", Wish())
        types = str(wish.types).encode() if wish.types else None
        options = OpenOptions(ctypes.sizeof(OpenOptions), btf_custom_path=types)
        target = str(path).encode()
        opened = ctypes.c_void_p(lib.bpf_object__open_file(target, ctypes.byref(options)))
        if not opened.value:
            return [], {"error": why(said)}
        names, chosen = [], None
        for program in each("bpf_object__next_program", opened):
            names.append(lib.bpf_program__name(program).decode())
            chosen = program if names[-1] == name else chosen
            lib.bpf_program__set_autoload(program, names[-1] in (name, *called))
        if chosen is not None and wish.flags:
            flags = lib.bpf_program__flags(chosen) | wish.flags
            lib.bpf_program__set_flags(chosen, flags)
        for made in each("bpf_object__next_map", opened):
            lib.bpf_map__set_pin_path(made, None)
        code = lib.bpf_object__load(opened) if name is not None else 0
        result = {} if name is None else {"error": why(said)}
        if chosen is not None and code == 0:
            result = outcome(recorder.take(), lib.bpf_program__fd(chosen))
        lib.bpf_object__close(opened)
        more = ARRAY_SLOT.search(result.get("error", ""))  # tail calls: what an array must hold
        if more and more[1] in names and more[1] not in (name, *called):
            return attempt(name, (*called, more[1]))
        return names, result

    names, opened = attempt(None)
    yield "", opened
    for name in names:
        yield name, attempt(name)[1]


def why(said: list[str]) -> str:
    """What libbpf complained about."""
    lines = [s.strip() for s in "".join(said).splitlines() if s.strip()]
    complaints = [s for s in lines if s.startswith("libbpf:") and "-- BEGIN" not in s]
    return "\n".join(complaints[:3]) or "failed"


ARRAY_SLOT = re.compile(r"failed to initialize slot \[\d+\] to prog '([^']*)' fd=-")
Loader = Callable[[Path, Path, Recorder], Iterator[tuple[str, Outcome]]]
LOADERS: dict[str, Loader] = {"ebee": with_ebee, "libbpf": with_libbpf}


def main(loader: str, path: Path, library: Path) -> None:
    """A line of JSON for each result."""
    sys.path.insert(0, str(ROOT / "src"))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    for result in LOADERS[loader](path, library, Recorder()):
        print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
