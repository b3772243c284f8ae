"""What the running kernel knows of tracepoints and functions, where a program does not say it.

Records of tracepoints come from the format files of tracefs, else from BTF (`trace_event_raw_*`);
arguments of functions and of typed tracepoints from BTF. What is read becomes part of the key under
which the compiled file is kept.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ebee.lang.bpf import sources
from ebee.lang.errors import Refusal
from ebee.types import ArrayType, Field, Int, PtrType, Struct, char, storage

from ebee.types import i8, i16, i32, i64, u8, u16, u32, u64  # isort: skip

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ebee.btf import Btf
    from ebee.lang.bpf.programs import Program

ROOTS = ("/sys/kernel/tracing", "/sys/kernel/debug/tracing")
HEADER = 8
"""Bytes in front of a record that programs cannot read."""

_INTS: dict[tuple[int, bool], type[Int]] = {
    (1, False): u8, (2, False): u16, (4, False): u32, (8, False): u64,
    (1, True): i8, (2, True): i16, (4, True): i32, (8, True): i64,
}  # fmt: skip

LOCATED = storage("data_loc", u32, located=True)
"""A member that says where in the record something of its own length is: reads as its address."""
RELATIVE = storage("rel_loc", u32, located=True, relative=True)
"""The same, counted from behind the member."""


if TYPE_CHECKING:

    class Record(Struct):
        """Context of @tracepoint: the members of the record as the running kernel has them. Those
        of any length (texts) are addresses: `bpf.probe_read_kernel_str(to, size, ctx.name)`."""

        def __getattr__(self, name: str) -> Any: ...
else:

    class Record(Struct):
        """Context of @tracepoint: the members of the record as the running kernel has them. Those
        of any length (texts) are addresses: `bpf.probe_read_kernel_str(to, size, ctx.name)`."""

        __slots__ = ()
        __size__ = 0
        __align__ = 8
        __fields__ = {}


# --- records -------------------------------------------------------------------------------------

_LINE = re.compile(
    r"field:(?P<kind>.*?)(?P<name>\w+)(?:\[(?P<count>\w*)\])?;"
    r"\s*offset:(?P<offset>\d+);\s*size:(?P<size>\d+);(?:\s*signed:(?P<signed>\d);)?"
)


def record_of(target: str) -> type[Struct]:
    """The struct of a tracepoint's record ("category/name"); Refusal where nobody knows it."""
    for root in ROOTS:
        path = f"{root}/events/{target}/format"
        try:
            with open(path) as file:
                text = file.read()
        except OSError:
            continue
        sources.reads(path)
        return _struct(target, _members(text))
    return _struct(target, _from_btf(target))


def _struct(target: str, members: list[Field]) -> type[Struct]:
    found = {m.name: m for m in members}
    size = max((m.offset + _size(m.type) for m in members), default=HEADER)
    name = re.sub(r"\W", "_", target)
    space = {"__slots__": (), "__doc__": f"The record of {target}.", "__module__": __name__,
             "__fields__": found, "__size__": -(-size // 8) * 8, "__align__": 8}  # fmt: skip
    return type(name, (Record,), space | found)


def _size(t: Any) -> int:
    from ebee.types import sizeof

    return sizeof(t)


def _members(text: str) -> list[Field]:
    """The members that a format file lists."""
    found = []
    for line in text.splitlines():
        m = _LINE.search(line)
        if m is None or int(m["offset"]) < HEADER:
            continue
        t = _type(m["kind"].strip(), m["count"], int(m["size"]), m["signed"] == "1")
        found.append(Field(m["name"], t, int(m["offset"])))
    return found


def _type(kind: str, count: str | None, size: int, signed: bool) -> Any:
    """The static type of a member by its text in C."""
    if kind.startswith(("__data_loc", "__rel_loc")):
        return LOCATED if kind.startswith("__data") else RELATIVE
    if count is None and kind.endswith("*"):
        return PtrType(u8)
    if count is None and (size, signed) in _INTS:
        return _INTS[size, signed]
    if kind in ("char", "const char"):
        return ArrayType(char, size)
    length = int(count) if count and count.isdigit() else 0
    if length and size % length == 0 and (size // length, signed) in _INTS:
        return ArrayType(_INTS[size // length, signed], length)
    return ArrayType(u8, size)


def _from_btf(target: str) -> list[Field]:
    from ebee.btf import Struct as BtfStruct

    name = target.partition("/")[2]
    btf, found = _known(f"trace_event_raw_{name}", BtfStruct)
    if btf is None:
        raise Refusal(
            f"the record of {target} is not known here: tracefs is not mounted, or has none",
            "declare it as a @struct, as its format file describes it",
        )
    members = []
    for member in found.members:
        t = btf.resolve(member.type)
        offset, size = member.offset // 8, btf.sizeof(member.type)
        if offset < HEADER or not size or not member.name:
            continue
        located = member.name.startswith("__data_loc_")
        made = LOCATED if located else _btf_type(btf, t, size)
        members.append(Field(member.name.removeprefix("__data_loc_"), made, offset))
    return members


def _btf_type(btf: Btf, t: Any, size: int) -> Any:
    kind = type(t).__name__
    if kind == "Array":
        elem = btf.resolve(t.type)
        if getattr(elem, "name", "") == "char":
            return ArrayType(char, size)
        return ArrayType(_btf_type(btf, elem, btf.sizeof(t.type)), t.nelems)
    if kind == "Ptr":
        return PtrType(u8)
    return _INTS.get((size, bool(getattr(t, "signed", False))), ArrayType(u8, size))


# --- arguments -----------------------------------------------------------------------------------

TRACEPOINT = "btf_trace_"
PREFIXES = {"lsm": "bpf_lsm_", "lsm_cgroup": "bpf_lsm_", "iter": "bpf_iter_"}
"""Hook -> what stands before a target in the names of the functions that BTF has for them."""


def arguments_of(program: Program, names: list[str], result: str = "") -> dict[str, Any]:
    """The types of a program's parameters (without the context) by position, and that of the
    parameter that is the `result`, from the BTF of what it is attached to."""
    from ebee.btf import FuncProto
    from ebee.lang.bpf import kernel_types

    target = program.target
    btf, proto, first = _prototype(program.hook.name, target)
    if btf is None or not isinstance(proto, FuncProto):
        raise Refusal(f"the kernel's types do not know {target}", "give the parameters types")
    params = proto.params[first:]
    before = int(program.hook.name == "lsm")  # behind them is what programs before this one said
    if len(names) > len(params) + before:
        shown = ", ".join(p.name or f"argument {i}" for i, p in enumerate(params, 1))
        raise Refusal(f"{target} has {len(params)} arguments: {shown or 'none'}", "leave it away")
    found = {n: kernel_types.static_type(btf, p.type) for n, p in zip(names, params, strict=False)}
    if len(names) > len(params):
        found[names[-1]] = i32
    if result:
        found[result] = kernel_types.static_type(btf, proto.type)
    return found


EXTENDED = ("tp_btf", "raw_tracepoint", "raw_tracepoint_writable")
"""Hooks whose arguments fill 64 bits, however short they are."""


def misfits(program: Program, params: list[tuple[str, Any]]) -> Iterator[tuple[str, str]]:
    """Names of parameters whose types are not those of the arguments, and what those are; nothing
    where the kernel's types do not know the target."""
    from ebee.btf import FuncProto
    from ebee.btf.types import Composite
    from ebee.lang.bpf import kernel_types
    from ebee.lang.values import is_int

    btf, proto, first = _prototype(program.hook.name, program.target)
    if btf is None or not isinstance(proto, FuncProto):
        return
    given = proto.params[first:]
    for (name, t), param in zip(params, given, strict=False):
        if not param.type:
            return  # a variable number of them
        size = btf.sizeof(param.type)
        if isinstance(btf.resolve(param.type), Composite) and size > 8:
            yield name, f"it is a struct of {size} bytes, in several places: see ctx.args"
            return
        number = t is int or (is_int(t) and t.bits == 64)
        if number and (size == 8 or program.hook.name in EXTENDED):
            continue  # an address, or a number, as it stands
        if wrong := kernel_types.mismatch(btf, param.type, t):
            yield name, wrong
    more = int(program.hook.name == "lsm")
    for name, _ in params[len(given) + more :]:
        yield name, f"{program.target} has {len(given)} arguments"


def _prototype(hook: str, target: str) -> tuple[Btf | None, Any, int]:
    """The BTF that knows the target of a hook, its prototype, and how many parameters of that
    programs do not get."""
    from ebee.btf import Func, Ptr, Typedef

    if hook in ("tp_btf", "raw_tracepoint", "raw_tracepoint_writable"):
        btf, alias = _known(TRACEPOINT + target, Typedef)
        pointer = btf.resolve(alias.id) if btf is not None else None
        if btf is None or not isinstance(pointer, Ptr):
            return None, None, 0
        return btf, btf.resolve(pointer.type), 1  # the data that the tracepoint's caller has
    btf, function = _known(PREFIXES.get(hook, "") + target, Func)
    return btf, btf.resolve(function.type) if btf is not None else None, 0


def _known(name: str, kind: type) -> tuple[Btf | None, Any]:
    """A type of the kernel that programs are compiled for, or of its modules."""
    from ebee.lang.bpf import kernel_source, kernel_types

    kernel_types.note_use()
    return kernel_source.find(name, kind) or (None, None)


__all__ = ["LOCATED", "Record", "arguments_of", "misfits", "record_of"]
