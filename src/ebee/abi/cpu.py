"""The virtual CPU: what a helper can know and change of the machine while a program runs.

Its address is the hidden first argument of every helper and map body.
"""

from typing import Literal

from ebee.types import array, i64, ptr, struct, u8, u32, u64

CLOCK_HOST = 0
"""Time is the host's."""
CLOCK_FIXED = 1
"""Time stands at `now` until the machine moves it: from a capture's stamps, or a seed."""

(FAULT_NONE, FAULT_READ, FAULT_WRITE, FAULT_BUDGET, FAULT_DEPTH, FAULT_ARGUMENT, FAULT_PACKET,
 FAULT_HELPER, FAULT_LOCK) = range(9)  # fmt: skip
"""Why compiled code ended a program early."""

FAULTS = {
    FAULT_READ: "read outside the memory it may read",
    FAULT_WRITE: "write outside the memory it may write",
    FAULT_BUDGET: "stopped after too many instructions",
    FAULT_DEPTH: "calls nested too deep",
    FAULT_ARGUMENT: "a helper's argument is not what it takes",
    FAULT_PACKET: "not started: the packet is longer than a frame",
    FAULT_LOCK: "a spin lock is held",
    FAULT_HELPER: "there is no helper of the number called",
}

REDIRECT_NONE, REDIRECT_IFINDEX, REDIRECT_MAP = 0, 1, 2


WALKS, KEY_ROOM = 8, 512
"""How deep walks through maps nest, and bytes of their keys, unless there are maps with longer
ones."""


@struct
class Trace:
    """Text of bpf_printk: a ring of bytes; `written` counts all bytes ever, `lost` those that
    were overwritten before the machine read them."""

    buffer: ptr[u8]
    size: u64
    written: u64
    read: u64
    lost: u64


@struct
class Cpu:
    """One virtual CPU. Times in nanoseconds. `now` is the monotonic clock when time stands, and
    `realtime_offset` what leads from it to the time since the epoch; `random` is the state of
    the random numbers, never 0; `walks` is how deep walks through maps are nested, `keys` room for
    the key of each: a word with the bytes for one, then they; `fault_text` which program's
    instruction `fault_slot` is; `lock` the spin lock that checked code holds; `made` notes what
    helpers left in each place of the stack where a dynptr may be, valid in the run that `run`
    counts; `text` and `values` are room for what bpf_printk formats and for the values that it is
    given."""

    id: u32
    count: u32
    node: u32
    clock: u32
    now: u64
    realtime_offset: i64
    random: u64
    redirect_kind: u32
    redirect_ifindex: u32
    redirect_map: u64
    redirect_key: u64
    redirect_flags: u64
    tail_calls: u32
    task_uid: u32
    task_gid: u32
    reserved: u32
    task_pid_tgid: u64
    task_cgroup: u64
    task_comm: array[u8, Literal[16]]
    trace: ptr[Trace]
    fault: u32
    fault_slot: u32
    fault_address: u64
    budget: i64
    depth: u32
    walks: u32
    fault_text: u64
    stack: ptr[u8]
    packet: ptr[u8]
    keys: ptr[u8]
    lock: ptr[u32]
    made: ptr[u8]
    run: u64
    text: array[u8, Literal[1024]]
    values: array[u8, Literal[512]]
