# mypy: disable-error-code="arg-type,return-value,no-any-return,attr-defined,call-arg"
"""Operations of device hash maps (kernel/bpf/devmap.c): restricted Python."""

from typing import TYPE_CHECKING

from ebee.abi.cpu import Cpu
from ebee.abi.errno import EINVAL
from ebee.abi.map import BPF_ANY, BPF_EXIST
from ebee.helpers.redirect_ops import redirect_map
from ebee.maps import devmap_ops, hash_ops, layout
from ebee.maps.devmap_ops import REDIRECT_FLAGS, Device, valid
from ebee.maps.hash_ops import Hash, delete, init, length, lookup, next_key
from ebee.native import cast, native
from ebee.types import i64, ptr, struct, u8, u32, u64

if TYPE_CHECKING:
    from ebee.obj.spec import MapSpec

State = Hash


@struct
class Key:
    """A key on the stack."""

    number: u32


def check(spec: "MapSpec", cpus: int) -> None:
    """dev_map_alloc_check."""
    devmap_ops.check(spec, cpus)
    many = f"max_entries {spec.max_entries} is more than the machine's {hash_ops.MAX_ENTRIES}"
    layout.require(spec, spec.max_entries <= hash_ops.MAX_ENTRIES, many)


def plan(spec: "MapSpec", cpus: int) -> layout.Layout:
    """Areas of a hash map, whose values programs may only read."""
    return hash_ops.plan(spec, cpus).read_only()


@native
def update(cpu: ptr[Cpu], m: ptr[Hash], key: ptr[u8], value: ptr[u8], flags: u64) -> i64:
    """Unlike in other hash maps, BPF_EXIST does not ask for a key that is there."""
    device = Device(ifindex=cast(ptr[u32], value)[0])
    if flags > BPF_EXIST or device.ifindex == 0:
        return -EINVAL
    refused = valid(m.ref.head, value)
    if refused != 0:
        return refused
    if flags == BPF_EXIST:
        return hash_ops.update(cpu, m, key, cast(ptr[u8], device.ptr), BPF_ANY)
    return hash_ops.update(cpu, m, key, cast(ptr[u8], device.ptr), flags)


@native
def redirect(cpu: ptr[Cpu], m: ptr[Hash], key: u64, flags: u64) -> i64:
    """bpf_redirect_map; the device goes to the CPU's redirect_ifindex."""
    number = Key(number=u32(key))
    found = lookup(cpu, m, cast(ptr[u8], number.ptr))
    if found:
        cpu.redirect_ifindex = cast(ptr[u32], found)[0]
    return redirect_map(cpu, m.ref.head, key, bool(found), flags, REDIRECT_FLAGS)


__all__ = [
    "State",
    "check",
    "delete",
    "init",
    "length",
    "lookup",
    "next_key",
    "plan",
    "redirect",
    "update",
]
