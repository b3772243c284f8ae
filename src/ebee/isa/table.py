"""Every legal eBPF instruction, once: what it is called, what its fields hold, how it is written.

The assembler, the disassembler, the checks, and the interpreter, JIT and verifier read this table.
A form is found by opcode and, where several forms share one, by the single field that tells them
apart (`src` of a call, `imm` of an atomic, `off` of a move), which the table itself shows.

Sources: RFC 9669; kernel/bpf/verifier.c (reserved fields) and kernel/bpf/disasm.c (spelling).
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from ebee.errors import AsmError
from ebee.isa import insn as i
from ebee.isa.insn import Insn

Role = int | str  # of a field: the value it must have, or what it holds


class Form(NamedTuple):
    """One kind of instruction.

    name        unique and stable: "add64_reg", "jslt32_imm", "load_s16", "call_kfunc"
    kind        alu, load, store, atomic, packet, imm64, jump, call, exit, barrier
    operation   the meaning; those of kinds alu, atomic and jump are the names in `semantics`
    op          the opcode byte
    text        the kernel's spelling, {...} names an operand (see `disasm.OPERANDS`)
    width       bits of arithmetic and comparisons: 32 or 64
    source      the second operand: "reg", "imm" or "" (none)
    size        bytes of the memory access; 0: none
    signed      a load that extends the sign
    dst, src    "r", "w", "rw": the register is read, written, both
    off         "mem": offset of an access; "jump": distance in slots; "btf": index of a BTF fd
    imm         "imm": number; "jump": distance; "id": of a helper, map, kfunc, ...; "space": the
                address space that a pointer moves to << 16 | the one that it comes from
    high        imm of a wide load's second slot: "imm", "offset" into a value, "btf": its fd,
                "any": ignored
    aliases     other spellings the assembler takes
    cpu         the lowest -mcpu (1 to 4) for which compilers emit it
    since       the first kernel that takes it; "": none does (callx, and the kernel's own code)
    """

    name: str
    kind: str
    operation: str
    op: int
    text: str
    width: int = 64
    source: str = ""
    size: int = 0
    signed: bool = False
    dst: Role = 0
    src: Role = 0
    off: Role = 0
    imm: Role = 0
    high: Role = 0
    aliases: tuple[str, ...] = ()
    cpu: int = 1
    since: str = "3.18"

    @property
    def wide(self) -> bool:
        """The instruction takes two slots."""
        return self.op == i.LDDW

    @property
    def terminator(self) -> bool:
        """Control never goes on to the next slot."""
        return self.operation in ("ja", "gotox", "exit")

    @property
    def conditional(self) -> bool:
        """A jump that may also fall through."""
        return self.kind == "jump" and not self.terminator


Fields = dict[str, Any]
_V4: Fields = {"cpu": 4, "since": "6.6"}
_ARITHMETIC: dict[str, tuple[int, str, Fields]] = {
    "add": (i.ADD, "+=", {}),
    "sub": (i.SUB, "-=", {}),
    "mul": (i.MUL, "*=", {}),
    "div": (i.DIV, "/=", {}),
    "sdiv": (i.DIV, "s/=", {"off": 1, **_V4}),
    "or": (i.OR, "|=", {}),
    "and": (i.AND, "&=", {}),
    "lsh": (i.LSH, "<<=", {}),
    "rsh": (i.RSH, ">>=", {}),
    "mod": (i.MOD, "%=", {}),
    "smod": (i.MOD, "s%=", {"off": 1, **_V4}),
    "xor": (i.XOR, "^=", {}),
    "mov": (i.MOV, "=", {"dst": "w"}),
    "arsh": (i.ARSH, "s>>=", {}),
}
_COMPARISONS: dict[str, tuple[int, str, Fields]] = {
    "jeq": (i.JEQ, "==", {}),
    "jgt": (i.JGT, ">", {}),
    "jge": (i.JGE, ">=", {}),
    "jset": (i.JSET, "&", {}),
    "jne": (i.JNE, "!=", {}),
    "jsgt": (i.JSGT, "s>", {}),
    "jsge": (i.JSGE, "s>=", {}),
    "jlt": (i.JLT, "<", {"cpu": 2, "since": "4.14"}),
    "jle": (i.JLE, "<=", {"cpu": 2, "since": "4.14"}),
    "jslt": (i.JSLT, "s<", {"cpu": 2, "since": "4.14"}),
    "jsle": (i.JSLE, "s<=", {"cpu": 2, "since": "4.14"}),
}
_SIZES = {1: i.B, 2: i.H, 4: i.W, 8: i.DW}
_FROM_REG: Fields = {"source": "reg", "src": "r"}
_FROM_IMM: Fields = {"source": "imm", "imm": "imm"}


def _arithmetic() -> Iterator[Form]:
    for width, cls, r, cpu in ((64, i.ALU64, "r", 1), (32, i.ALU, "w", 3)):
        dst, src = f"{r}{{dst}}", f"{r}{{src}}"
        base: Fields = {"width": width, "dst": "rw", "cpu": cpu}
        for bit, operand, fields in ((i.X, src, _FROM_REG), (i.K, "{imm}", _FROM_IMM)):
            for name, (code, sign, more) in _ARITHMETIC.items():
                label, text = f"{name}{width}_{fields['source']}", f"{dst} {sign} {operand}"
                yield Form(label, "alu", name, cls | code | bit, text, **base | fields | more)
        for bits in (8, 16, 32)[: width // 32 + 1]:
            fields = {**_FROM_REG, "dst": "w", "off": bits, **_V4}
            name, text = f"movsx{bits}", f"{dst} = (s{bits}){src}"
            yield Form(f"{name}_{width}", "alu", name, cls | i.MOV | i.X, text, **base | fields)
        yield Form(f"neg{width}", "alu", "neg", cls | i.NEG, f"{dst} = -{dst}", **base)


def _byte_order() -> Iterator[Form]:
    """Conversions of byte order; all leave the bits above their size zero."""
    orders: tuple[tuple[str, int, Fields], ...] = (
        ("le", i.ALU | i.TO_LE, {}),
        ("be", i.ALU | i.TO_BE, {}),
        ("bswap", i.ALU64, _V4),
    )
    for order, op, fields in orders:
        for bits in (16, 32, 64):
            name, text = f"{order}{bits}", f"r{{dst}} = {order}{bits} r{{dst}}"
            yield Form(name, "alu", name, op | i.END, text, dst="rw", imm=bits, **fields)


def _pointer_moves() -> Iterator[Form]:
    """Moves of a pointer into another address space."""
    op, fields = i.ALU64 | i.MOV | i.X, {**_FROM_REG, "dst": "w"}
    text = "r{dst} = addr_space_cast(r{src}, {to_space}, {from_space})"
    more: Fields = {"off": 1, "imm": "space", "cpu": 4, "since": "6.9"}
    yield Form("addr_space_cast", "alu", "addr_space_cast", op, text, **fields | more)
    text = "r{dst} = &(void __percpu *)(r{src})"
    yield Form("mov_percpu", "alu", "mov_percpu", op, text, off=-1, since="", **fields)


def _memory() -> Iterator[Form]:
    """Loads and stores. LLVM writes w registers where 32 bits suffice; the bytes are the same."""
    for size, code in _SIZES.items():
        bits, narrow = size * 8, size < 8
        base: Fields = {"size": size, "off": "mem"}
        load, store = f"*(u{bits} *)(r{{src}} {{off}})", f"*(u{bits} *)(r{{dst}} {{off}})"
        fields: Fields = {**base, "dst": "w", "src": "r"}
        op, w = i.LDX | i.MEM | code, (f"w{{dst}} = {load}",) * narrow
        yield Form(f"load_u{bits}", "load", "load", op, f"r{{dst}} = {load}", aliases=w, **fields)
        if narrow:
            op, text = i.LDX | i.MEMSX | code, f"r{{dst}} = *(s{bits} *)(r{{src}} {{off}})"
            yield Form(f"load_s{bits}", "load", "load", op, text, signed=True, **fields | _V4)
        op, w = i.STX | i.MEM | code, (f"{store} = w{{src}}",) * narrow
        fields = {**base, **_FROM_REG, "dst": "r", "aliases": w}
        yield Form(f"store{bits}_reg", "store", "store", op, f"{store} = r{{src}}", **fields)
        op, fields = i.ST | i.MEM | code, {**base, **_FROM_IMM, "dst": "r"}
        yield Form(f"store{bits}_imm", "store", "store", op, f"{store} = {{imm}}", **fields)


def _packet() -> Iterator[Form]:
    """Loads kept from classic BPF: r6 holds the context, r0 gets the value in host order."""
    for size, code in list(_SIZES.items())[:3]:
        bits, load = size * 8, f"r0 = *(u{size * 8} *)skb"
        fields: Fields = {"size": size, "imm": "imm"}
        op, text = i.LD | i.ABS | code, f"{load}[{{imm}}]"
        yield Form(f"packet_abs{bits}", "packet", "abs", op, text, **fields)
        op, text, bare = i.LD | i.IND | code, f"{load}[r{{src}}{{plus}}]", (f"{load}[r{{src}}]",)
        yield Form(f"packet_ind{bits}", "packet", "ind", op, text, src="r", aliases=bare, **fields)


def _atomic() -> Iterator[Form]:
    """Read-modify-write. The kernel writes r registers throughout, LLVM w for 32 bits."""
    for bits, tag, llvm_tag, w in ((32, "", "32_32", "w"), (64, "64", "_64", "r")):
        size, place, llvm_place = bits // 8, f"(u{bits} *)(r{{dst}} {{off}})", "r{dst} {off}"
        op = i.STX | i.ATOMIC | _SIZES[size]
        rows: list[tuple[str, int, str, str]] = []  # name, imm, kernel's and LLVM's spelling
        for name in ("add", "or", "and", "xor"):
            code, sign, _ = _ARITHMETIC[name]
            text, call = f"lock *{place} {sign} ", f"_fetch_{name}({place}, "
            rows.append((name, code, f"{text}r{{src}}", f"{text}{w}{{src}}"))
            kernel, llvm = f"r{{src}} = atomic{tag}{call}r", f"{w}{{src}} = atomic{call}{w}"
            rows.append((f"fetch_{name}", code | i.FETCH, f"{kernel}{{src}})", f"{llvm}{{src}})"))
        kernel, llvm = f"atomic{tag}_xchg({place}, r", f"xchg{llvm_tag}({llvm_place}, {w}"
        text = f"r{{src}} = {kernel}{{src}})"
        rows.append(("xchg", i.XCHG, text, f"{w}{{src}} = {llvm}{{src}})"))
        text = f"r0 = atomic{tag}_cmpxchg({place}, r0, r{{src}})"
        llvm = f"{w}0 = cmpxchg{llvm_tag}({llvm_place}, {w}0, {w}{{src}})"
        rows.append(("cmpxchg", i.CMPXCHG, text, llvm))
        for name, imm, text, llvm in rows:
            fields: Fields = {"width": bits, "source": "reg", "size": size, "aliases": (llvm,)}
            fields |= {"dst": "r", "src": "r", "off": "mem", "imm": imm}
            if name != "add":
                fields |= {"cpu": 3, "since": "5.12"}
            if name == "xchg" or name.startswith("fetch"):
                fields["src"] = "rw"
            yield Form(f"atomic_{name}{bits}", "atomic", name, op, text, **fields)


def _ordered() -> Iterator[Form]:
    """Load-acquire and store-release: opcodes of the atomics, but of every size."""
    for size, code in _SIZES.items():
        bits, op = size * 8, i.STX | i.ATOMIC | code
        fields: Fields = {"size": size, "off": "mem", "cpu": 4, "since": "6.15"}
        text = f"r{{dst}} = load_acquire((u{bits} *)(r{{src}} {{off}}))"
        w = ("w" + text[1:],) * (size < 8)
        more: Fields = {"dst": "w", "src": "r", "imm": i.LOAD_ACQ, "aliases": w}
        name = "load_acquire"
        yield Form(f"{name}{bits}", "atomic", name, op, text, **fields | more)
        text = f"store_release((u{bits} *)(r{{dst}} {{off}}), r{{src}})"
        w = (text.replace(", r", ", w"),) * (size < 8)
        more = {**_FROM_REG, "dst": "r", "imm": i.STORE_REL, "aliases": w}
        name = "store_release"
        yield Form(f"{name}{bits}", "atomic", name, op, text, **fields | more)


def _jumps() -> Iterator[Form]:
    yield Form("ja", "jump", "ja", i.JMP | i.JA, "goto {jump}", off="jump")
    yield Form("gotol", "jump", "ja", i.JMP32 | i.JA, "gotol {jump}", width=32, imm="jump", **_V4)
    may = "may_goto"
    yield Form(may, "jump", may, i.JMP | i.JCOND, f"{may} {{jump}}", off="jump", since="6.9", cpu=4)
    gotox = "gotox"
    yield Form(
        gotox, "jump", gotox, i.JMP | i.JA | i.X, "gotox r{dst}", dst="r", since="6.19", cpu=4
    )
    for width, cls, r, age in (
        (64, i.JMP, "r", {}),
        (32, i.JMP32, "w", {"cpu": 3, "since": "5.1"}),
    ):
        dst, src = f"{r}{{dst}}", f"{r}{{src}}"
        for bit, operand, fields in ((i.X, src, _FROM_REG), (i.K, "{hex}", _FROM_IMM)):
            for name, (code, sign, more) in _COMPARISONS.items():
                label = f"{name}{width}_{fields['source']}"
                text = f"if {dst} {sign} {operand} goto {{jump}}"
                given: Fields = {"width": width, "dst": "r", "off": "jump"} | fields | more | age
                yield Form(label, "jump", name, cls | code | bit, text, **given)


def _calls() -> Iterator[Form]:
    """llvm-objdump writes each kind of call as a bare number."""
    op, number = i.JMP | i.CALL, "call {id}"
    rows: tuple[tuple[str, int, str, str, tuple[str, ...], Fields], ...] = (
        ("helper", i.HELPER_CALL, "3.18", "call {helper}#{id}", (number,), {"imm": "id"}),
        (
            "local", i.PSEUDO_CALL, "4.16", "call {callee}", (number, "call {callee}#{note}"),
            {"imm": "jump"},
        ),
        (
            "kfunc", i.PSEUDO_KFUNC_CALL, "5.13", "call kfunc{kfunc?}{module?}",
            (
                number, "call kfunc#{id}", "call kfunc#{id} module {module}",
                "call kernel-function#{id}", "call kfunc[{kfunc}]",
            ),
            {"imm": "id", "off": "btf"},
        ),
    )  # fmt: skip
    for name, src, since, text, aliases, roles in rows:
        fields: Fields = {"src": src, "since": since, "aliases": aliases, **roles}
        yield Form(f"call_{name}", "call", name, op, text, **fields)
    yield Form("callx", "call", "register", op | i.X, "callx r{dst}", dst="r", since="")
    yield Form("exit", "exit", "exit", i.JMP | i.EXIT, "exit")


def _wide_loads() -> Iterator[Form]:
    fd, by_id = "map[fd:{id}]", "map[id:{id}]"
    whole: Fields = {"imm": "id"}
    value: Fields = {"imm": "id", "high": "offset"}
    rows: tuple[tuple[str, int, str, str, tuple[str, ...], Fields], ...] = (
        ("imm", 0, "3.18", "{imm64} ll", ("{imm64}",), {"imm": "imm", "high": "imm"}),
        ("map_fd", i.PSEUDO_MAP_FD, "3.18", "map[{map}]", (fd, by_id), whole),
        (
            "map_value", i.PSEUDO_MAP_VALUE, "5.2", "map[{map}][0]{high}",
            (f"{fd}[0]{{high}}", f"{by_id}[0]{{high}}"), value,
        ),
        (
            "btf_id", i.PSEUDO_BTF_ID, "5.10", "btf[id:{id}]{high}",
            ("btf[id:{id}]", "btf[{ksym}]"), {"imm": "id", "high": "btf"},
        ),
        ("func", i.PSEUDO_FUNC, "5.13", "subprog[{func}]", (), {"imm": "jump", "high": "any"}),
        ("map_idx", i.PSEUDO_MAP_IDX, "5.14", "map[idx:{id}]", (), whole),
        ("map_idx_value", i.PSEUDO_MAP_IDX_VALUE, "5.14", "map[idx:{id}][0]{high}", (), value),
    )  # fmt: skip
    for name, src, since, text, aliases, roles in rows:
        fields = {"source": "imm", "dst": "w", "src": src, "since": since, **roles}
        text, *more = (f"r{{dst}} = {each}" for each in (text, *aliases))
        more += [f"ld_pseudo r{{dst}}, {src}, {{id}}"] if src else []  # LLVM's
        yield Form(f"lddw_{name}", "imm64", name, i.LDDW, text, aliases=tuple(more), **fields)


def _all() -> Iterator[Form]:
    yield from _arithmetic()
    yield from _byte_order()
    yield from _pointer_moves()
    yield from _memory()
    yield from _packet()
    yield from _atomic()
    yield from _ordered()
    yield from _jumps()
    yield from _calls()
    yield from _wide_loads()
    yield Form("nospec", "barrier", "nospec", i.ST | 0xC0, "nospec", since="")


FORMS: tuple[Form, ...] = tuple(_all())
BY_NAME: dict[str, Form] = {form.name: form for form in FORMS}


def _distinguishing(forms: list[Form]) -> int:
    """The index in Insn of the field that tells forms of one opcode apart; op itself for one."""
    if len(forms) == 1:
        return 0
    for name in ("src", "off", "imm"):
        values = {getattr(form, name) for form in forms}
        if len(values) == len(forms) and all(isinstance(value, int) for value in values):
            return Insn._fields.index(name)
    raise AssertionError(f"no field tells these forms apart: {[form.name for form in forms]}")


def _index() -> tuple[dict[int, int], dict[tuple[int, int], Form]]:
    """The distinguishing field of each opcode, and the forms by opcode and that field's value."""
    groups: dict[int, list[Form]] = {}
    for form in FORMS:
        groups.setdefault(form.op, []).append(form)
    fields = {op: _distinguishing(forms) for op, forms in groups.items()}
    return fields, {(f.op, getattr(f, Insn._fields[fields[f.op]])): f for f in FORMS}


_SELECTOR, _FOUND = _index()
OPCODES = frozenset(_SELECTOR)


def form_of(insn: Insn) -> Form | None:
    """The form of an instruction, None when there is none. Operands are not looked at: `check`."""
    field = _SELECTOR.get(insn[0])
    return None if field is None else _FOUND.get((insn[0], insn[field]))


def make(name: str, dst: int = 0, src: int = 0, off: int = 0, imm: int = 0) -> Insn:
    """An instruction by the name of its form. Fields that the form fixes need not be given.

    Raises AsmError when such a field is given another value.
    """
    form, fields = BY_NAME[name], [dst, src, off, imm]
    for k, role in enumerate((form.dst, form.src, form.off, form.imm)):
        if isinstance(role, int):
            if fields[k] not in (0, role):
                raise AsmError(f"{name} has no {Insn._fields[k + 1]} to set to {fields[k]}")
            fields[k] = role
    return Insn(form.op, *fields)
