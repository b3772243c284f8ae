"""What a program needs of the batch loop around it: what it does not need is not compiled.

A program that neither changes a packet nor moves its ends runs on the packets where they lie, in a
mapped capture for instance; any other gets each packet in a frame.
"""

from __future__ import annotations

from collections.abc import Mapping

from ebee.helpers import Helper, by_id
from ebee.machine.calls import WRITES
from ebee.machine.code import Code
from ebee.machine.jit.loop import BUDGET, CLOCK, EVERYTHING, FAULTS, FRAME, REDIRECT, RINGS

PLAIN = (
    "map_lookup_elem", "map_update_elem", "map_delete_elem", "map_push_elem", "map_pop_elem",
    "map_peek_elem", "map_lookup_percpu_elem", "for_each_map_elem", "get_prandom_u32",
    "get_smp_processor_id", "get_numa_node_id", "get_current_pid_tgid", "get_current_uid_gid",
    "get_current_comm", "get_current_cgroup_id", "csum_diff", "loop", "strtol", "strtoul",
    "xdp_get_buff_len", "xdp_load_bytes", "spin_lock", "spin_unlock", "dynptr_from_mem",
    "dynptr_read", "dynptr_write", "dynptr_data",
)  # fmt: skip
RECORDS = (
    "ringbuf_output", "ringbuf_reserve", "ringbuf_submit", "ringbuf_discard", "ringbuf_query",
    "ringbuf_reserve_dynptr", "ringbuf_submit_dynptr", "ringbuf_discard_dynptr",
)  # fmt: skip
TIMES = (
    "ktime_get_ns", "ktime_get_boot_ns", "ktime_get_coarse_ns", "ktime_get_tai_ns", "jiffies64",
)  # fmt: skip
OF_HELPERS = (
    dict.fromkeys(PLAIN, 0) | dict.fromkeys(TIMES, CLOCK) | dict.fromkeys(RECORDS, RINGS)
    | {"redirect": REDIRECT, "redirect_map": REDIRECT, "tail_call": EVERYTHING}
)  # fmt: skip
"""What helpers need, apart from what they write through pointers; everything, if not named here."""

ELSEWHERE = frozenset(("stack", "map_value", "mem", "ctx", "map", "func"))
"""Kinds of pointers that never lead into the packet."""

READABLE = ELSEWHERE | {"packet", "packet_meta"}
CHECKED = BUDGET | FAULTS


def needs_of(code: Code, checked: bool, extra: Mapping[int, Helper]) -> int:
    """Bits of `loop`: FRAME and so on."""
    needs = CHECKED if checked else 0
    for slot, form in enumerate(code.forms):
        if form is None or code.facts.before[slot] is None:
            continue
        insn = code.insns[slot]
        if form.operation in ("helper", "register"):
            number = insn.imm
            if form.operation == "register":
                number = code.facts.reg(slot, insn.dst).offset or 0
            needs |= _of_call(code, slot, None if number in extra else by_id(number), checked)
        elif form.kind == "load" or form.operation == "load_acquire":
            # Checks of pointers of which nothing is known look them up among the regions.
            known = code.facts.reg(slot, insn.src).kind in READABLE
            needs |= 0 if known or not checked else FRAME
        elif form.kind in ("store", "atomic"):
            needs |= 0 if code.facts.reg(slot, insn.dst).kind in ELSEWHERE else FRAME
    return needs


def _of_call(code: Code, slot: int, helper: Helper | None, checked: bool) -> int:
    needs = OF_HELPERS.get(helper.name, EVERYTHING) if helper else EVERYTHING
    for register, param in enumerate(helper.params if helper else (), 1):
        kind = code.facts.reg(slot, register).kind
        if param.kind in WRITES and kind not in ELSEWHERE:
            needs |= FRAME
        if checked and kind in ("unknown", "packet_end"):
            needs |= FRAME
    return needs
