"""The types that come with ebee: small, valid, and enough for programs to be relocated with."""

import subprocess
from pathlib import Path

import pytest

from ebee import clang
from ebee.btf import (
    SIGNED,
    Btf,
    BtfBuilder,
    Enumeration,
    Fwd,
    Int,
    Member,
    Struct,
    Typedef,
    files,
    target,
)
from ebee.btf.core import Relocator
from ebee.btf.ext import CoreKind, CoreRelo
from ebee.btf.printer import c
from ebee.btf.validate import validate
from ebee.errors import BtfError, CompileError

pytestmark = pytest.mark.unit

STRUCTS = """
    task_struct mm_struct cred sk_buff sock tcp_sock udp_sock unix_sock inet_sock request_sock
    socket file inode dentry path super_block vfsmount net net_device nsproxy pid cgroup css_set
    bpf_map bpf_prog xdp_md xdp_buff xdp_rxq_info __sk_buff bpf_sock bpf_sock_ops bpf_sock_addr
    pt_regs trace_event_raw_sys_enter trace_event_raw_sys_exit trace_event_raw_sched_switch
    bpf_iter__task bpf_iter__tcp bpf_perf_event_data bpf_raw_tracepoint_args bpf_dynptr iphdr
    ipv6hdr tcphdr udphdr ethhdr linux_binprm request bio tcp_congestion_ops nf_hook_state nf_conn
"""


def builder_with(more: Struct) -> Btf:
    """int (1) and a struct (2)."""
    builder = BtfBuilder()
    builder.add(Int("int", 4, SIGNED))
    builder.add(more)
    return builder.build()


@pytest.fixture(scope="module")
def btf() -> Btf:
    return Btf.bundled()


def test_it_is_small_and_valid(btf):
    (path,) = files.FOLDER.glob("*.xz")
    assert path.stat().st_size < 150_000
    validate(btf)
    assert btf.partial
    assert btf is Btf.bundled()  # read once


@pytest.mark.parametrize("name", STRUCTS.split())
def test_what_programs_use_is_there_with_its_members(btf, name):
    assert btf.find(name, Struct).members


def test_constants_functions_and_tracepoints_are_there(btf):
    for name in ("bpf_attach_type", "xdp_action", "skb_drop_reason", "bpf_map_type"):
        assert btf.find(name, Enumeration).values
    known = {v.name for t in btf if isinstance(t, Enumeration) for v in t.values}
    assert known >= {"BPF_ANY", "TCP_ESTABLISHED", "IPPROTO_TCP", "BPF_RB_FORCE_WAKEUP"}
    for name in ("bpf_task_acquire", "bpf_lsm_file_open", "vfs_read", "btf_trace_sched_switch"):
        assert btf.find(name)


def test_of_what_is_only_pointed_to_name_and_size_are_there(btf):
    opaque = [t for t in btf if isinstance(t, Struct) and btf.is_opaque(t.id)]
    assert len(opaque) > 100
    assert all(t.size and not t.members for t in opaque)
    assert not [t for t in btf if isinstance(t, Fwd) and btf.get(t.name, Struct)]
    local = builder_with(Struct(opaque[0].name, 4, (Member("x", 1, 0),)))
    relocator = Relocator(local, btf)
    assert relocator.resolve(CoreRelo(0, 2, "0", CoreKind.TYPE_SIZE)).new == opaque[0].size
    with pytest.raises(BtfError, match=f"struct {opaque[0].name} is not as a whole in the bundled"):
        relocator.resolve(CoreRelo(0, 2, "0:0", CoreKind.FIELD_EXISTS))


def test_what_it_does_not_know_can_be_asked(btf):
    """Opaque are structs whose members the kernel knows and these types do not: through typedefs
    as well, from types on top of them, and never in types that are whole."""
    assert not any(btf.is_opaque(btf.find(name, Struct).id) for name in STRUCTS.split())
    (known, *_) = (t for t in btf if isinstance(t, Struct) and btf.is_opaque(t.id) and t.name)
    builder = BtfBuilder(base=btf)
    alias = builder.add(Typedef("alias_t", known.id))
    own = builder.add(Struct("own", 4, ()))
    above = builder.build()
    assert above.is_opaque(alias)
    assert above.is_opaque(known.id)
    assert not above.is_opaque(own)
    assert not btf.is_opaque(btf.find("int").id)
    whole = Btf.parse(bytes(btf.data))  # who reads it as all there is knows of nothing else
    assert not whole.is_opaque(known.id)


def test_it_compiles_as_a_header(btf, tmp_path: Path):
    try:
        tools = clang.find()
    except CompileError as error:
        pytest.skip(str(error))
    (tmp_path / "a.c").write_text(c(btf) + "struct task_struct *task;\n")
    command = [*tools.command, "-target", "bpf", "-c", "a.c", "-o", "a.o"]
    if "ziglang" in str(tools.command):
        pytest.skip("needs a clang that takes -target bpf")
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[:2000]


def test_a_type_that_is_not_in_it_is_not_taken_for_one_that_does_not_exist(btf):
    """Relocations against a part of a kernel's types cannot say "the kernel has none"."""
    local = builder_with(Struct("some_rare_struct", 4, ()))
    relo = CoreRelo(0, 2, "0", CoreKind.TYPE_EXISTS)
    with pytest.raises(BtfError, match="struct some_rare_struct is not in the bundled BTF"):
        Relocator(local, btf).resolve(relo)
    assert Relocator(local, local).resolve(relo).new == 1


def test_it_stands_in_where_there_is_no_kernel(monkeypatch, tmp_path: Path):

    monkeypatch.setattr(files, "VMLINUX", tmp_path / "vmlinux")
    found = target.target()
    assert found.btf is Btf.bundled()
    assert found.notice.startswith("this kernel publishes no BTF; using the bundled BTF (Linux 6.")


def test_a_file_goes_before_the_kernel(tmp_path: Path):
    path = tmp_path / "own.btf"
    path.write_bytes(bytes(Btf.bundled().data))
    found = target.target(str(path))
    assert (found.btf.name, found.notice, found.btf.partial) == (str(path), "", False)
