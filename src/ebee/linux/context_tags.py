"""`__arg_ctx` for kernels before Linux 6.8, which do not know the tag.

They take an argument of a global function for the program's context if its type is a pointer to a
struct of the context's name. So a tagged function gets another signature for each kind of program
that calls it (libbpf: bpf_program_fixup_func_info).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from ebee.btf import Btf, BtfBuilder, DeclTag, Func, FuncProto, Int, Ptr, Struct, Typedef, Void
from ebee.btf.types import Const, Linkage, Restrict, Type, Volatile
from ebee.hooks import Hook
from ebee.obj.spec import FuncInfo, Linked

TAG = "arg:ctx"
REGISTERS = "bpf_user_pt_regs_t"
NAMES = {
    "kprobe": REGISTERS, "perf_event": "bpf_perf_event_data",
    "raw_tracepoint": "bpf_raw_tracepoint_args",
    "raw_tracepoint_writable": "bpf_raw_tracepoint_args",
}  # fmt: skip
"""Context by type of program, where the hook's declaration has another name for it."""

_WORDS = ("raw_tracepoint", "raw_tracepoint_writable")


def context_name(hook: Hook, type: str) -> str:
    """The struct that the kernel knows a program's context by; "" where it knows none."""
    name = NAMES.get(type, hook.context or "")
    return "" if type in ("tracing", "lsm", "ext", "struct_ops", "tracepoint") else name


def typed(btf: Btf, programs: dict[str, tuple[Linked, str, str]]) -> tuple[Btf, dict[str, Linked]]:
    """BTF with the signatures that programs need, and the programs that refer to these.

    `programs`: name -> (code, type of program, name of its context).
    """
    tags = _tags(btf)
    if not tags:
        return btf, {name: code for name, (code, _, _) in programs.items()}
    edit = BtfBuilder.edit(btf)
    made: dict[tuple[int, str], int] = {}
    linked = {}
    for name, (code, type, context) in programs.items():
        first, *rest = code.funcs
        funcs = [first]
        for function in rest:
            wanted = _wanted(btf, function, tags.get(function.btf_id, ()), type, context)
            if wanted and (function.btf_id, context) not in made:
                made[function.btf_id, context] = _clone(btf, edit, function, wanted, context)
            new = made.get((function.btf_id, context), function.btf_id)
            funcs.append(function._replace(btf_id=new if wanted else function.btf_id))
        linked[name] = replace(code, funcs=funcs)
    return edit.build() if made else btf, linked


def _tags(btf: Btf) -> dict[int, list[int]]:
    """Function -> indexes of its arguments that are tagged."""
    found: dict[int, list[int]] = {}
    for number in range(btf.start_id, len(btf)):
        if btf.kind(number) is DeclTag:
            tag = btf.type(number)
            assert isinstance(tag, DeclTag)
            if tag.name == TAG and tag.component >= 0:
                found.setdefault(tag.type, []).append(tag.component)
    return found


def _wanted(
    btf: Btf, function: FuncInfo, indexes: Iterable[int], type: str, context: str
) -> list[int]:
    """The tagged arguments whose type has to change for a kind of program."""
    found = btf.type(function.btf_id)
    if not context or not isinstance(found, Func) or found.linkage != Linkage.GLOBAL:
        return []
    proto = btf.type(found.type)
    params = proto.params if isinstance(proto, FuncProto) else ()
    return [n for n in indexes if n < len(params) and _unlike(btf, params[n].type, type, context)]


def _unlike(btf: Btf, number: int, type: str, context: str) -> bool:
    """Whether an argument is no pointer to the context yet, but may stand for one."""
    pointer = btf.resolve(number)
    if not isinstance(pointer, Ptr):
        return False
    target: Type = btf.type(pointer.type)
    while isinstance(target, Const | Volatile | Restrict):
        target = btf.type(target.type)
    if isinstance(target, Typedef) and target.name == REGISTERS and type in NAMES:
        return False
    target = btf.resolve(pointer.type)
    if isinstance(target, Void):
        return True
    if isinstance(target, Struct):
        return target.name != context and type in NAMES and target.name.endswith("pt_regs")
    return type in _WORDS and isinstance(target, Int) and target.size == 8


def _clone(btf: Btf, edit: BtfBuilder, function: FuncInfo, wanted: list[int], context: str) -> int:
    found = btf.type(function.btf_id)
    assert isinstance(found, Func)
    proto = btf.type(found.type)
    assert isinstance(proto, FuncProto)
    pointer = edit.intern(Ptr(edit.intern(Struct(context, 0, ()))))
    params = tuple(
        p._replace(type=pointer) if n in wanted else p for n, p in enumerate(proto.params)
    )
    return edit.add(Func(found.name, edit.add(FuncProto(proto.type, params)), found.linkage))
