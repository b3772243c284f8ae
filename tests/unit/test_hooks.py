"""Hooks: what their declarations say of sections, contexts and numbers."""

import ctypes
import ctypes.util
import dataclasses

import pytest

from ebee import helpers, hooks
from ebee.hooks import CtxField, helper_sets
from ebee.hooks.numbers import ATTACH_TYPES, PROG_TYPES

pytestmark = pytest.mark.unit

SECTIONS = [(hook, s) for hook in hooks.all_hooks() for s in hook.sections]


def test_every_program_type_has_a_hook():
    assert {h.prog_type for h in hooks.all_hooks()} == set(PROG_TYPES.values()) - {0}


def test_names_and_sections_are_unique():
    names = [h.name for h in hooks.all_hooks()]
    sections = [s.name for _, s in SECTIONS]
    assert len(set(names)) == len(names)
    assert len(set(sections)) == len(sections) == 116


@pytest.mark.parametrize(
    ("section", "hook", "attach_type", "extra"),
    [
        ("xdp", "xdp", "xdp", None),
        ("xdp.frags/devmap", "xdp", "xdp_devmap", None),
        ("kprobe/do_exit", "kprobe", None, "do_exit"),
        ("kprobe", "kprobe", None, None),
        ("kprobe/", "kprobe", None, ""),
        ("uprobe.multi.s//bin/sh:main", "uprobe.multi", "trace_uprobe_multi", "/bin/sh:main"),
        ("tp/sched/sched_switch", "tracepoint", None, "sched/sched_switch"),
        ("tc", "tc", None, None),
        ("tc/ingress", "tcx", "tcx_ingress", None),
        ("cgroup_skb/egress", "cgroup_skb", "cgroup_inet_egress", None),
        ("cgroup_skb/ingress", "cgroup_skb", "cgroup_inet_ingress", None),
        ("cgroup/skb", "cgroup_skb", None, None),
        ("cgroup/connect_unix", "cgroup_sock_addr", "cgroup_unix_connect", None),
        ("struct_ops.s/init", "struct_ops", None, "init"),
        ("iter/task_file", "iter", "trace_iter", "task_file"),
    ],
)
def test_a_section_selects_a_hook(section, hook, attach_type, extra):
    found = hooks.for_section(section)
    assert found is not None
    expected = None if attach_type is None else ATTACH_TYPES[attach_type]
    assert (found[0].name, found[1].attach_type, found[2]) == (hook, expected, extra)


@pytest.mark.parametrize(
    "section", ["xdp/eth0", "xdp_prog", "socket1", "tc/other", "kprobe.multi2/x", "", "/", ".text"]
)
def test_other_names_select_nothing(section):
    assert hooks.for_section(section) is None


def libbpf():
    path = ctypes.util.find_library("bpf")
    if path is None:
        pytest.skip("needs libbpf.so")
    return ctypes.CDLL(path)


# What libbpf 1.1 does not know yet, by the release of the kernel.
NEWER = (
    "uprobe.multi", "uretprobe.multi", "kprobe.session", "uprobe.session", "tc/", "tcx", "netkit",
    "netfilter", "sk_skb/verdict", "cgroup/connect_unix", "cgroup/sendmsg_unix",
    "cgroup/recvmsg_unix", "cgroup/getpeername_unix", "cgroup/getsockname_unix", "tracepoint.s",
    "tp.s", "raw_tracepoint.s", "raw_tp.s", "tp_btf.s", "fsession", "fentry.multi", "fexit.multi",
    "usdt.s", "struct_ops.s",
)  # fmt: skip


@pytest.mark.parametrize("section", [s.name for _, s in SECTIONS])
def test_libbpf_makes_the_same_choice(section):
    lib = libbpf()
    lib.libbpf_set_print(None)
    prog_type, attach_type = ctypes.c_int(), ctypes.c_int()
    name = section.rstrip("+")
    code = lib.libbpf_prog_type_by_name(
        name.encode(), ctypes.byref(prog_type), ctypes.byref(attach_type)
    )
    if code and section.startswith(NEWER):
        pytest.skip("newer than the libbpf that is installed")
    found = hooks.for_section(name)
    assert found is not None
    assert (code, prog_type.value, attach_type.value) == (
        0, found[0].prog_type, found[1].attach_type or 0
    )  # fmt: skip


def test_return_probes_and_sleepable_sections_are_marked():
    marked = {s.name for _, s in SECTIONS if s.on_return}
    assert {"kretprobe+", "uretprobe.s+", "fexit+", "kretsyscall+"} <= marked
    assert not {"kprobe+", "fentry+", "uprobe.multi+"} & marked
    for _, s in SECTIONS:
        assert s.sleepable == (".s" in s.name.replace(".session", "") or s.name == "syscall")


def test_fields_of_a_context_do_not_overlap():
    for hook in hooks.all_hooks():
        end = 0
        for f in hook.fields:
            assert f.offset >= end, (hook.name, f.name)
            assert f.offset % f.size == 0
            end = f.end


def test_helper_sets_name_helpers():
    for hook in hooks.all_hooks():
        for helper in hook.helpers.union(*hook.more.values()):
            assert helpers.by_name(helper) is not None, (hook.name, helper)


def test_every_helper_is_callable_somewhere():
    callable_ = frozenset().union(
        *(h.helpers.union(*h.more.values()) for h in hooks.all_hooks())
    )  # fmt: skip
    assert {h.name for h in helpers.all_helpers()} == callable_


def test_variants_and_exceptions_of_helpers_name_hooks():
    for helper in helpers.all_helpers():
        for name in {*helper.variants, *helper.gpl_except} - {"*"}:
            assert hooks.by_name(name) is not None, (helper.name, name)


def test_calls_that_depend_on_the_attach_type_or_the_target():
    addr, sockopt = hooks.by_name("cgroup_sock_addr"), hooks.by_name("cgroup_sockopt")
    connect, bind = ATTACH_TYPES["cgroup_inet4_connect"], ATTACH_TYPES["cgroup_inet4_bind"]
    assert addr.may_call("bind", connect)
    assert not addr.may_call("bind", bind)
    assert addr.may_call("get_retval", bind)
    assert not addr.may_call("get_retval", ATTACH_TYPES["cgroup_udp4_recvmsg"])
    assert sockopt.may_call("setsockopt", ATTACH_TYPES["cgroup_setsockopt"])
    assert not sockopt.may_call("setsockopt", ATTACH_TYPES["cgroup_getsockopt"])
    assert hooks.by_name("iter").may_call("setsockopt", ATTACH_TYPES["trace_iter"], "tcp")
    assert not hooks.by_name("iter").may_call("setsockopt", ATTACH_TYPES["trace_iter"], "udp")
    assert hooks.by_name("xdp").helpers > helper_sets.BASE


WHOLE = CtxField("a", 4, 4, narrow=False, write=True)
ARRAY = CtxField("b", 8, 4, count=4, also=(8,))
HEAD = CtxField("c", 4, 4, head=True)
LARGE_PARTS = CtxField("d", 4, 4, least=2)
ONE_TYPE = CtxField("e", 4, 4, write=True, at=(7, 8), write_at=(8,))


@pytest.mark.parametrize(
    ("field", "loads", "stores"),
    [
        (WHOLE, {(4, 4)}, {(4, 4)}),
        (
            dataclasses.replace(WHOLE, narrow=True, write_parts=True),
            {(4, 4), (4, 2), (6, 2), *((i, 1) for i in range(4, 8))},
            {(4, 4), (4, 2), (6, 2), *((i, 1) for i in range(4, 8))},
        ),
        (
            ARRAY,
            {(i, s) for s in (1, 2, 4, 8) for i in range(8, 24, s)},
            set(),
        ),
        (HEAD, {(4, 1), (4, 2), (4, 4)}, set()),
        (LARGE_PARTS, {(4, 2), (6, 2), (4, 4)}, set()),
        (ONE_TYPE, {(4, 4), (4, 2), (6, 2), *((i, 1) for i in range(4, 8))}, set()),
    ],
)
def test_access_of_a_context_member(field, loads, stores):
    every = [(offset, size) for size in (1, 2, 4, 8) for offset in range(32)]
    assert {(o, s) for o, s in every if field.allows(o, s, False, attach_type=7)} == loads
    assert {(o, s) for o, s in every if field.allows(o, s, True, attach_type=7)} == stores


def test_access_that_depends_on_the_attach_type():
    assert not ONE_TYPE.allows(4, 4, write=False, attach_type=9)
    assert not ONE_TYPE.allows(4, 4, write=False)
    assert ONE_TYPE.allows(4, 4, write=True, attach_type=8)


def test_options_of_attaching_are_those_of_all_ways():
    from ebee.linux import attach
    from ebee.linux.attach.options import Options

    taken = set()
    for ways in attach.MECHANISMS.values():
        for place in ways.values():
            code = attach._function(place).__code__
            taken |= set(code.co_varnames[1 : code.co_argcount + code.co_kwonlyargcount])
    assert taken - attach.INTERNAL - {"target"} == set(Options.__annotations__)
