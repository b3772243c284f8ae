"""The assembler: spellings, labels, symbols, pasted dumps, and its errors."""

import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ebee import isa
from ebee.isa import FORMS, Insn, SourceError

pytestmark = pytest.mark.unit


def one(text: str, **options: object) -> Insn:
    (slot,) = isa.assemble(text, **options)  # type: ignore[arg-type]
    return slot


@pytest.mark.parametrize(
    ("llvm", "kernel"),
    [
        ("r1 = *(u32 *)(r2 - 0x8)", "r1 = *(u32 *)(r2 -8)"),
        ("w1 = *(u32 *)(r2 + 8)", "r1 = *(u32 *)(r2 +8)"),
        ("*(u16 *)(r2+8) = w3", "*(u16 *)(r2 +8) = r3"),
        ("lock *(u32 *)(r1 + 0x4) += w2", "lock *(u32 *)(r1 +4) += r2"),
        ("w2 = atomic_fetch_or((u32 *)(r1 + 4), w2)", "r2 = atomic_fetch_or((u32 *)(r1 +4), r2)"),
        ("r2 = atomic_fetch_or((u64 *)(r1 + 4), r2)", "r2 = atomic64_fetch_or((u64 *)(r1 +4), r2)"),
        ("r1 = xchg_64(r2 + 8, r1)", "r1 = atomic64_xchg((u64 *)(r2 +8), r1)"),
        ("w1 = xchg32_32(r2 + 8, w1)", "r1 = atomic_xchg((u32 *)(r2 +8), r1)"),
        ("r0 = cmpxchg_64(r2 + 8, r0, r1)", "r0 = atomic64_cmpxchg((u64 *)(r2 +8), r0, r1)"),
        ("w0 = cmpxchg32_32(r2 + 8, w0, w1)", "r0 = atomic_cmpxchg((u32 *)(r2 +8), r0, r1)"),
        ("w0 = load_acquire((u8 *)(r2 + 8))", "r0 = load_acquire((u8 *)(r2 +8))"),
        ("store_release((u8 *)(r2 + 8), w1)", "store_release((u8 *)(r2 +8), r1)"),
        ("r1 = addr_space_cast(r2, 0x1, 0x0)", "r1 = addr_space_cast(r2, 1, 0)"),
        ("r0 = *(u8 *)skb[r1]", "r0 = *(u8 *)skb[r1 + 0]"),
        ("goto +0x1b <f+0x118>", "goto pc+27"),
        ("if r1 == -0x1 goto -2", "if r1 == 0xffffffff goto pc-2"),
        ("gotol +5", "gotol pc+5"),
        ("may_goto +3", "may_goto pc+3"),
        ("call 0x5", "call unknown#5"),
        ("r1=5", "r1 = 5"),
        ("w1 = 0xffffffff", "w1 = -1"),
        ("r1 += - 5", "r1 += -5"),
    ],
)
def test_llvm_spelling_means_the_same(llvm: str, kernel: str) -> None:
    assert isa.assemble(llvm) == isa.assemble(kernel)
    assert isa.text_of(one(llvm)) == kernel


class TestSource:
    def test_labels_and_comments(self) -> None:
        program = isa.assemble(
            """
            ; a line of source, as dumps show it
            start: r0 = 10      // count
            loop:  r0 += -1     # down
            if r0 != 0 goto loop; r1 = 1 ll
            goto out /* over
            two lines */
            gotol start
            out: exit
            """
        )
        assert [(slot.off, slot.imm) for slot in program] == [
            *[(0, 10), (0, -1), (-2, 0), (0, 1), (0, 0), (1, 0), (0, -7), (0, 0)]
        ]

    def test_symbols_with_values(self) -> None:
        symbols = {"SIZE": 40, "flows": 7, "jiffies": 99, "bpf_obj_drop": 1234, "MASK": 1 << 40}
        program = isa.assemble(
            "r1 = SIZE; r1 = map[flows]; r1 = map[flows][0]+8; r1 = btf[jiffies]; r2 = MASK ll\n"
            "call kfunc[bpf_obj_drop]; if w1 > SIZE goto +0; *(u8 *)(r1 +0) = SIZE",
            symbols,
        )
        assert isa.text_of(*program[3:5]) == "r1 = map[fd:7][0]+8"
        assert isa.text_of(*program[5:7]) == "r1 = btf[id:99]+0"
        assert [program[k].imm for k in (0, 1, 9, 10, 11)] == [40, 7, 1234, 40, 40]
        assert isa.imm64(*program[7:9]) == 1 << 40

    def test_symbols_without_values_are_references(self) -> None:
        done = isa.parse(
            "call other\nr1 = map[m]\nr1 = map[.data][0]+16\nr1 = btf[jiffies]\n"
            "r1 = subprog[callback]\ncall kfunc[bpf_x]"
        )
        assert [tuple(reference) for reference in done.references] == [
            (0, "call", "other", 0),
            (1, "map", "m", 0),
            (3, "data", ".data", 16),
            (5, "ksym", "jiffies", 0),
            (7, "func", "callback", 0),
            (9, "kfunc", "bpf_x", 0),
        ]
        assert done.lines == {0: 1, 1: 2, 3: 3, 5: 4, 7: 5, 9: 6}

    def test_calls_by_name(self) -> None:
        helper_id = {"bpf_ktime_get_ns": 5}.get
        program = isa.assemble(
            "call bpf_ktime_get_ns; call f; exit; f: call bpf_ktime_get_ns#5; exit",
            helper_id=helper_id,
        )
        assert program[0] == program[3] == isa.make("call_helper", imm=5)
        assert program[1] == isa.make("call_local", imm=1)

    @pytest.mark.parametrize("text", ["", "\n\n", "  // nothing", "/* */", ";"])
    def test_nothing_assembles_to_nothing(self, text: str) -> None:
        assert isa.assemble(text) == []


class TestDumps:
    def test_kernel_log(self) -> None:
        program = isa.assemble(
            """
            ; int k = 1; @ x.c:3
            5: (18) r1 = 0x2000000001    ; R1_w=0x2000000001
            7: (15) if r1 == 0x0 goto pc+1 ; R1_w=scalar(); frame
            8: (85) call pc+1#bpf_prog_f
            9: (95) exit
            """
        )
        assert isa.imm64(*program[:2]) == 0x2000000001
        assert program[3] == isa.make("call_local", imm=1)

    def test_llvm_objdump(self) -> None:
        done = isa.parse(
            "a.o:\tfile format elf64-bpf\n\nDisassembly of section xdp:\n\n"
            "0000000000000000 <f>:\n"
            "       0:\t18 01 00 00 05 00 00 00 00 00 00 00 00 00 00 00\tr1 = 0x5 ll\n"
            "       2:\t85 10 00 00 05 00 00 00\tcall 0x5\n"
            "       3:\te5 00 01 00 00 00 00 00\t<unknown>\n"
            "0000000000000020 <g>:\n"
            "       4:\t95 00 00 00 00 00 00 00\texit\n"
        )
        assert done.insns[2] == isa.make("call_local", imm=5)
        assert done.insns[3] == isa.make("may_goto", off=1)
        assert done.labels == {"f": 0, "g": 4}

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("0: (b7) r1 = r2", "other bytes"),
            ("0: b7 01 00 00 02 00 00 00\tr1 = 3", "other bytes"),
            ("0: 85 20 00 00 02 00 00 00\tcall 0x3", "other bytes"),
            ("0: (b7) r1 = 2\n2: (95) exit", "goes on with 2 where 1 must follow"),
        ],
    )
    def test_a_dump_that_contradicts_itself(self, text: str, message: str) -> None:
        with pytest.raises(SourceError, match=message):
            isa.assemble(text)


@pytest.mark.parametrize(
    ("text", "line", "column", "message"),
    [
        ("exit\nfoo r1", 2, 1, "there is no instruction that begins with 'foo'"),
        ("r1 = w2", 1, 6, "cannot be mixed"),
        ("r1 = *(u64 *)(r2 *8)", 1, 18, "unexpected '*'; here can stand a number"),
        ("if r1 >", 1, 8, "ends too early"),
        ("r1 = -r2", 1, 7, "here can stand 'r1'"),
        ("r1 = r2 r3", 1, 9, "unexpected 'r3'"),
        ("r1 = $", 1, 6, "unexpected '$'"),
        ("r11 = 0", 1, 1, "no register r11"),
        ("r10 = 0", 1, 1, "read-only"),
        ("r1 = 0xffffffff", 1, 6, "rN = VALUE ll"),
        ("w1 = 0x100000000", 1, 6, "does not fit"),
        ("r1 = 0x10000000000000000 ll", 1, 6, "does not fit"),
        ("goto +40000", 1, 6, "does not fit"),
        ("*(u8 *)(r1 -32769) = 0", 1, 12, "does not fit"),
        ("r1 = addr_space_cast(r2, 1, 1)", 1, 1, "address spaces"),
        ("goto out", 1, 6, "there is no label 'out'"),
        ("a: exit\na: exit", 2, 1, "already in use"),
        ("r1: exit", 1, 1, "a register cannot be a label"),
        ("r1 = SIZE", 1, 6, "'SIZE' has no value"),
        ("\n\n  exit; exit; r1 = ", 3, 19, "ends too early"),
        ("  call bpf_loop#1", 1, 8, "bpf_loop is helper 181, not 1"),
        ("call bpf_nope#1", 1, 6, "kfunc#ID"),
        ("r1 = " + "9" * 5000, 1, 6, "unexpected"),
        (".insn 256, 0, 0, 0, 0", 1, 7, "does not fit"),
    ],
)
def test_errors_show_the_place(text: str, line: int, column: int, message: str) -> None:
    with pytest.raises(SourceError) as caught:
        isa.assemble(text, helper_id={"bpf_loop": 181}.get, name="a.s")
    error = caught.value
    assert (error.line, error.column) == (line, column)
    assert error.summary.startswith(f"a.s:{line}:{column}: ")
    assert message in error.summary
    shown, caret = str(error).splitlines()[1:]
    assert shown == "    " + text.splitlines()[line - 1]
    assert caret == " " * (column + 3) + "^"


def test_a_label_too_far_away() -> None:
    far = "goto out\n" + "r0 = 0\n" * 32768 + "out: exit"
    with pytest.raises(SourceError, match="gotol goes further"):
        isa.assemble(far)
    assert isa.assemble(far.replace("goto", "gotol"))[0].imm == 32768


def test_a_name_that_nothing_resolves() -> None:
    with pytest.raises(SourceError, match=r"a\.s:2: there is no map named 'm'"):
        isa.assemble("exit\nr1 = map[m]", name="a.s")


WORDS = [word for form in FORMS for word in form.text.replace("{", " ").split()]


@settings(deadline=None)
@given(
    st.text(max_size=40)
    | st.text(string.printable, max_size=40)
    | st.lists(st.sampled_from(WORDS), max_size=8).map(" ".join)
)
def test_no_text_raises_anything_else(text: str) -> None:
    try:
        isa.assemble(text)
    except SourceError as error:
        assert error.summary.startswith("<asm>:")  # noqa: PT017
