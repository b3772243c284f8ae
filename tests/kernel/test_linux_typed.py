"""Typed maps whose keys and values stand for things: sockets, interfaces, programs, processes,
cgroups, files; memory that programs share; emptying maps."""

import os
import socket
import subprocess
import sys
from contextlib import contextmanager

import pytest

from ebee import linux
from ebee.clang import build
from ebee.errors import BtfError, KernelError
from ebee.isa.asm import assemble
from ebee.linux import LinuxMap, LinuxProgram, uapi
from ebee.linux.errors import older_than
from ebee.linux.typed import Redirect, typed
from ebee.obj.spec import MapSpec

pytestmark = pytest.mark.kernel

HEAD = "#include <linux/bpf.h>\n#include <bpf/bpf_helpers.h>\n"
TAIL = '\nSEC("xdp") int nothing(void *ctx) { return 2; }\nchar LICENSE[] SEC("license") = "GPL";\n'


@contextmanager
def made(type, key=4, value=4, entries=4, **options):
    with LinuxMap.from_spec(MapSpec("m", type, key, value, entries, **options)) as raw:
        yield typed(raw)


@pytest.fixture
def compiled(tmp_path):
    def make(text):
        path = tmp_path / "source.c"
        path.write_text(HEAD + text + TAIL)
        return build(path)

    return make


@contextmanager
def connection():
    """The two ends of a TCP connection over loopback."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        one = socket.create_connection(server.getsockname())
        other, _ = server.accept()
        with one, other:
            yield one, other


def cookie(sock):
    SO_COOKIE = 57
    return int.from_bytes(sock.getsockopt(socket.SOL_SOCKET, SO_COOKIE, 8), sys.byteorder)


# -- values ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["sockmap", "sockhash"])
def test_sockets_go_in_and_cookies_come_out(kind):
    with made(kind, value=8) as handle, connection() as (one, other):
        handle[0], handle[1] = one, other.fileno()
        assert dict(handle.items()) == {0: cookie(one), 1: cookie(other)}
        del handle[0]
        assert 0 not in handle
        with pytest.raises(BtfError, match="is no socket that is open"):
            handle[0] = "a socket"
        one.close()
        with pytest.raises(BtfError, match="the socket is closed"):
            handle[0] = one


def test_sockets_of_a_reuseport_group():
    with made("reuseport_sockarray", value=8) as handle, socket.socket(type=socket.SOCK_DGRAM) as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        s.bind(("127.0.0.1", 0))
        handle[2] = s
        assert handle[2] == cookie(s)


@pytest.mark.parametrize("kind", ["devmap", "devmap_hash"])
def test_interfaces_by_name_with_programs(kind, net):
    number = uapi.ATTACH_TYPES["xdp_devmap"]
    program = LinuxProgram.load(assemble("r0 = 2; exit"), "xdp", attach_type=number)
    with net.inside("left"), made(kind, value=8) as handle, program:
        index = socket.if_nametoindex("veth0")
        handle[1], handle[2] = "veth0", ("veth0", program)
        assert handle[1] == Redirect(index, 0)
        assert handle[2] == (index, program.id)
        with pytest.raises(BtfError, match="there is no interface 'veth9' here"):
            handle[3] = "veth9"
        with pytest.raises(KernelError):
            handle[3] = 1 << 20
    with net.inside("left"), made(kind, value=4) as handle:
        handle[1] = "veth0"
        assert handle[1] == index
        with pytest.raises(BtfError, match="no room for a program"):
            handle[1] = ("veth0", 5)


def test_queues_of_cpus_with_programs():
    number = uapi.ATTACH_TYPES["xdp_cpumap"]
    with made("cpumap", value=8) as handle:
        with LinuxProgram.load(assemble("r0 = 2; exit"), "xdp", attach_type=number) as program:
            handle[0] = (192, program)
            assert handle[0] == Redirect(192, program.id)
        handle[0] = 64
        assert handle[0] == (64, 0)
        with pytest.raises(BtfError, match="is no 32-bit number"):
            handle[0] = 1 << 40


def test_maps_and_programs_hold_what_is_loaded():
    with made("hash", value=8) as inner:
        outer = typed(LinuxMap.create("array_of_maps", 4, 4, 2, inner=inner.raw))
        outer[1] = inner
        assert outer[1] == inner.raw.id
        with made("hash", value=8) as other:
            outer[1] = other.raw.id
            assert outer[1] == other.raw.id
        with pytest.raises(BtfError, match=r"holds loaded maps, not 5\.5"):
            outer[0] = 5.5
        outer.raw.close()
        with made("prog_array") as handle, pytest.raises(BtfError, match="holds loaded programs"):
            handle[0] = inner
    program = LinuxProgram.load(assemble("r0 = 2; exit"), "xdp")
    with made("prog_array") as handle, program:
        handle[0] = program
        assert handle[0] == program.id


def test_cgroups_by_path(cgroup):
    with made("cgroup_array") as handle:
        handle[0] = cgroup
        with pytest.raises(BtfError, match="cannot open /nowhere"):
            handle[1] = "/nowhere"
        del handle[0]


# -- keys -----------------------------------------------------------------------------------------

STORAGE = """
struct { __uint(type, BPF_MAP_TYPE_%s_STORAGE); __uint(map_flags, BPF_F_NO_PREALLOC);
         __type(key, int); __type(value, struct { int a; long b; }); } m SEC(".maps");
"""


def keys_of(kind, cgroup, tmp_path, stack):
    """Several ways to name one thing that has storage, and something that has not."""
    if kind == "sk":
        made = stack.enter_context(socket.socket())
        return [made, made.fileno()], "no socket"
    if kind == "task":
        child = subprocess.Popen(["sleep", "60"])
        stack.callback(child.wait)
        stack.callback(child.kill)
        return [child.pid, linux.Fd(os.pidfd_open(child.pid))], 1 << 22
    if kind == "inode":
        path = tmp_path / "file"
        path.write_text("")
        return [path, str(path), stack.enter_context(path.open())], tmp_path / "none"
    return [cgroup, str(cgroup)], "/nowhere"


@pytest.mark.parametrize(
    ("kind", "since"), [("sk", "5.2"), ("task", "5.11"), ("inode", "5.10"), ("cgrp", "6.2")]
)
def test_storage_of_kernel_objects(kind, since, compiled, cgroup, tmp_path, open_fds):
    from contextlib import ExitStack

    if older_than(since):
        pytest.skip(f"requires Linux >= {since}")
    spec = compiled(STORAGE % kind.upper())
    try:
        obj = linux.load(spec)
    except KernelError as error:
        pytest.skip(f"not in this kernel: {error}")
    with obj, ExitStack() as stack:
        keys, wrong = keys_of(kind, cgroup, tmp_path, stack)
        handle, before = obj.maps["m"], open_fds()
        for number, key in enumerate(keys):
            assert (key in handle) == (number > 0)
            handle[key] = {"a": number, "b": -1}
            assert handle[keys[0]] == {"a": number, "b": -1}
        handle.update({key: {"a": 7, "b": 8} for key in keys[:1]}, exist=True)
        assert handle.get(keys[-1]) == (7, 8)
        assert handle.pop(keys[0]) == (7, 8)
        with pytest.raises(KeyError):
            handle[keys[0]]
        with pytest.raises(BtfError):
            handle[wrong]
        assert open_fds() == before


def test_storage_of_attached_cgroups(compiled, cgroup):
    spec = compiled("""
        struct { __uint(type, BPF_MAP_TYPE_CGROUP_STORAGE);
                 __type(key, struct bpf_cgroup_storage_key); __type(value, __u64); } m SEC(".maps");
        SEC("cgroup_skb/egress") int count(struct __sk_buff *skb)
        {
            __u64 *value = bpf_get_local_storage(&m, 0);
            __sync_fetch_and_add(value, 1);
            return 1;
        }
    """)
    with linux.load(spec) as obj, obj.programs["count"].attach(cgroup):
        number = uapi.ATTACH_TYPES["cgroup_inet_egress"]
        handle = obj.maps["m"]
        assert handle[cgroup, number] == 0
        handle[str(cgroup), number] = 5
        assert [value for _, value in handle.items()] == [5]


# -- the map as a whole ---------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["hash", "percpu_hash", "lru_hash"])
def test_emptying_a_map(kind):
    with made(kind, value=8, entries=1000) as handle:
        handle.update({n: n * 2 for n in range(500)})
        found = handle.drain()
        assert sorted(key for key, _ in found) == list(range(500))
        if handle.per_cpu:
            assert all(value.max() == value.min() == key * 2 for key, value in found)
        assert handle.drain() == []
        handle.raw._unbatched.add("lookup")


def test_emptying_without_batches(monkeypatch):
    refuse = KernelError("no", 524)

    def refused(*_, **__):
        raise refuse

    with made("hash", value=8) as handle:
        handle.update({1: 1, 2: 2})
        monkeypatch.setattr(handle.raw, "lookup_batch", refused)
        assert sorted(handle.drain()) == [(1, 1), (2, 2)]
        handle[3] = 3
        monkeypatch.setattr(handle.raw, "lookup_and_delete", refused)
        assert handle.drain() == [(3, 3)]
        assert len(handle) == 0


def test_a_frozen_map_stays_as_it_is():
    with made("array") as handle:
        handle[0] = 7
        handle.freeze()
        with pytest.raises(KernelError, match="frozen"):
            handle[0] = 8
        assert handle[0] == 7


def test_an_arrays_values_as_memory():
    with made("array", value=8, flags=uapi.BPF_F_MMAPABLE) as handle, handle.memory() as memory:
        memory[8:16] = (77).to_bytes(8, sys.byteorder)
        assert handle[1] == 77
    with made("array") as handle, pytest.raises(KernelError, match="BPF_F_MMAPABLE"):
        handle.memory()


def test_an_arenas_memory_is_the_objects(compiled):
    if older_than("6.9"):
        pytest.skip("arenas came with Linux 6.9")
    spec = compiled("""
        struct { __uint(type, BPF_MAP_TYPE_ARENA); __uint(map_flags, BPF_F_MMAPABLE);
                 __uint(max_entries, 4); __ulong(map_extra, 1ull << 45); } arena SEC(".maps");
    """)
    with linux.load(spec) as obj:
        memory = obj.maps["arena"].memory()
        memory[0:4] = b"page"
        assert obj.maps["arena"].memory()[0:4] == b"page"


def test_devmaps_pinned_by_name_are_used_again(compiled, bpffs):
    """The kernel adds a flag of its own to them."""
    spec = compiled("""
        struct { __uint(type, BPF_MAP_TYPE_DEVMAP); __uint(max_entries, 4); __type(key, __u32);
                 __type(value, __u32); __uint(pinning, LIBBPF_PIN_BY_NAME); } kept SEC(".maps");
    """)
    folder = str(bpffs)
    with linux.load(spec, pin_path=folder) as one, linux.load(spec, pin_path=folder) as other:
        assert one.maps["kept"].raw.id == other.maps["kept"].raw.id
