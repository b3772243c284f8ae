"""bpf() calls in words: this process's own memory stands for that of the one that is watched."""

import os
import struct

import pytest

from ebee.linux import uapi
from ebee.linux.bpfcalls import BpfCall, Decoder, flag_words
from ebee.linux.flags import BPF_F_BEFORE, BPF_F_ID, BPF_F_REPLACE, XDP_FLAGS_DRV_MODE
from ebee.linux.ptrace import NUMBERS, RET_ALLOW, RET_TRACE, seccomp_filter
from ebee.linux.sys import SYSCALLS, Attributes, address

pytestmark = pytest.mark.unit


def called(command: str, result: int = 0, further: bytes = b"", **fields: object) -> BpfCall:
    """What is made of a call with these attributes."""
    attributes = Attributes(command, fields)
    raw = bytearray(bytes(attributes.data)[: attributes.size] + further)
    seen: list[BpfCall] = []
    decoder = Decoder(seen.append)
    state = decoder.enter(os.getpid(), (attributes.number, address(raw), len(raw), 0, 0, 0))
    decoder.leave(state, result)
    return seen[0]


def linked(kind: str, **fields: object) -> dict[str, object]:
    return called(
        "LINK_CREATE", attach_type=uapi.ATTACH_TYPES[kind], prog_fd=9, **fields
    ).attributes


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("xdp", {"target_ifindex": 7, "flags": XDP_FLAGS_DRV_MODE}),
        ("tcx_ingress", {"target_ifindex": 7, "tcx_relative_fd": 5, "flags": BPF_F_BEFORE}),
        ("tcx_egress", {"target_ifindex": 7, "tcx_relative_id": 5, "flags": BPF_F_ID}),
        ("netkit_peer", {"target_ifindex": 7, "netkit_expected_revision": 3}),
        ("cgroup_inet_egress", {"target_fd": 7, "cgroup_relative_fd": 4}),
        ("perf_event", {"target_fd": 7, "perf_event_bpf_cookie": 1 << 40}),
        ("netfilter", {"netfilter_pf": 2, "netfilter_hooknum": 3, "netfilter_priority": -5}),
        ("trace_fentry", {"target_fd": 7, "tracing_target_btf_id": 3, "tracing_cookie": 4}),
        ("trace_kprobe_session", {"kprobe_multi_cnt": 2, "kprobe_multi_flags": 1}),
        ("sk_lookup", {"target_fd": 7}),
    ],
)
def test_of_fields_that_share_a_place_the_one_that_is_meant_is_shown(
    kind: str, fields: dict[str, int]
) -> None:
    name = "BPF_" + kind.upper()
    assert linked(kind, **fields) == {"prog_fd": 9, "attach_type": name, **fields}


def test_addresses_are_followed() -> None:
    names = [bytearray(b"vfs_read\0"), bytearray(b"vfs_write\0")]
    syms = struct.pack("=QQ", *map(address, names))
    cookies = struct.pack("=QQ", 1, 1 << 63)
    found = linked("trace_kprobe_multi", kprobe_multi_cnt=2, kprobe_multi_syms=syms,
                   kprobe_multi_cookies=cookies)  # fmt: skip
    assert found["kprobe_multi_syms"] == ["vfs_read", "vfs_write"]
    assert found["kprobe_multi_cookies"] == [1, 1 << 63]
    assert called("OBJ_GET", pathname="/sys/fs/bpf/x").attributes == {"pathname": "/sys/fs/bpf/x"}
    assert called("OBJ_GET", pathname=12345).attributes == {"pathname": 12345}


def test_what_the_kernel_writes_is_read_afterwards() -> None:
    room = bytearray(struct.pack("=II", 5, 6))
    fields = {"target_fd": 3, "attach_type": 1, "prog_ids": room, "count": 2}
    assert called("PROG_QUERY", **fields).attributes["prog_ids"] == [5, 6]
    refused = called("PROG_QUERY", result=-22, **fields)
    assert isinstance(refused.attributes["prog_ids"], int)
    assert (refused.result, refused.error) == (-1, "EINVAL")
    log = bytearray(b"0: (95) exit\nR0 !read_ok\n".ljust(64, b"\0"))
    fields = {"prog_type": 1, "log_level": 1, "log_size": 64, "log_buf": log, "insn_cnt": 1}
    refused = called("PROG_LOAD", result=-13, insns=b"\x95" + bytes(7), **fields)
    assert refused.attributes["log_buf"] == "0: (95) exit\nR0 !read_ok\n"
    assert refused.code == b"\x95" + bytes(7)


def test_results_have_names() -> None:
    assert called("MAP_FREEZE", map_fd=1, result=-524).error == "ENOTSUPP"
    assert called("MAP_FREEZE", map_fd=1, result=-512).error == "ERESTARTSYS"
    seen: list[BpfCall] = []
    decoder = Decoder(seen.append)
    decoder.leave(decoder.enter(os.getpid(), (999, 0, 8, 0, 0, 0)), None)
    assert (seen[0].command, seen[0].attributes, seen[0].result) == ("999", {}, None)


def test_what_is_not_known_is_shown_as_bytes() -> None:
    found = called("MAP_FREEZE", map_fd=1, further=bytes(4 + 24) + b"\x07")
    assert found.attributes["further"].endswith(b"\x07")
    assert "further" not in called("MAP_FREEZE", map_fd=1, further=bytes(40)).attributes


def test_flags_have_names() -> None:
    call = called("MAP_CREATE", map_type=1, map_flags=1 | 1 << 10 | 1 << 30)
    words = flag_words(call, "map_flags", call.attributes["map_flags"])
    assert words == "BPF_F_NO_PREALLOC|BPF_F_MMAPABLE|0x40000000"
    call = called("LINK_UPDATE", link_fd=1, flags=BPF_F_REPLACE)
    assert flag_words(call, "flags", BPF_F_REPLACE) == "BPF_F_REPLACE"
    call = called("LINK_CREATE", attach_type=uapi.ATTACH_TYPES["xdp"], flags=XDP_FLAGS_DRV_MODE)
    assert flag_words(call, "flags", XDP_FLAGS_DRV_MODE) == "XDP_FLAGS_DRV_MODE"
    assert flag_words(call, "flags", 0) == "0x0"


def filtered(code: bytes, number: int, architecture: int) -> int:
    """What the filter gives; it has four kinds of instructions."""
    data = {0: number, 4: architecture}
    insns = list(struct.iter_unpack("=HBBI", code))
    at, register = 0, 0
    while True:
        kind, true, false, k = insns[at]
        at += 1
        if kind == 0x20:
            register = data[k]
        elif kind == 0x15:
            at += true if register == k else false
        else:
            assert kind == 0x06
            return k


@pytest.mark.parametrize("machine", NUMBERS)
def test_only_bpf_is_stopped_at(machine: str) -> None:
    code = seccomp_filter(machine)
    assert NUMBERS[machine][0][1] == SYSCALLS["bpf"][machine]
    for architecture, number in NUMBERS[machine]:
        assert filtered(code, number, architecture) == RET_TRACE
        assert filtered(code, number + 1, architecture) == RET_ALLOW
        assert filtered(code, number, architecture ^ 1) == RET_ALLOW
