"""Attaching to functions and instructions of user programs and libraries."""

from __future__ import annotations

import errno
import os
import re
from array import array
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ebee.errors import KernelError
from ebee.linux import perf, uapi
from ebee.linux.attach.kprobes import cookie_list, traced
from ebee.linux.attach.perf_events import Mode, attach_event
from ebee.linux.errors import older_than, version_text
from ebee.linux.links import Link, all_of, create
from ebee.linux.programs import LinuxProgram
from ebee.linux.symbols.elf import STB_GLOBAL, STT_FUNC, STT_IFUNC, Image, Symbol
from ebee.linux.symbols.files import binary, debug_file, root_of
from ebee.linux.sys import address

NEEDS = ("CAP_BPF", "CAP_PERFMON")
REF_CTR_SHIFT = 32
"""Where a uprobe event's config has the offset of the semaphore (the unit's format file)."""
_NUMBER = re.compile(r"0x[0-9a-fA-F]+|\d+")


class Place(NamedTuple):
    """An instruction in a file: the name it was found by, and its offset there in bytes."""

    name: str
    offset: int


def uprobe(
    program: LinuxProgram,
    path: str,
    *,
    function: str = "",
    offset: int = 0,
    pid: int = -1,
    on_return: bool = False,
    cookie: int = 0,
    semaphore: int = 0,
    mode: Mode = "auto",
) -> Link:
    """Attach to an instruction of a program or library, or to the return from a function.

    `path`: the file, or "libc", "bash" as the linker and the shell find them; "libc:malloc+4" names
    the function, too. `function`: a symbol, with a version if need be ("memcpy@GLIBC_2.14");
    `offset`: bytes behind its beginning, or in the file when no function is named. `pid`: only in
    that process (0: this one), which also says whose files are meant. `cookie`: what
    bpf_get_attach_cookie() gives, since Linux 5.15; `semaphore`: the file offset of a counter that
    is raised while this is attached, since 4.20. Since Linux 4.3.
    """
    pid = os.getpid() if pid == 0 else pid
    path, function, offset = _split(path, function, offset, pid)
    file = binary(path, pid)
    where = resolve(file, function, offset, pid) if function else Place(hex(offset), offset)
    kind = "uretprobe" if on_return else "uprobe"
    target = f"{kind} {path}:{where.name}"
    unit = perf.unit_type("uprobe") if mode != "tracefs" else None
    why = {
        errno.EINVAL: "no instruction that can be probed begins there",
        errno.EIO: "that is outside the file's code",
        errno.ENOENT: f"there is no file {file}",
        errno.ESRCH: f"there is no process {pid}",
        errno.ENOTSUP: "that instruction cannot be probed",
    }
    if semaphore and older_than("4.20"):
        raise KernelError(f"semaphores require Linux >= 4.20; this is {version_text()}")
    if unit is None:
        if pid != -1:
            text = f"only process {pid} requires Linux >= 4.17 (perf's unit uprobe)"
            raise KernelError(f"attaching {target} for {text}", errno.EOPNOTSUPP)
        if set(" \t\n:") & set(file):
            raise KernelError(f"tracefs takes no path with spaces or colons, as {file!r}")
        counter = f"({semaphore:#x})" if semaphore else ""
        line = f"{'r' if on_return else 'p'}:ebee/{{}} {file}:{where.offset:#x}{counter}"
        return traced(program, target, "uprobe", line, cookie, mode)
    keep = os.fsencode(file) + b"\0"
    config = int(on_return) | semaphore << REF_CTR_SHIFT
    event = perf.Event(unit, config, address(keep), where.offset, keep=keep)
    return attach_event(program, target, event, pid=pid, cookie=cookie, mode=mode, why=why)


def uprobe_multi(
    program: LinuxProgram,
    path: str,
    *,
    function: str | Sequence[str] = (),
    offsets: Sequence[int] = (),
    pid: int = -1,
    on_return: bool = False,
    session: bool = False,
    cookies: Mapping[str, int] | Sequence[int] | None = None,
    semaphores: Sequence[int] | None = None,
) -> Link:
    """Attach to many functions of one file at once. Since Linux 6.6 (`session` 6.13).

    `function`: a pattern ("pthread_*") or names; "libc:pthread_*" in `path` says the same; or
    `offsets` in the file. `pid` as for uprobe; `cookies` by name or in order. Before 6.6, or for a
    program that was not loaded for many, these are as many uprobes.
    """
    pid = os.getpid() if pid == 0 else pid
    if not function and not len(offsets):
        path, function, _ = _split(path, "", 0, pid)
    file = binary(path, pid)
    places = [Place(hex(n), n) for n in offsets]
    for name in [function] if isinstance(function, str) and function else function:
        several = set("*?[") & set(name)
        places += matching(file, name, pid) if several else [resolve(file, name, 0, pid)]
    if not places:
        raise KernelError(f"uprobe.multi of {path}: no function is named")
    names = [place.name for place in places]
    values = cookie_list(names, cookies)
    target = f"{len(places)} functions of {path}"
    single = program.attach_type not in (
        None, uapi.ATTACH_TYPES["trace_uprobe_multi"], uapi.ATTACH_TYPES["trace_uprobe_session"]
    )  # fmt: skip
    counters = semaphores or [0] * len(places)
    if not session and (single or older_than("6.6")):
        each = zip(places, values, counters, strict=True)
        return all_of(
            (
                uprobe(program, file, offset=place.offset, pid=pid, on_return=on_return,
                       cookie=cookie, semaphore=counter)
                for place, cookie, counter in each
            ),
            target,
        )  # fmt: skip
    fields: dict[str, Any] = {
        "attach_type": uapi.ATTACH_TYPES[
            "trace_uprobe_session" if session else "trace_uprobe_multi"
        ],
        "uprobe_multi_path": os.fsencode(file) + b"\0",
        "uprobe_multi_offsets": array("Q", (place.offset for place in places)).tobytes(),
        "uprobe_multi_cnt": len(places),
        "uprobe_multi_flags": uapi.BPF_F_UPROBE_MULTI_RETURN * (on_return and not session),
        "uprobe_multi_pid": max(pid, 0),
    }
    if cookies is not None:
        fields["uprobe_multi_cookies"] = array("Q", values).tobytes()
    if semaphores is not None:
        fields["uprobe_multi_ref_ctr_offsets"] = array("Q", semaphores).tobytes()
    why = {
        errno.ESRCH: f"there is no process {pid}",
        errno.EINVAL: "one of these places is no instruction that can be probed, or the program"
        " was not loaded for this",
        errno.EIO: "one of these places is outside the file's code",
    }
    return create(program, target, fields, why, "6.13" if session else "6.6", NEEDS)


def _split(path: str, function: str, offset: int, pid: int) -> tuple[str, str, int]:
    """ "PATH:FUNCTION+OFFSET" as its parts, unless a function or offset is given besides."""
    if not function and not offset and ":" in path and not os.path.exists(root_of(pid) + path):
        path, _, rest = path.rpartition(":")
        function, _, behind = rest.partition("+")
        if behind and not _NUMBER.fullmatch(behind):
            raise KernelError(f"{behind!r} is no offset behind {function}")
        offset = int(behind or "0", 0)
        if _NUMBER.fullmatch(function):
            function, offset = "", int(function, 0) + offset
    if not function and not offset:
        raise KernelError(f"no place in {path} is named: give PATH:FUNCTION, function= or offset=")
    return path, function, offset


# -- from names to places --------------------------------------------------------------------------


def _images(file: str, pid: int) -> Iterator[Image]:
    """The file, then what holds its symbols if it was stripped."""
    image = Image.open(file)
    yield image
    separate = debug_file(image, file, root_of(pid))
    if separate is not None:
        yield separate


def resolve(file: str, function: str, offset: int = 0, pid: int = -1) -> Place:
    """Where in a file a function begins; KernelError when it has none, or several, of the name."""
    name, _, version = function.partition("@")
    version = version.removeprefix("@")
    image = Image.open(file)
    for source in _images(file, pid):
        found = [s for s in source.named(name) if s.type in (STT_FUNC, STT_IFUNC)]
        found = [s for s in found if not version or s.version == version]
        if found:
            best = _best(found, function, file)
            return Place(function, _offset(image, best.address, function) + offset)
    from difflib import get_close_matches

    known = {s.name for source in _images(file, pid) for s in source.symbols()}
    near = get_close_matches(name, known, 3)
    hint = f"; did you mean {' or '.join(near)}?" if near else ""
    hint = hint or ("" if known else "; it is stripped, and no debug file fits")
    raise KernelError(f"there is no function {function!r} in {file}{hint}", errno.ENOENT)


def _best(found: list[Symbol], function: str, file: str) -> Symbol:
    """The symbol that is meant among those of one name."""
    plain = [s for s in found if s.type == STT_FUNC]
    if not plain:
        text = "is chosen when the program starts (IFUNC): probe the variant that this machine uses"
        raise KernelError(f"{function} of {file} {text}")
    plain = [s for s in plain if s.default] or plain
    plain = [s for s in plain if s.bind == STB_GLOBAL] or plain
    places = {s.address: s for s in plain}
    if len(places) > 1:
        versions = sorted({f"{s.name}@{s.version}" for s in plain if s.version})
        choice = ", ".join(versions) or ", ".join(f"offset {a:#x}" for a in places)
        raise KernelError(f"{file} has several functions {function}: {choice}")
    return plain[0]


def _offset(image: Image, place: int, name: str) -> int:
    found = image.file_offset(place)
    if found is None:
        raise KernelError(f"{name} of {image.name} is in no part of the file that is loaded")
    return found


def matching(file: str, pattern: str, pid: int = -1) -> list[Place]:
    """The functions whose names match a pattern, each place once, in the order of the file."""
    from fnmatch import translate

    matches = re.compile(translate(pattern)).match
    image = Image.open(file)
    found: dict[int, str] = {}
    for source in _images(file, pid):
        for symbol in source.symbols():
            if symbol.type == STT_FUNC and matches(symbol.name):
                found.setdefault(_offset(image, symbol.address, symbol.name), symbol.name)
    if not found:
        raise KernelError(f"no function of {file} matches {pattern!r}", errno.ENOENT)
    return [Place(name, offset) for offset, name in sorted(found.items())]
