"""Helpers that read and write memory at any address (kernel/trace/bpf_trace.c).

On the machine an address is that of a region of its memory, for the kernel's and the user's side
alike; anything else faults, which is -EFAULT and a zeroed buffer.
"""

from ebee.helpers import Helper

_NO_TASK = {"machine": "needs another task's memory: the machine has none"}

HELPERS = (
    Helper(
        4, "probe_read", "dst: mem_out[size], size: size0, unsafe_ptr: any -> long", "4.1",
        "Copy bytes from a kernel or user address; probe_read_kernel and probe_read_user say "
        "which.", "engine:probe_read", gpl=True,
    ),
    Helper(
        36, "probe_write_user", "dst: any, src: mem[len], len: size -> long", "4.8",
        "Copy bytes to a user address of the current task. For experiments: it can crash the task.",
        gpl=True, missing={"machine": "a program of the machine shares no memory with a task"},
    ),
    Helper(
        45, "probe_read_str", "dst: mem_out[size], size: size0, unsafe_ptr: any -> long", "4.11",
        "Copy a string from a kernel or user address; see probe_read_kernel_str.",
        "engine:probe_read_str", gpl=True,
    ),
    Helper(
        112, "probe_read_user", "dst: mem_out[size], size: size0, unsafe_ptr: any -> long", "5.5",
        "Copy bytes from a user address; -EFAULT and zeroes when they cannot be read.",
        "engine:probe_read", gpl=True,
    ),
    Helper(
        113, "probe_read_kernel", "dst: mem_out[size], size: size0, unsafe_ptr: any -> long", "5.5",
        "Copy bytes from a kernel address; -EFAULT and zeroes when they cannot be read.",
        "engine:probe_read", gpl=True,
    ),
    Helper(
        114, "probe_read_user_str", "dst: mem_out[size], size: size0, unsafe_ptr: any -> long",
        "5.5", "Copy a string from a user address, always NUL-terminated. Its length with the NUL.",
        "engine:probe_read_str", gpl=True,
    ),
    Helper(
        115, "probe_read_kernel_str", "dst: mem_out[size], size: size0, unsafe_ptr: any -> long",
        "5.5", "Copy a string from a kernel address, always NUL-terminated. Its length with the "
        "NUL.", "engine:probe_read_str", gpl=True,
    ),
    Helper(
        148, "copy_from_user", "dst: mem_out[size], size: size0, user_ptr: any -> long", "5.10",
        "Copy bytes from a user address, waiting for pages to be brought in.",
        "engine:probe_read", sleeps=True,
    ),
    Helper(
        191, "copy_from_user_task",
        "dst: mem_out[size], size: size0, user_ptr: any, tsk: btf[task_struct], flags: u64 -> long",
        "5.18", "Copy bytes from a user address of another task.",
        gpl=True, sleeps=True, missing=_NO_TASK,
    ),
)  # fmt: skip
