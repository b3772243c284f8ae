"""Helpers about the CPU and the task that runs (kernel/bpf/helpers.c, kernel/trace/bpf_trace.c)."""

from ebee.helpers import Helper

_OPS = "ebee.helpers.task_ops"
_NO_TASK = {"machine": "needs the kernel's task_struct: the machine has none"}
_NO_SIGNALS = {"machine": "the machine's tasks are descriptions, not processes to signal"}

HELPERS = (
    Helper(
        7, "get_prandom_u32", "-> u32", "4.1",
        "A pseudo-random number, good for sampling, not for secrets.", f"{_OPS}:get_prandom_u32",
    ),
    Helper(
        8, "get_smp_processor_id", "-> u32", "4.1", "The number of the CPU that runs the program.",
        f"{_OPS}:get_smp_processor_id",
    ),
    Helper(
        14, "get_current_pid_tgid", "-> u64", "4.2",
        "The current task: process id (tgid) in the high, thread id in the low 32 bits.",
        f"{_OPS}:get_current_pid_tgid",
    ),
    Helper(
        15, "get_current_uid_gid", "-> u64", "4.2",
        "The current task: group id in the high, user id in the low 32 bits.",
        f"{_OPS}:get_current_uid_gid",
    ),
    Helper(
        16, "get_current_comm", "buf: mem_out[size_of_buf], size_of_buf: size -> long", "4.2",
        "The name of the current task (at most 16 bytes with the NUL), cut to fit.",
        f"{_OPS}:get_current_comm",
    ),
    Helper(
        35, "get_current_task", "-> u64", "4.8",
        "The address of the current task_struct, as a number.", gpl=True, missing=_NO_TASK,
    ),
    Helper(
        42, "get_numa_node_id", "-> long", "4.10", "The NUMA node of the current CPU.",
        f"{_OPS}:get_numa_node_id",
    ),
    Helper(
        109, "send_signal", "sig: u32 -> long", "5.3",
        "Send a signal to the process of the current task.", missing=_NO_SIGNALS,
    ),
    Helper(
        117, "send_signal_thread", "sig: u32 -> long", "5.6",
        "Send a signal to the current thread.", missing=_NO_SIGNALS,
    ),
    Helper(
        120, "get_ns_current_pid_tgid",
        "dev: u64, ino: u64, nsdata: mem_out[size] as bpf_pidns_info, size: size -> long", "5.7",
        "Process and thread id of the current task as seen in a pid namespace, named by the device "
        "and inode of its file.",
        missing={"machine": "needs pid namespaces: the machine has none"},
    ),
    Helper(
        141, "get_task_stack",
        "task: btf[task_struct], buf: mem_out[size], size: size0, flags: u64 -> long", "5.9",
        "Copy the kernel or user stack of a task; the result is the number of bytes.",
        missing=_NO_TASK,
    ),
    Helper(
        156, "task_storage_get",
        "map: map[task_storage], task: btf[task_struct]?, value: map_value?, flags: u64 "
        "-> map_value?", "5.11",
        "The value that a map keeps for a task, created with BPF_LOCAL_STORAGE_GET_F_CREATE.",
        missing=_NO_TASK,
    ),
    Helper(
        157, "task_storage_delete", "map: map[task_storage], task: btf[task_struct]? -> long",
        "5.11", "Remove the value that a map keeps for a task.", missing=_NO_TASK,
    ),
    Helper(
        158, "get_current_task_btf", "-> btf[task_struct]", "5.11",
        "The current task_struct as a pointer whose members can be loaded.",
        gpl=True, missing=_NO_TASK,
    ),
    Helper(
        175, "task_pt_regs", "task: btf[task_struct] -> long", "5.15",
        "The user-space registers of a task (struct pt_regs).", gpl=True, missing=_NO_TASK,
    ),
    Helper(
        180, "find_vma",
        "task: btf[task_struct], addr: u64, callback_fn: func, callback_ctx: stack?, flags: u64 "
        "-> long", "5.17",
        "Call back with the memory area of a task that contains an address.", missing=_NO_TASK,
    ),
)  # fmt: skip
