# mypy: disable-error-code="arg-type,return-value,no-any-return,call-overload,assignment"
"""Bodies of the helpers about the CPU and the current task: restricted Python."""

from ebee.abi.cpu import Cpu
from ebee.native import byte_offset, memcpy, memset, native
from ebee.types import i64, ptr, u8, u32, u64

COMM = 16
"""TASK_COMM_LEN."""


@native
def get_prandom_u32(cpu: ptr[Cpu]) -> u32:
    """xorshift64*: repeatable when the machine has a seed."""
    x = cpu.random
    x ^= x >> 12
    x ^= x << 25
    x ^= x >> 27
    cpu.random = x
    return u32(x * 0x2545_F491_4F6C_DD1D >> 32)


@native
def get_smp_processor_id(cpu: ptr[Cpu]) -> u32:
    return cpu.id


@native
def get_numa_node_id(cpu: ptr[Cpu]) -> i64:
    return i64(cpu.node)


@native
def get_current_pid_tgid(cpu: ptr[Cpu]) -> u64:
    return cpu.task_pid_tgid


@native
def get_current_uid_gid(cpu: ptr[Cpu]) -> u64:
    return u64(cpu.task_gid) << 32 | u64(cpu.task_uid)


@native
def get_current_comm(cpu: ptr[Cpu], buf: ptr[u8], size: u32) -> i64:
    """The name, cut to fit with its NUL, and zeroes up to the end of the buffer."""
    name = cpu.ref.task_comm
    memset(buf, 0, size)
    length = u32(0)
    while length < COMM and length + 1 < size and cpu.task_comm[length] != 0:
        length += 1
    memcpy(buf, byte_offset(name, 0), length)
    return 0


@native
def get_current_cgroup_id(cpu: ptr[Cpu]) -> u64:
    return cpu.task_cgroup
