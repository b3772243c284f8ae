"""Random operations on the map types that hold the kernel's own things (sockets, processes,
cgroups, files, perf events), against a model of what each type does; and on those that have no
elements for user space. (Types that the machine has are compared with it: differential/test_maps.)
"""

from __future__ import annotations

import errno
import os
import random
import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from ebee import maps
from ebee.btf import BtfBuilder, Int
from ebee.errors import KernelError
from ebee.linux import LinuxMap, uapi
from ebee.linux.btf import load_bytes
from ebee.linux.errors import older_than
from ebee.linux.sys import syscall

pytestmark = pytest.mark.kernel

ANY, NOEXIST, EXIST = 0, 1, 2
FLAGS = (ANY, ANY, NOEXIST, EXIST, 4, 9)
ENTRIES = 4
SO_COOKIE = 57
ENOTSUPP = 524
STEPS, SEEDS = 120, (1, 2)


@dataclass
class Model:
    """What a map does. `indexed`: keys are slots, all of which are walked; `only_any`: no other
    flags; `gone`: errno of deleting what is not there, `beyond` what is outside; `read`: what a
    lookup gives for a value, or the errno that it always gives; `full`: how many elements fit;
    `once`: a value may be in the map once only, with this errno otherwise."""

    indexed: bool = True
    only_any: bool = False
    gone: int = errno.ENOENT
    beyond: int = errno.E2BIG
    outside: int = errno.E2BIG
    read: Callable[[Any], int] | int = ENOTSUPP
    full: int = ENTRIES
    once: int = 0
    held: dict[int, Any] = field(default_factory=dict)

    def lookup(self, key: int) -> Any:
        if isinstance(self.read, int):
            return ("errno", self.read)
        return self.read(self.held[key]) if key in self.held else None

    def update(self, key: int, value: Any, flags: int) -> Any:
        if flags > EXIST or (self.only_any and flags):
            return ("errno", errno.EINVAL)
        if self.indexed and key >= ENTRIES:
            return ("errno", self.outside)
        if key in self.held and flags == NOEXIST:
            return ("errno", errno.EEXIST)
        if key not in self.held and flags == EXIST:
            return ("errno", errno.ENOENT)
        if self.once and value in self.held.values():
            return ("errno", self.once)
        if key not in self.held and len(self.held) >= self.full:
            return ("errno", errno.E2BIG)
        self.held[key] = value
        return None

    def delete(self, key: int) -> Any:
        if self.indexed and key >= ENTRIES:
            return ("errno", self.beyond)
        if self.held.pop(key, None) is None:
            return ("errno", self.gone)
        return None

    def keys(self) -> set[int]:
        return set(range(ENTRIES)) if self.indexed else set(self.held)


def outcome(call: Callable[..., Any], *arguments: Any) -> Any:
    try:
        return call(*arguments)
    except KernelError as error:
        return ("errno", error.errno)


def cookie(made: socket.socket) -> int:
    return int.from_bytes(made.getsockopt(socket.SOL_SOCKET, SO_COOKIE, 8), "little")


def packed(number: int, size: int = 4) -> bytes:
    return number.to_bytes(size, "little")


def run(raw: LinuxMap, model: Model, keys: list[Any], values: list[Any], seed: int) -> None:
    """The same random steps on both. Keys are numbers, or what has a descriptor."""
    choose = random.Random(seed)
    for number in range(STEPS):
        what = choose.choice(("lookup", "update", "update", "delete", "walk"))
        key, value, flags = choose.choice(keys), choose.choice(values), choose.choice(FLAGS)
        name = keys.index(key) if hasattr(key, "fileno") else key
        raw_key = packed(key if isinstance(key, int) else key.fileno(), raw.key_size)
        told = (number, what, name, flags)
        if what == "lookup":
            found = outcome(raw.lookup, raw_key)
            read = int.from_bytes(found, "little") if isinstance(found, bytes) else found
            assert read == model.lookup(name), told
        elif what == "update":
            held = value if isinstance(value, int) else value.fileno()
            data = packed(held, raw.value_size)
            mine = model.update(name, value, flags)
            assert outcome(raw.update, raw_key, data, flags) == mine, told
        elif what == "delete":
            assert outcome(raw.delete, raw_key) == model.delete(name), told
        elif model.full:
            assert {int.from_bytes(k, "little") for k in raw.keys()} == model.keys(), told  # noqa: SIM118


# -- sockets --------------------------------------------------------------------------------------


@contextmanager
def connections(count: int) -> Iterator[list[socket.socket]]:
    """Connected TCP sockets, one end of each."""
    with ExitStack() as stack:
        server = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=count))
        found = []
        for _ in range(count):
            found.append(stack.enter_context(socket.create_connection(server.getsockname())))
            stack.enter_context(server.accept()[0])
        yield found


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("kind", ["sockmap", "sockhash"])
def test_maps_of_sockets(kind, seed):
    indexed = kind == "sockmap"
    gone = errno.EINVAL if indexed else errno.ENOENT
    model = Model(indexed, gone=gone, beyond=errno.EINVAL, read=cookie)
    with LinuxMap.create(kind, 4, 8, ENTRIES) as raw, connections(5) as sockets:
        run(raw, model, list(range(ENTRIES + 2)), sockets, seed)


@pytest.mark.parametrize("seed", SEEDS)
def test_sockets_of_a_reuseport_group(seed):
    model = Model(read=cookie, once=errno.EBUSY)
    with LinuxMap.create("reuseport_sockarray", 4, 8, ENTRIES) as raw, ExitStack() as stack:
        sockets = []
        for _ in range(6):
            made = stack.enter_context(socket.socket(type=socket.SOCK_DGRAM))
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            made.bind(("127.0.0.1", sockets[0].getsockname()[1] if sockets else 0))
            sockets.append(made)
        run(raw, model, list(range(ENTRIES + 2)), sockets, seed)


# -- cgroups and perf events ----------------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS)
def test_arrays_of_cgroups(seed, cgroup):
    model = Model(only_any=True)
    with LinuxMap.create("cgroup_array", 4, 4, ENTRIES) as raw, open_folder(cgroup) as fd:
        run(raw, model, list(range(ENTRIES + 2)), [fd], seed)


@contextmanager
def open_folder(path: Any) -> Iterator[int]:
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield fd
    finally:
        os.close(fd)


@pytest.mark.parametrize("seed", SEEDS)
def test_arrays_of_perf_events(seed):
    software, output, sampled = 1, 10, 1 << 10
    attr = bytearray(struct.pack("=IIQQQ", software, 112, output, 1, sampled).ljust(112, b"\0"))
    import ctypes

    buffer = (ctypes.c_char * 112).from_buffer(attr)
    fd = syscall("perf_event_open")(ctypes.addressof(buffer), os.getpid(), -1, -1, 0)
    if fd < 0:
        pytest.skip("no perf events here")
    try:
        with LinuxMap.create("perf_event_array", 4, 4, ENTRIES) as raw:
            run(raw, Model(only_any=True), list(range(ENTRIES + 2)), [fd], seed)
    finally:
        os.close(fd)


# -- storage --------------------------------------------------------------------------------------


def things(kind: str, stack: ExitStack, tmp_path: Any, cgroup: Any) -> list[Any]:
    """Three of what storage is for."""
    if kind == "sk":
        return [stack.enter_context(socket.socket()) for _ in range(3)]
    if kind == "inode":
        names = [tmp_path / str(n) for n in range(3)]
        return [stack.enter_context(name.open("w")) for name in names]
    if kind == "cgrp":
        folders = [cgroup, *(cgroup / str(n) for n in range(2))]
        for folder in folders[1:]:
            folder.mkdir()
            stack.callback(folder.rmdir)
        return [Opened(stack, os.open(f, os.O_RDONLY | os.O_DIRECTORY)) for f in folders]
    import subprocess

    found: list[Any] = []
    for _ in range(3):
        child = subprocess.Popen(["sleep", "60"])
        stack.callback(child.wait)
        stack.callback(child.kill)
        found.append(Opened(stack, os.pidfd_open(child.pid)))
    return found


class Opened:
    """A process or folder by its descriptor."""

    def __init__(self, stack: ExitStack, fd: int):
        self.fd = fd
        stack.callback(os.close, fd)

    def fileno(self) -> int:
        return self.fd


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("kind", ["sk", "task", "inode", "cgrp"])
def test_storage(kind, seed, tmp_path, cgroup):
    declared = maps.by_name(f"{kind}_storage")
    if older_than(declared.since):
        pytest.skip(f"requires Linux >= {declared.since}")
    builder = BtfBuilder()
    number, wide = builder.add(Int("int", 4, 1)), builder.add(Int("long", 8))
    model = Model(indexed=False, read=lambda value: value, full=1 << 30)
    with ExitStack() as stack:
        btf = stack.enter_context(load_bytes(builder.bytes()))
        given = {"btf": btf, "key_btf_id": number, "value_btf_id": wide}
        try:
            made = LinuxMap.create(declared.name, 4, 8, 0, flags=uapi.BPF_F_NO_PREALLOC, **given)
        except KernelError as error:
            pytest.skip(f"not in this kernel: {error}")
        raw = stack.enter_context(made)
        model.keys = lambda: set()  # type: ignore[method-assign]
        raw.keys = lambda: iter(())  # type: ignore[method-assign]
        keys = things(kind, stack, tmp_path, cgroup)
        run(raw, model, keys, list(range(5)), seed)
        del raw.keys
        assert outcome(raw.next_key, None) == ("errno", ENOTSUPP)


# -- types without elements for user space --------------------------------------------------------

UNSUPPORTED = {"ringbuf": ENOTSUPP, "user_ringbuf": ENOTSUPP, "arena": errno.EOPNOTSUPP}


@pytest.mark.parametrize("kind", UNSUPPORTED)
def test_memory_that_has_no_elements(kind):
    declared = maps.by_name(kind)
    if older_than(declared.since):
        pytest.skip(f"requires Linux >= {declared.since}")
    entries = 4096 if "ring" in kind else 1
    with LinuxMap.create(kind, 0, 0, entries, flags=declared.required) as raw:
        lookup = errno.EINVAL if kind == "arena" else UNSUPPORTED[kind]
        code = UNSUPPORTED[kind]
        for refused, call in (
            (lookup, lambda: raw.lookup(b"")),
            (code, lambda: raw.update(b"", b"")),
            (code, lambda: raw.delete(b"")),
            (code, lambda: raw.next_key(None)),
        ):
            assert outcome(call)[1] in (refused, errno.EINVAL, ENOTSUPP, errno.EOPNOTSUPP)


def test_stack_traces_that_nobody_took():
    with LinuxMap.create("stack_trace", 4, 80, ENTRIES) as raw:
        for key in map(packed, (0, 3, 4, 1 << 31)):
            assert raw.lookup(key) is None
            assert outcome(raw.delete, key)[1] in (errno.ENOENT, errno.E2BIG)
            assert outcome(raw.update, key, bytes(80)) == ("errno", errno.EINVAL)
        assert list(raw.keys()) == []


def test_every_type_has_its_random_test():
    """What is compared with the machine, what is above, and what has tests of its own."""
    machine = {kind.name for kind in maps.all_types() if kind.ops}
    above = {
        "sockmap", "sockhash", "reuseport_sockarray", "cgroup_array", "perf_event_array",
        "sk_storage", "task_storage", "inode_storage", "cgrp_storage", "stack_trace", "arena",
        "ringbuf", "user_ringbuf",
    }  # fmt: skip
    elsewhere = {
        "prog_array": "test_linux_load", "xskmap": "test_linux_xsk",
        "struct_ops": "test_obj_struct_ops", "cgroup_storage": "test_linux_typed",
        "percpu_cgroup_storage": "test_linux_typed",
    }  # fmt: skip
    assert {kind.name for kind in maps.all_types()} == machine | above | set(elsewhere)
