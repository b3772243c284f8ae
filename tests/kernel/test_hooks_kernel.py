"""What the declarations of hooks and helpers say is what this kernel says: numbers, the helpers of
each program type, licences, context accesses, return values, kinds of arguments.

Each question is a tiny program; the verifier's complaint is the answer. Where the declarations
know more than a kernel older than 6.18, or built with less, the test says so by name.
"""

import functools
import os
import re

import pytest

from ebee import helpers, hooks
from ebee.btf import Enum
from ebee.hooks.numbers import ATTACH_TYPES as AT
from ebee.hooks.numbers import PROG_TYPES
from ebee.isa import assemble, encode

pytestmark = pytest.mark.kernel

SLEEPABLE = 1 << 4  # BPF_F_SLEEPABLE

# Helpers that a kernel may lack by its configuration or lockdown.
OPTIONAL = {"probe_write_user", "override_return", "get_branch_snapshot"}

# Types whose programs load without attaching to a kernel function; the rest the host refuses.
TARGETS = {
    "tp_btf": ("btf_trace_sched_switch", "Typedef"),
    "iter": ("bpf_iter_task", "Func"),
    "struct_ops": ("tcp_congestion_ops", "Struct"),
}
ELSEWHERE = {  # need what this kernel may not have, or are refused with EPERM
    "fentry", "fexit", "fmod_ret", "fsession", "fentry.multi", "fexit.multi", "fsession.multi",
    "freplace", "lsm", "lsm_cgroup", "lirc_mode2", "struct_ops",
}  # fmt: skip


@functools.cache
def vmlinux():
    from ebee.btf import Btf

    return Btf.vmlinux()


def load(hook, text, attach_type=None, license="GPL"):
    """(error number, log) of loading a program of a hook."""
    from ebee.linux.sys import Attributes, submit

    code, log = encode(assemble(text)), bytearray(1 << 13)
    fields = {
        "prog_type": hook.prog_type, "insns": code, "insn_cnt": len(code) // 8, "license": license,
        "log_level": 1, "log_buf": log, "log_size": len(log),
        "expected_attach_type": attach_type or 0,
        "prog_flags": SLEEPABLE if hook.name == "syscall" else 0,
    }  # fmt: skip
    if hook.name in TARGETS:
        name, kind = TARGETS[hook.name]
        found = [t for t in vmlinux().find_all(name) if type(t).__name__ == kind]
        fields["attach_btf_id"] = found[0].id
    attempt = Attributes("PROG_LOAD", fields)
    code = submit(attempt)
    if code == 0:
        os.close(attempt.result)
    return code, log.partition(b"\0")[0].decode()


def attach_types(hook):
    return sorted({s.attach_type or 0 for s in hook.sections})


LOADABLE = [h for h in hooks.all_hooks() if h.name not in ELSEWHERE]
PLACES = [(h, t) for h in LOADABLE for t in attach_types(h)]


def place_name(place):
    hook, attach_type = place
    return f"{hook.name}-{attach_type}"


places = pytest.mark.parametrize("place", PLACES, ids=place_name)


def enum_of(name, prefix):
    found = vmlinux().find(name, Enum)
    return {m.name.removeprefix(prefix).lower(): m.value for m in found.values}


def test_every_helper_is_declared_under_its_number():
    theirs = {
        name: number
        for name, number in enum_of("bpf_func_id", "BPF_FUNC_").items()
        if not name.startswith("__") and name != "unspec"
    }
    ours = {h.name: h.id for h in helpers.all_helpers()}
    assert theirs.items() <= ours.items()


def test_numbers_of_program_and_attach_types():
    for table, name, prefix in (
        (PROG_TYPES, "bpf_prog_type", "BPF_PROG_TYPE_"), (AT, "bpf_attach_type", "BPF_")
    ):  # fmt: skip
        theirs = enum_of(name, prefix)
        assert {k: v for k, v in theirs.items() if not k.startswith("__")}.items() <= table.items()


@places
def test_helpers_that_a_program_may_call(place):
    hook, attach_type = place
    refused = set()
    for helper in helpers.all_helpers():
        _, log = load(hook, f"call {helper.id}; r0 = 1; exit", attach_type)
        assert log, f"no answer for {helper.name}"
        if "cannot use helper" in log or "unknown func" in log:
            refused.add(helper.name)
    ours = {h.name for h in helpers.all_helpers() if not hook.may_call(h.name, attach_type)}
    assert refused - OPTIONAL == ours - OPTIONAL
    assert ours <= refused


@pytest.mark.parametrize("hook", LOADABLE, ids=lambda h: h.name)
def test_helpers_that_need_a_gpl_licence(hook):
    attach_type = attach_types(hook)[0]
    for helper in helpers.all_helpers():
        if hook.may_call(helper.name, attach_type) and helper.name not in OPTIONAL:
            _, log = load(hook, f"call {helper.id}; r0 = 1; exit", attach_type, license="none")
            needs = helper.gpl and hook.name not in helper.gpl_except
            assert ("GPL" in log) == needs, helper.name


SIZES = {1: "u8", 2: "u16", 4: "u32", 8: "u64"}


@pytest.mark.parametrize("place", [p for p in PLACES if p[0].fields], ids=place_name)
def test_accesses_of_the_context(place):
    hook, attach_type = place
    wrong = []
    for offset in range(hook.fields[-1].end + 8):
        for size, t in SIZES.items():
            for write in (False, True):
                if offset % size:
                    continue
                what = f"*({t} *)(r1 +{offset})"
                access = f"{what} = r2" if write else f"r0 = {what}"
                _, log = load(hook, f"r2 = 0; {access}; r0 = 1; exit", attach_type)
                refused = "invalid bpf_context access" in log or "cannot" in log
                allowed = hook.field_at(offset, size, write, attach_type) is not None
                if refused == allowed:
                    wrong.append((offset, size, "store" if write else "load", allowed))
    assert not wrong


@places
def test_values_that_a_program_may_return(place):
    hook, attach_type = place
    low, high = hook.result_at.get(attach_type, hook.result or (None, None))
    for value in (-5, -1, 0, 1, 2, 3, 4, 7, 100):
        code, log = load(hook, f"r0 = {value}; exit", attach_type)
        allowed = low is None or low <= value <= high
        assert (code == 0) == allowed, (value, log)


# What the verifier expects of a register, in its words, by kind of argument.
EXPECTED = {
    "ctx": {"ctx"}, "map": {"map_ptr"}, "map_key": {"fp"}, "map_value": {"fp"}, "mem": {"fp"},
    "map_value_out": {"fp"}, "mem_out": {"fp"}, "mem_rw": {"fp"}, "out": {"fp"}, "inout": {"fp"},
    "sock_common": {"sock_common"}, "socket": {"sock"}, "btf_sock": {"sock_common"},
    "btf": {"ptr_"},
    "spin_lock": {"map_value"}, "timer": {"map_value"}, "kptr": {"map_value", "ptr_"},
    "alloc_mem": {"ringbuf_mem"}, "func": {"func"}, "stack": {"fp"}, "str": {"map_value"},
    "percpu_btf": {"percpu_ptr_"}, "dynptr": {"fp", "dynptr_ptr"}, "dynptr_out": {"fp"},
}  # fmt: skip
SCALAR = {*helpers.SCALARS, "scalar", "any", "size", "size0", "alloc_size", "variadic"}
A_NUMBER = "; ".join(f"r{i} = 77" for i in range(1, 6))


def first_pointer(params):
    """The register of the first argument that must be a pointer."""
    for i, p in enumerate(params, 1):
        if p.kind not in SCALAR:
            return i, p
    return None, None


# Sizes of a map that is created for a test, by its type.
MAP_SIZES = {
    "array": (4, 8, 1), "percpu_array": (4, 8, 1),
    "ringbuf": (0, 0, 4096), "user_ringbuf": (0, 0, 4096), "queue": (0, 8, 1), "stack": (0, 8, 1),
    "stack_trace": (4, 80, 1), "cgroup_array": (4, 4, 1), "prog_array": (4, 4, 1),
    "perf_event_array": (4, 4, 1), "devmap": (4, 4, 1), "sockmap": (4, 4, 1),
    "sockhash": (8, 4, 1), "reuseport_sockarray": (4, 4, 1),
}  # fmt: skip
NEED_BTF = {"sk_storage", "task_storage", "inode_storage", "cgrp_storage", "cgroup_storage"}


@pytest.fixture(scope="module")
def make_map():
    from ebee.linux import LinuxMap

    made = {}

    def get(types):
        name = (types or "hash").split("|")[0]
        if name in NEED_BTF:
            return None
        if name not in made:
            made[name] = LinuxMap.create(name, *MAP_SIZES.get(name, (8, 8, 1)))
        return made[name].fd.fileno()

    yield get
    for m in made.values():
        m.close()


def valid(param, register, make_map):
    """Text that puts a valid argument into a register, None where a test cannot have one."""
    if param.kind in ("size", "size0", "alloc_size"):
        return f"r{register} = 8"
    if param.kind in SCALAR:
        return f"r{register} = 0"
    if param.kind == "ctx":
        return f"r{register} = r6"
    if param.kind == "map":
        fd = make_map(param.of)
        return None if fd is None else f".insn 0x18, {register}, 1, 0, {fd}\n.insn 0, 0, 0, 0, 0"
    if param.kind.startswith(("map_", "mem")) or param.kind in ("out", "inout", "stack"):
        return f"r{register} = r10; r{register} += -64"
    return None


def not_for(log):
    """Whether a log says that the program may not call the helper, or not with such a map."""
    return "cannot use helper" in log or "leepable" in log


START = "r6 = r1; r0 = 0\n" + "\n".join(f"*(u64 *)(r10 -{8 * i}) = r0" for i in range(1, 9))


@pytest.mark.parametrize("helper", helpers.all_helpers(), ids=lambda h: h.name)
def test_kinds_of_arguments(helper, make_map):
    """Where a pointer must be, a number is refused, with the words of the declared kind; with
    valid arguments all around, the verifier has nothing against them."""
    found = [h for h in LOADABLE if h.may_call(helper.name, attach_types(h)[-1])]
    asked = 0
    for hook in found:
        params = helper.at(hook.name)[0]
        given = [valid(p, i, make_map) for i, p in enumerate(params, 1)]
        for i, param in enumerate(params, 1):
            if param.kind in SCALAR:
                continue
            if not all(given[: i - 1]):
                break
            setup = "\n".join(g or "" for g in given)
            text = f"{START}\n{setup}\nr{i} = 77\ncall {helper.id}\nr0 = 1\nexit"
            _, log = load(hook, text, attach_types(hook)[-1])
            if not_for(log):
                continue
            asked += 1
            check_complaint(helper, hook, i, param, log)
    if not asked:
        pytest.skip("no argument that a program of the host may give")


def check_complaint(helper, hook, register, param, log):
    """The verifier refuses the number in a register, for the reason of the declared kind."""
    complaint = re.search(r"R(\d) type=\S+ expected=(.*)", log)
    where = (helper.name, hook.name, register, log)
    if complaint is None:  # said in other words: "arg#0 ...", "R1 must be a ..."
        assert re.search(rf"R{register}\b|arg#{register - 1}|arg {register}", log), where
        return
    assert int(complaint[1]) == register, where
    words = complaint[2].split(", ")
    assert any(e in w for e in EXPECTED[param.kind] for w in words), where


@pytest.mark.parametrize("helper", helpers.all_helpers(), ids=lambda h: h.name)
def test_calls_with_valid_arguments_load(helper, make_map):
    found = [h for h in LOADABLE if h.may_call(helper.name, attach_types(h)[-1])]
    for hook in found:
        params, result = helper.at(hook.name)
        given = [valid(p, i, make_map) for i, p in enumerate(params, 1)]
        if not all(given) or result.owned or helper.name in OWN_RULES:
            continue
        text = f"{START}\n" + "\n".join(given) + f"\ncall {helper.id}\nr0 = 1\nexit"
        code, log = load(hook, text, attach_types(hook)[-1])
        if not_for(log):
            continue
        assert code == 0, (hook.name, log)
        for i, p in enumerate(params, 1):
            if p.kind in ("size", "size0"):
                zero = text.replace(f"\ncall {helper.id}\n", f"\nr{i} = 0\ncall {helper.id}\n")
                code, log = load(hook, zero, attach_types(hook)[-1])
                assert (code == 0) == (p.kind == "size0"), (hook.name, p.name, log)
        return
    pytest.skip("needs arguments that the test cannot make")


OWN_RULES = {
    "dynptr_from_mem",  # the memory must be a map value
}
