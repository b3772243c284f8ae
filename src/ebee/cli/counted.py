"""Counting verdicts in the kernel: a program is put into a function of its own, and a few
instructions around it count packets and bytes by what it returns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ebee.errors import ObjectError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ebee.hooks import Hook
    from ebee.obj.spec import ObjectSpec, ProgramSpec

MAP = "ebee_verdicts"
CALL = 0x85, 1  # BPF_JMP | BPF_CALL, BPF_PSEUDO_CALL: of a function of the same program
SLOTS = 16
"""Return values -1 to 13 have a slot each; the last one is for all others."""

LENGTH = {
    "xdp_md": "r6 = *(u32 *)(r1 +4)\nr2 = *(u32 *)(r1 +0)\nr6 -= r2",  # data_end - data
    "__sk_buff": "r6 = *(u32 *)(r1 +0)",  # len
}
"""UAPI struct of the context -> code for the packet's length in r6."""

WRAPPER = f"""
    {{length}}
    call inner
    r7 = r0
    w0 += 1
    if w0 < {SLOTS - 1} goto slot
    w0 = {SLOTS - 1}
slot:
    *(u32 *)(r10 -4) = r0
    r2 = r10
    r2 += -4
    r1 = map[{MAP}]
    call bpf_map_lookup_elem#1
    if r0 == 0 goto out
    r1 = *(u64 *)(r0 +0)
    r1 += 1
    *(u64 *)(r0 +0) = r1
    r1 = *(u64 *)(r0 +8)
    r1 += r6
    *(u64 *)(r0 +8) = r1
out:
    r0 = r7
    exit
inner:
    exit
"""


def counted(spec: ObjectSpec, name: str, hook: Hook) -> ObjectSpec:
    """A copy of an object whose program `name` is counted in the map MAP; see `counts`."""
    from dataclasses import replace

    from ebee.isa import parse
    from ebee.obj.spec import FunctionSpec, MapSpec, Ref

    if hook.context not in LENGTH:
        raise ObjectError(f"verdicts of {hook.name} programs cannot be counted")
    made = spec.copy()
    program = made.programs[name]
    body, old_id = f"{name}_body", program.btf_id
    made.btf, inner_id = _as_static(made, old_id)
    made.functions[body] = FunctionSpec(
        body, ".text", program.insns, program.refs, program.lines, inner_id, "static"
    )
    code = parse(WRAPPER.format(length=LENGTH[hook.context]))
    wrapper = code.insns[: code.labels["inner"]]
    call = next(i for i, insn in enumerate(wrapper) if (insn.op, insn.src) == CALL)
    wrapper[call] = wrapper[call]._replace(imm=-1)
    refs = [Ref(call, "call", body), *(Ref(r.slot, "map", r.symbol) for r in code.references)]
    made.programs[name] = replace(program, insns=wrapper, refs=refs, lines=[])
    made.maps[MAP] = MapSpec(MAP, "percpu_array", 4, 16, SLOTS)
    for function in (*made.programs.values(), *made.functions.values()):
        if function.name != name:  # whoever calls it calls what it was
            function.refs = [
                r._replace(symbol=body) if r.symbol == name and r.kind in ("call", "func") else r
                for r in function.refs
            ]
    return made


def _as_static(spec: ObjectSpec, func_id: int) -> tuple[Any, int]:
    """The types, with a function like this one that the verifier looks at in its caller."""
    if spec.btf is None or not func_id:
        return spec.btf, 0
    from ebee.btf import Btf, Func
    from ebee.btf.builder import BtfBuilder

    builder = BtfBuilder.edit(spec.btf)
    found = spec.btf.type(func_id)
    assert isinstance(found, Func)
    made = builder.add(found._replace(name=f"{found.name}_body", linkage=0))
    return Btf.parse(builder.bytes()), made


def counts(maps: Mapping[str, Any]) -> dict[int, tuple[int, int]]:
    """Packets and bytes by return value; None stands for all values that have no slot."""
    found = {}
    for slot, cpus in maps[MAP].raw.items():
        number = int.from_bytes(slot, "little") - 1
        words = memoryview(cpus).cast("Q")
        packets, octets = sum(words[0::2]), sum(words[1::2])
        if packets:
            found[number & 0xFFFF_FFFF] = packets, octets
    return found


def wrapped(program: ProgramSpec) -> bool:
    """Whether a program is counted."""
    return any(r.symbol == MAP for r in program.refs)
