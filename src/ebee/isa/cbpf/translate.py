"""Classic BPF to eBPF, by way of eBPF assembly.

A is r0, X is r7, the packet's handle r6, r8 a temporary, M[n] is on the stack: as in the kernel's
own translation (bpf_convert_filter in net/core/filter.c).
"""

from collections.abc import Iterator, Sequence
from typing import Literal

from ebee.errors import AsmError
from ebee.isa.cbpf.table import FORMS, Form, SockFilter, ancillary, check
from ebee.isa.insn import Insn, signed

Target = Literal["skb", "buffer"]

_ALU = {"add": "+", "sub": "-", "mul": "*", "div": "/", "mod": "%", "or": "|", "and": "&",
        "xor": "^", "lsh": "<<", "rsh": ">>"}  # fmt: skip
_JUMP = {"jeq": ("==", "!="), "jgt": (">", "<="), "jge": (">=", "<"), "jset": ("&", "")}
_HELPERS = {"rand": 7, "cpu": 8}  # bpf_get_prandom_u32, bpf_get_smp_processor_id

# Fields of struct __sk_buff; what is not there (nla, nlan, hatype, poff) eBPF cannot get at.
_LEN = "*(u32 *)(r6 +0)"
_SKB = {
    "type": ["r0 = *(u32 *)(r6 +4)"],
    "mark": ["r0 = *(u32 *)(r6 +8)"],
    "queue": ["r0 = *(u32 *)(r6 +12)"],
    "proto": ["r0 = *(u32 *)(r6 +16)", "r0 = be16 r0"],
    "vlanp": ["r0 = *(u32 *)(r6 +20)"],
    "vlan_tci": ["r0 = *(u32 *)(r6 +24)"],
    "vlan_tpid": ["r0 = *(u32 *)(r6 +28)", "r0 = be16 r0"],
    "ifidx": ["r0 = *(u32 *)(r6 +40)"],
    "rxhash": ["r0 = *(u32 *)(r6 +68)"],
}


def to_ebpf(program: Sequence[SockFilter], target: Target = "skb") -> list[Insn]:
    """The eBPF program that gives the same verdict for every packet.

    "skb"     for socket filters and tc: r1 is a struct __sk_buff, packet data comes by LD_ABS and
              LD_IND
    "buffer"  for any engine: r1 is the address of the packet, r2 its length; offsets from headers
              (SKF_NET_OFF, SKF_LL_OFF) end it with 0, as where these are not known

    Raises AsmError for a filter that Linux would refuse and for ancillary loads that eBPF has no
    counterpart of.
    """
    from ebee.isa.asm import assemble

    return assemble(to_ebpf_text(program, target))


def to_ebpf_text(program: Sequence[SockFilter], target: Target = "skb") -> str:
    """The same as eBPF assembly; every classic instruction N has the label LN."""
    if reason := check(program):
        raise AsmError(f"this filter cannot be translated: {reason}")
    lines = ["r6 = r1", "w0 = 0", "w7 = 0"]
    if target == "buffer":
        lines.insert(0, "r9 = r2")
    for at in _reachable(program):
        insn = program[at]
        lines += [f"L{at}:", *_instruction(at, insn, FORMS[insn.code], target)]
    if any(line.endswith("goto fail") for line in lines):
        lines += ["fail:", "w0 = 0", "exit"]
    return "\n".join(lines)


def _reachable(program: Sequence[SockFilter]) -> Iterator[int]:
    """The instructions that a path leads to, in order: the verifier refuses others."""
    wanted = {0}
    for at, insn in enumerate(program):
        if at not in wanted:
            continue
        yield at
        form = FORMS[insn.code]
        if form.operation == "ja":
            wanted.add(at + 1 + insn.k)
        elif form.kind == "jump":
            wanted |= {at + 1 + insn.jt, at + 1 + insn.jf}
        elif form.kind != "return":
            wanted.add(at + 1)


def _instruction(at: int, insn: SockFilter, form: Form, target: Target) -> list[str]:
    k = insn.k
    cell = f"*(u32 *)(r10 -{4 * k + 4})"
    r, w = ("r0", "w0") if form.register == "a" else ("r7", "w7")
    match form.kind:
        case "packet":
            return list(_packet(insn, form, target))
        case "jump":
            return list(_jump(at, insn, form))
        case "alu":
            return list(_alu(form, k))
        case "imm":
            return [f"{w} = {signed(k, 32)}"]
        case "mem":
            return [f"{r} = {cell}"]
        case "store":
            return [f"{cell} = {r}"]
        case "len":
            return [f"{r} = {_LEN}" if target == "skb" else f"{w} = w9"]
        case "move":
            return ["r7 = r0" if form.operation == "tax" else "r0 = r7"]
    return [f"w0 = {signed(k, 32)}", "exit"] if form.register == "k" else ["exit"]


def _alu(form: Form, k: int) -> Iterator[str]:
    if form.operation == "neg":
        yield "w0 = -w0"
        return
    if form.operation in ("div", "mod") and form.source == "x":
        yield "if r7 == 0 goto fail"
    yield f"w0 {_ALU[form.operation]}= {signed(k, 32) if form.source == 'k' else 'w7'}"


def _jump(at: int, insn: SockFilter, form: Form) -> Iterator[str]:
    """A and X have no upper half, so 64-bit comparisons serve, which every kernel has; but their
    immediates are signed, so a constant from 2**31 on goes by way of r8."""
    if form.operation == "ja":
        yield f"goto L{at + 1 + insn.k}"
        return
    yes, no = f"goto L{at + 1 + insn.jt}", f"goto L{at + 1 + insn.jf}"
    operand = "r7" if form.source == "x" else str(insn.k)
    if form.source == "k" and insn.k >= 1 << 31:
        yield f"w8 = {signed(insn.k, 32)}"
        operand = "r8"
    sign, opposite = _JUMP[form.operation]
    if insn.jt == 0 and opposite:
        if insn.jf:
            yield f"if r0 {opposite} {operand} {no}"
        return
    yield f"if r0 {sign} {operand} {yes}"
    if insn.jf:
        yield no


def _packet(insn: SockFilter, form: Form, target: Target) -> Iterator[str]:
    if name := ancillary(insn):
        yield from _ancillary(name, target)
        return
    load = _from_skb if target == "skb" else _from_buffer
    if form.operation != "msh":
        yield from load(form.size, insn.k, form.operation == "ind")
        return
    yield "*(u32 *)(r10 -68) = r0"  # A, beside the scratch memory
    yield from load(1, insn.k, False)
    yield from ("w0 &= 15", "w0 <<= 2", "r7 = r0", "r0 = *(u32 *)(r10 -68)")


def _from_skb(size: int, k: int, indexed: bool) -> Iterator[str]:
    register = "r7 + " if indexed else ""
    yield f"r0 = *(u{8 * size} *)skb[{register}{signed(k, 32)}]"


def _from_buffer(size: int, k: int, indexed: bool) -> Iterator[str]:
    bits = 8 * size
    if not indexed and k + size < 1 << 15:
        yield f"if r9 < {k + size} goto fail"
        yield f"r0 = *(u{bits} *)(r6 +{k})"
    else:
        yield f"w8 = {signed(k, 32)}"
        if indexed:
            yield "w8 += w7"
        yield "if w8 s< 0 goto fail"
        yield "r0 = r8"
        yield f"r0 += {size}"
        yield "if r0 > r9 goto fail"
        yield "r8 += r6"
        yield f"r0 = *(u{bits} *)(r8 +0)"
    if size > 1:
        yield f"r0 = be{bits} r0"


def _ancillary(name: str, target: Target) -> Iterator[str]:
    if name == "xor_x":
        yield "w0 ^= w7"
    elif name in _HELPERS:
        yield f"call {_HELPERS[name]}"
        yield "w0 = w0"
    elif target == "buffer":
        raise AsmError(f"the ancillary value {name!r} comes with an skb; a plain buffer has none")
    elif name in _SKB:
        yield from _SKB[name]
    else:
        raise AsmError(f"eBPF programs cannot get at the ancillary value {name!r}")
