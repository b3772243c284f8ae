"""The running kernel's verifier on what a legal instruction is, how it is spelled, what it does."""

import re
import struct

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from ebee import isa
from ebee.errors import KernelError
from ebee.isa import FORMS, Form, Insn
from ebee.isa.semantics import ALU, ATOMIC, JUMP, compare_exchange
from ebee.linux.host import kernel_version
from ebee.linux.programs import LinuxProgram
from ebee.linux.sys import call

pytestmark = pytest.mark.kernel

S32 = (-(1 << 31), (1 << 31) - 1)
SETTINGS = settings(max_examples=400, deadline=None)

# Every register holds something; the instruction in question is skipped on one path, so that
# what follows it is reachable even when it is an exit.
BEFORE = isa.assemble(
    "r6 = r1; r0 = *(u32 *)(r1 +0); r1 = 1; r2 = 2; r3 = 3; r4 = 4; r5 = 5; r7 = 7; r8 = 8; r9 = 9"
)
AFTER = isa.assemble("r0 = 0\n" * 40 + "exit")

# What the verifier says of instructions that are malformed whatever the registers hold
MALFORMED = re.compile(
    r"reserved fields|unknown opcode|R\d+ is invalid|frame pointer is read only|"
    r"invalid atomic op|ld_imm64 insn$|can only convert between|invalid BPF_\w+ opcode|"
    r"invalid may_goto|negative offset disallowed",
    re.MULTILINE,
)
# What it finds before it comes to that
EARLIER = re.compile(
    r"jump out of range|invalid destination|last insn is not|back-edge|is not a function|"
    r"fd \S+ is not|fd_array|fd_idx|invalid shift|div by zero|pointer arithmetic prohibited|"
    r"misaligned|invalid .*stack|associated arena"
)


def supported(form: Form) -> bool:
    major, minor = (int(part) for part in (form.since or "99.0").split("."))
    return kernel_version()[:2] >= (major, minor)


def verifier_log(*slots: Insn) -> str:
    """The log of a program around these slots, accepted or not."""
    branch = isa.make("jne64_imm", off=len(slots), imm=77)
    try:
        program = LinuxProgram.load([*BEFORE, branch, *slots, *AFTER], "socket_filter", log_level=2)
    except KernelError as error:
        return str(getattr(error, "log", "") or error)
    program.close()
    return program.log


small = st.integers(0, 15) | st.sampled_from([0, 1, 2, 10])
slots = st.builds(
    Insn,
    st.sampled_from(sorted({form.op for form in FORMS})) | st.integers(0, 255),
    small,
    small,
    st.sampled_from([0, 0, 0, 1, 8, 16, 32, -1]),
    st.sampled_from([0, 0, 1, 16, 32, 64, 0x100, 0x110, 0xE1, 0xF1, 0x41, 1 << 16, -5]),
)


@SETTINGS
@given(slots, slots | st.just(Insn(0)))
@example(Insn(0x18, 1, 1, 0, 0), Insn(0, imm=1))
@example(Insn(0xBF, 1, 2, -1, 0), Insn(0))
def test_the_kernel_agrees_on_what_is_malformed(slot: Insn, second: Insn) -> None:
    form = isa.form_of(slot)
    assume(form is None or not form.since or supported(form))
    assume(slot.op != 0x95 or not slot.off)  # Linux does not look at it; RFC 9669 reserves it
    wide = [second] if slot.op == 0x18 else []
    ours = isa.check(slot, *wide)
    log = verifier_log(slot, *wide)
    theirs = MALFORMED.search(log)
    assume(theirs or not EARLIER.search(log))
    assert bool(ours) == bool(theirs), (slot, wide, ours, log)


def kernel_text(log: str, op: int) -> str | None:
    """The text of the slot after BEFORE in a verifier log."""
    found = re.search(rf"^{len(BEFORE) + 1}: \({op:02x}\) ([^;\n]*)", log, re.MULTILINE)
    return found and found[1].strip()


def normal(text: str) -> str:
    """The differences to the kernel's spelling, all of them: ` ll`; helper names; and pointers,
    of which the kernel prints the descriptor as a number."""
    text = re.sub(r"call \w+#", "call #", text.removesuffix(" ll"))
    return re.sub(r"map\[fd:(-?\d+)\]", lambda m: f"{int(m[1]) & 0xFFFFFFFF:#x}", text)


# The others are refused before anything is printed, unless what they refer to is there.
SPELLED = [
    form
    for form in FORMS
    if supported(form)
    and (form.kind != "imm64" or form.name == "lddw_imm")
    and form.name not in ("call_local", "call_kfunc", "exit")
]


@pytest.mark.parametrize("form", SPELLED, ids=lambda form: form.name)
@settings(max_examples=5, deadline=None)
@given(data=st.data())
def test_the_kernel_spells_it_the_same(form: Form, data: st.DataObject) -> None:
    draws: dict[str, st.SearchStrategy[int]] = {
        **dict.fromkeys(("imm", "high"), st.integers(*S32)),
        "r": st.integers(1, 9),
        "w": st.integers(1, 5),
        "rw": st.integers(1, 5),
        "mem": st.integers(-512, 512),
        "jump": st.just(0),
        "id": st.integers(1 << 20, 1 << 30),
        "space": st.sampled_from([1, 1 << 16]),
    }
    roles = (form.dst, form.src, form.off, form.imm)
    slot = Insn(form.op, *(r if isinstance(r, int) else data.draw(draws[r]) for r in roles))
    second = [Insn(0, imm=data.draw(draws["imm"]))] if form.wide else []
    theirs = kernel_text(verifier_log(slot, *second), form.op)
    assert theirs is not None, verifier_log(slot, *second)
    assert normal(theirs) == normal(isa.text_of(slot, *second))


# ---- what operations mean: one program does them all, on values from its context

FORMS_ALU = [f for f in FORMS if f.kind == "alu" and f.since and f.source != "imm" and
             f.operation in ALU[f.width] and supported(f)]  # fmt: skip
FORMS_JUMP = [f for f in FORMS if f.kind == "jump" and f.source == "reg" and supported(f)]
FORMS_ATOMIC = [f for f in FORMS if f.kind == "atomic" and f.operation in
                (*ATOMIC[64], "cmpxchg") and supported(f)]  # fmt: skip
FIRST = 24  # of the results in the context: after a, b and c


def load_all_operations() -> LinuxProgram:
    """A program that reads a, b, c from its context and writes a result of each form after them."""
    code, at = ["r6 = r1"], FIRST
    operands = "r1 = *(u64 *)(r6 +0); r2 = *(u64 *)(r6 +8)"
    for form in FORMS_ALU:
        slot = isa.make(form.name, 1, 2 if form.source else 0)
        code += [operands, isa.text_of(slot), f"*(u64 *)(r6 +{at}) = r1"]
        at += 8
    for form in FORMS_JUMP:
        slot = isa.make(form.name, 1, 2, 1)
        code += [operands, "r3 = 1", isa.text_of(slot), "r3 = 0", f"*(u64 *)(r6 +{at}) = r3"]
        at += 8
    for form in FORMS_ATOMIC:
        slot = isa.make(form.name, 10, 2, -8)
        code += [operands, "r0 = *(u64 *)(r6 +16)", "*(u64 *)(r10 -8) = r1", isa.text_of(slot)]
        code += ["r1 = *(u64 *)(r10 -8)"]
        code += [f"*(u64 *)(r6 +{at + 8 * k}) = r{r}" for k, r in enumerate((1, 2, 0))]
        at += 24
    program = isa.assemble("\n".join([*code, "r0 = 0; exit"]))
    return LinuxProgram.load(program, "syscall", flags=1 << 4)  # BPF_F_SLEEPABLE


@pytest.fixture(scope="module")
def kernel():
    with load_all_operations() as program:
        yield program


def expected(a: int, b: int, c: int) -> list[int]:
    results = [ALU[form.width][form.operation](a, b) for form in FORMS_ALU]
    results += [int(JUMP[form.width][form.operation](a, b)) for form in FORMS_JUMP]
    for form in FORMS_ATOMIC:
        mask = (1 << form.width) - 1
        src, r0 = b, c
        if form.operation == "cmpxchg":
            new, r0 = compare_exchange(a, c, b, form.width), a & mask
        else:
            new = ATOMIC[form.width][form.operation](a, b)
            src = a & mask if form.src == "rw" else b
        results += [a & ~mask | new, src, r0]
    return results


edges = [0, 1, 2, 7, 31, 32, 63, 64, 0x7F, 0x80, 0x7FFF, 0x8000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF]
edges += [edge << 32 for edge in edges[1:]] + [(1 << 64) - 1 - edge for edge in edges]
values = st.sampled_from([edge % (1 << 64) for edge in edges]) | st.integers(0, (1 << 64) - 1)


@settings(max_examples=500, deadline=None)
@given(values, values, values | st.none())
def test_operations_mean_what_they_do_in_the_kernel(
    kernel: LinuxProgram, a: int, b: int, c: int | None
) -> None:
    c = a if c is None else c
    count = len(FORMS_ALU) + len(FORMS_JUMP) + 3 * len(FORMS_ATOMIC)
    context = bytearray(struct.pack(f"<3Q{8 * count}x", a, b, c))
    call("PROG_TEST_RUN", prog_fd=kernel.fd, ctx_in=context, ctx_size_in=len(context))
    result = struct.unpack_from(f"<{count}Q", context, FIRST)
    assert list(result) == expected(a, b, c)
