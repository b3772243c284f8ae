"""Short names for what programs ask the kernel most: who runs, what time it is, a random number.

    if current.tgid == wanted and current.comm == "bash":
        event.time = ktime_ns()

`pid` and `tgid` are the kernel's words: `current.tgid` is the process, what `os.getpid()` gives,
and `current.pid` the thread, what `threading.get_native_id()` gives.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ebee.types import ArrayType, char, u32, u64

if TYPE_CHECKING:
    from typing import Literal

    from ebee.lang.bpf.intrinsics import HelperName
    from ebee.lang.function import Function
    from ebee.lang.values import Value
    from ebee.types import array

COMM = 16
"""Bytes of a task's name (TASK_COMM_LEN)."""


@dataclass(frozen=True)
class Part:
    """A member of `current`: which bits of what a helper gives."""

    helper: str
    shift: int = 0
    bits: int = 64


PARTS = {
    "pid": Part("get_current_pid_tgid", 0, 32), "tgid": Part("get_current_pid_tgid", 32, 32),
    "uid": Part("get_current_uid_gid", 0, 32), "gid": Part("get_current_uid_gid", 32, 32),
    "cgroup": Part("get_current_cgroup_id"), "cpu": Part("get_smp_processor_id", 0, 32),
}  # fmt: skip
"""Members of `current` that are numbers."""

SHORT = {
    "ktime_ns": "ktime_get_ns", "ktime_boot_ns": "ktime_get_boot_ns",
    "ktime_tai_ns": "ktime_get_tai_ns", "ktime_coarse_ns": "ktime_get_coarse_ns",
    "jiffies": "jiffies64", "random_u32": "get_prandom_u32",
}  # fmt: skip
"""Short names of helpers."""


class Current:
    """The task that runs. Members are asked for when they are read, in programs only.

    `pid`: the thread (what gettid() gives), `tgid`: the process (what getpid() gives); `uid`,
    `gid`: whose it is; `comm`: its name, 16 bytes of text; `cgroup`: the id of its control group;
    `cpu`: where it runs; `task`: its task_struct (of ebee.vmlinux).
    """

    if TYPE_CHECKING:
        pid: u32
        tgid: u32
        uid: u32
        gid: u32
        cgroup: u64
        cpu: u32
        comm: array[char, Literal[16]]
        task: Any
    else:

        def __getattr__(self, name):
            if name.startswith("__") or name not in (*PARTS, "comm", "task"):
                raise AttributeError(f"current has no {name!r}: it has {', '.join(MEMBERS)}")
            raise TypeError(f"current.{name} is asked of the kernel: only programs can do that")


current = Current()
MEMBERS = (*PARTS, "comm", "task")

if TYPE_CHECKING:

    def ktime_ns() -> u64:
        """Nanoseconds since boot without the time in suspend (CLOCK_MONOTONIC)."""

    def ktime_boot_ns() -> u64:
        """Nanoseconds since boot with the time in suspend (CLOCK_BOOTTIME). Since Linux 5.8."""

    def ktime_tai_ns() -> u64:
        """Atomic time in nanoseconds (CLOCK_TAI). Since Linux 6.1."""

    def ktime_coarse_ns() -> u64:
        """The time of the last tick (CLOCK_MONOTONIC_COARSE). Since Linux 5.11."""

    def jiffies() -> u64:
        """Ticks of the kernel's timer. Since Linux 5.6."""

    def random_u32() -> u32:
        """A pseudo-random number, good for sampling, not for secrets."""
else:

    def __getattr__(name):
        if name not in SHORT:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from ebee.lang.bpf.intrinsics import helper_name

        globals()[name] = found = helper_name(SHORT[name])
        return found


# --- lowering ------------------------------------------------------------------------------------


def member(f: Function, node: ast.Attribute) -> Value:
    """`current.pid` and its like."""
    from ebee.lang.errors import Refusal
    from ebee.lang.values import Value, span

    if node.attr == "comm":
        return _comm(f)
    if node.attr == "task":
        return _call(f, node, "get_current_task_btf")
    part = PARTS.get(node.attr)
    if part is None:
        raise Refusal(f"`current` has no `{node.attr}`", f"it has {', '.join(MEMBERS)}")
    whole, b = _call(f, node, part.helper), f.body
    if part.bits == 64 or part.helper == "get_smp_processor_id":
        return whole
    text = b.op(f"lshr i64 {whole.text}, {part.shift}") if part.shift else whole.text
    return Value(u32, b.op(f"trunc i64 {text} to i32"), *span(u32))


def _call(f: Function, node: ast.AST, name: str) -> Value:
    from ebee.lang.bpf.intrinsics import call_helper

    call = ast.copy_location(ast.Call(ast.Name(name, ast.Load()), [], []), node)
    return call_helper(f, call, _helper(name))


def _helper(name: str) -> HelperName:
    from ebee.lang.bpf.intrinsics import helper_name

    found = helper_name(name)
    assert found is not None
    return found


def _comm(f: Function) -> Value:
    """The name, in 16 bytes of the program's own."""
    from ebee.lang.bpf.intrinsics import check_allowed
    from ebee.lang.bpf.map_calls import helper
    from ebee.lang.values import Value

    declared = _helper("get_current_comm").declared
    check_allowed(f, declared)
    slot = f.body.alloca(f"[{COMM} x i8]", 8, "comm")
    helper(f, declared.id, "i64", f"ptr {slot}", f"i64 {COMM}")
    return Value(ArrayType(char, COMM), slot, stack=True, align=8)


__all__ = ["MEMBERS", "SHORT", "Current", "current", "member"]
