"""The instruction table and what reads it: bytes, text, checks, flow facts."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ebee import isa
from ebee.errors import AsmError
from ebee.isa import BY_NAME, FORMS, Form, Insn, insn
from ebee.isa.disasm import OPERANDS
from ebee.isa.flow import access, reads, successors, target, writes

pytestmark = pytest.mark.unit

S16, S32 = (-(1 << 15), (1 << 15) - 1), (-(1 << 31), (1 << 31) - 1)
EDGES = st.sampled_from([0, 1, -1, 7, -8, S32[0], S32[1]])
IMMEDIATES = EDGES | st.integers(*S32)
OFFSETS = st.sampled_from([0, 1, -1, *S16]) | st.integers(*S16)
ROLES = {
    "mem": OFFSETS,
    "jump": OFFSETS,
    "btf": st.integers(0, S16[1]),
    "imm": IMMEDIATES,
    "id": IMMEDIATES,
    "space": st.sampled_from([1, 1 << 16]),
    "offset": IMMEDIATES,
    "any": st.just(0),
    "r": st.integers(0, 10),
    "w": st.integers(0, 9),
    "rw": st.integers(0, 9),
}
LEGAL = [form for form in FORMS if form.since]


@st.composite
def instructions(draw: st.DrawFn, forms: list[Form] = LEGAL) -> list[Insn]:
    """Any legal instruction: one slot, or two."""
    form = draw(st.sampled_from(forms))
    roles = (form.dst, form.src, form.off, form.imm)
    fields = [role if isinstance(role, int) else draw(ROLES[role]) for role in roles]
    slots = [Insn(form.op, *fields)]
    if form.wide:
        slots.append(Insn(0, imm=form.high if form.high == 0 else draw(ROLES[form.high])))
    return slots


class TestTable:
    def test_names_are_unique(self) -> None:
        assert len(BY_NAME) == len(FORMS)

    def test_every_form_is_found_by_its_own_fields(self) -> None:
        for form in FORMS:
            assert isa.form_of(isa.make(form.name)) is form

    def test_operands_in_texts_are_known(self) -> None:
        for form in FORMS:
            form.text.format_map(dict.fromkeys(OPERANDS, 0))

    @pytest.mark.parametrize("op", range(256))
    def test_an_opcode_that_is_not_in_the_table_is_refused(self, op: int) -> None:
        known = {form.op for form in LEGAL}
        second = Insn(0) if op == insn.LDDW else None
        checks = [
            isa.check(Insn(op, 0, src, off, imm), second)
            for src in (0, 1)
            for off in (0, 1)
            for imm in (0, 1, 16, insn.LOAD_ACQ)
        ]
        assert (None in checks) == (op in known)

    def test_make_refuses_a_field_that_the_form_fixes(self) -> None:
        with pytest.raises(AsmError, match="src"):
            isa.make("exit", src=1)


class TestBytes:
    def test_known_encodings(self) -> None:
        # From llvm-mc: r1 = *(u64 *)(r10 - 8); lddw -1; on big endian the nibbles swap places
        assert isa.encode([Insn(0x79, 1, 10, -8)]).hex() == "79a1f8ff00000000"
        assert isa.encode(isa.lddw(1, -1)).hex() == "18010000ffffffff00000000ffffffff"
        assert isa.encode([Insn(0x8D, 3)], "big").hex() == "8d30000000000000"
        assert isa.encode([Insn(0xE5, off=3)], "big").hex() == "e500000300000000"

    @settings(deadline=None)
    @given(st.lists(st.binary(min_size=8, max_size=8)), st.sampled_from(["little", "big"]))
    def test_decoding_and_encoding_are_inverse(self, slots: list[bytes], endian: str) -> None:
        data = b"".join(slots)
        assert isa.encode(isa.decode(data, endian), endian) == data

    def test_a_cut_slot_is_an_error(self) -> None:
        with pytest.raises(AsmError, match="only 3"):
            isa.decode(bytes(11))

    @pytest.mark.parametrize(
        "bad", [Insn(256), Insn(0, 16), Insn(0, -1), Insn(0, off=1 << 15), Insn(0, imm=1 << 31)]
    )
    def test_a_field_that_does_not_fit_is_an_error(self, bad: Insn) -> None:
        with pytest.raises(AsmError, match="instruction 1"):
            isa.encode([Insn(0x95), bad])

    @settings(deadline=None)
    @given(st.integers(-(1 << 63), (1 << 64) - 1))
    def test_wide_immediates(self, value: int) -> None:
        assert insn.imm64(*isa.lddw(3, value)) == value % (1 << 64)


class TestText:
    @settings(deadline=None)
    @given(instructions())
    def test_text_assembles_to_the_same_instruction(self, slots: list[Insn]) -> None:
        assert isa.assemble(isa.text_of(*slots)) == slots

    @settings(deadline=None)
    @given(instructions(list(FORMS)))
    def test_a_listing_with_opcodes_assembles_again(self, slots: list[Insn]) -> None:
        assert isa.assemble(isa.listing(slots)) == slots
        assert isa.assemble(isa.listing(slots, raw=True)) == slots

    @settings(deadline=None)
    @given(st.builds(Insn, st.integers(0, 255), *[st.integers(0, 15)] * 2, OFFSETS, IMMEDIATES))
    def test_any_slot_at_all_has_a_text(self, slot: Insn) -> None:
        text = isa.text_of(slot)
        assert isa.assemble(text)[0] == slot

    def test_names(self) -> None:
        program = isa.assemble(
            "r1 = map[fd:5]; call 1; if r0 == 0 goto +1; call kfunc#7; call pc+0; exit"
        )
        names = isa.Names(
            helper={1: "bpf_map_lookup_elem"}.get,
            kfunc={7: "bpf_rdonly_cast"}.get,
            map={5: "flows"}.get,
            labels={6: "out"},
        )
        assert [line.text for line in isa.disassemble(program, names)] == [
            "r1 = map[flows]",
            "call bpf_map_lookup_elem#1",
            "if r0 == 0x0 goto pc+1",
            "call kfunc[bpf_rdonly_cast]",
            "call out",
            "exit",
        ]

    @settings(deadline=None)
    @given(st.lists(instructions(), min_size=1, max_size=8))
    def test_a_listing_with_labels_assembles_again(self, parts: list[list[Insn]]) -> None:
        program = [slot for part in parts for slot in part]
        names = isa.Names(labels=isa.auto_labels(program))
        text = isa.listing(program, names, index=False)
        assert isa.assemble(text) == program


def test_a_dump_of_the_kernel_gets_its_distances_back() -> None:
    dumped = [Insn(0x85, 0, 1, 54, 1), Insn(0x18, 2, 4, 0, 60), Insn(0, imm=2), Insn(0x95)]
    assert isa.from_dump(dumped) == isa.assemble("call pc+54; r2 = subprog[+60]; exit")


class TestChecks:
    @settings(deadline=None)
    @given(instructions())
    def test_legal_instructions_pass(self, slots: list[Insn]) -> None:
        assert isa.check(*slots) is None

    @pytest.mark.parametrize("form", LEGAL, ids=lambda form: form.name)
    def test_reserved_fields_must_be_zero(self, form: Form) -> None:
        good = isa.make(form.name, imm=1 if form.imm == "space" else 0)
        second = Insn(0) if form.wide else None
        assert isa.check(good, second) is None
        for field in ("dst", "src", "off", "imm"):
            if isinstance(getattr(form, field), int):
                bad = good._replace(**{field: 15 if field in ("dst", "src") else 0x7777})
                assert isa.check(bad, second)

    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            (".insn 0xff, 0, 0, 0, 0", "unknown opcode 0xff"),
            (".insn 0x85, 0, 3, 0, 0", "does not exist with src=3"),
            (".insn 0xdb, 0, 0, 0, 2", "does not exist with"),
            (".insn 0xb7, 11, 0, 0, 0", "no register r11"),
            (".insn 0xb7, 10, 0, 0, 0", "read-only"),
            (".insn 0xdb, 1, 10, 0, 1", "read-only"),
            (".insn 0x18, 1, 0, 0, 0", "second slot"),
            (".insn 0x18, 1, 0, 0, 0; exit", "second slot"),
            (".insn 0x18, 1, 1, 0, 0; .insn 0, 0, 0, 0, 1", "upper immediate"),
            (".insn 0xbf, 1, 1, 1, 3", "address spaces"),
            (".insn 0x8d, 1, 0, 0, 0", "no instruction that Linux takes"),
        ],
    )
    def test_reasons(self, text: str, reason: str) -> None:
        answer = isa.check(*isa.assemble(text)[:2])
        assert answer
        assert reason in answer

    @pytest.mark.parametrize(
        ("text", "faults"),
        [
            ("r0 = 0; exit", []),
            ("", [(0, "no instructions")]),
            ("r0 = 0", [(0, "off the end")]),
            ("if r0 == 0 goto -1", [(0, "off the end")]),
            ("goto -2; exit", [(0, "outside")]),
            ("goto +1; exit", [(0, "outside")]),
            ("goto +1; r0 = 0 ll; exit", [(0, "middle")]),
            ("call pc+1; exit", [(0, "outside")]),
            ("r0 = 0 ll; exit", []),
            ("exit; .insn 24, 0, 0, 0, 0", [(1, "off the end"), (1, "second slot")]),
            ("r1 = subprog[+0]; exit; exit", [(0, "middle")]),
        ],
    )
    def test_programs(self, text: str, faults: list[tuple[int, str]]) -> None:
        found = isa.check_program(isa.assemble(text))
        assert len(found) == len(faults)
        for fault, (slot, reason) in zip(found, faults, strict=True):
            assert fault.slot == slot
            assert reason in fault.reason


def bits(*registers: int) -> int:
    return sum(1 << register for register in registers)


class TestFlow:
    @pytest.mark.parametrize(
        ("text", "read", "written"),
        [
            ("r1 = r2", [2], [1]),
            ("r1 += r2", [1, 2], [1]),
            ("r1 = -r1", [1], [1]),
            ("w3 = 5", [], [3]),
            ("r3 = 5 ll", [], [3]),
            ("r1 = *(u8 *)(r2 +0)", [2], [1]),
            ("*(u8 *)(r1 +0) = r2", [1, 2], []),
            ("*(u8 *)(r1 +0) = 2", [1], []),
            ("lock *(u64 *)(r1 +0) += r2", [1, 2], []),
            ("r2 = atomic64_fetch_add((u64 *)(r1 +0), r2)", [1, 2], [2]),
            ("r0 = atomic64_cmpxchg((u64 *)(r1 +0), r0, r2)", [0, 1, 2], [0]),
            ("r1 = load_acquire((u64 *)(r2 +0))", [2], [1]),
            ("store_release((u64 *)(r1 +0), r2)", [1, 2], []),
            ("r0 = *(u16 *)skb[2]", [6], [0, 1, 2, 3, 4, 5]),
            ("r0 = *(u16 *)skb[r7 + 2]", [6, 7], [0, 1, 2, 3, 4, 5]),
            ("if r1 == r2 goto +0", [1, 2], []),
            ("call 1", [1, 2, 3, 4, 5], [0, 1, 2, 3, 4, 5]),
            ("exit", [0], []),
            ("goto +0", [], []),
            ("gotox r4", [4], []),
        ],
    )
    def test_registers(self, text: str, read: list[int], written: list[int]) -> None:
        slot = isa.assemble(text)[0]
        assert (reads(slot), writes(slot)) == (bits(*read), bits(*written))

    @pytest.mark.parametrize(
        ("text", "following"),
        [
            ("r0 = 0", (11,)),
            ("r0 = 0 ll", (12,)),
            ("goto +3", (14,)),
            ("gotol -3", (8,)),
            ("if r0 == 0 goto +3", (11, 14)),
            ("may_goto +3", (11, 14)),
            ("call pc+5", (11,)),
            ("exit", ()),
            ("gotox r1", ()),
        ],
    )
    def test_successors(self, text: str, following: tuple[int, ...]) -> None:
        assert successors(isa.assemble(text)[0], 10) == following

    def test_targets(self) -> None:
        assert target(isa.assemble("call pc+5")[0], 10) == 16
        assert target(isa.assemble("call 5")[0], 10) is None
        assert target(isa.assemble("r1 = subprog[-3]")[0], 10) == 8

    def test_accesses(self) -> None:
        assert access(isa.assemble("r1 = *(s16 *)(r2 -4)")[0]) == (2, -4, 2, True, True, False)
        assert access(isa.assemble("lock *(u32 *)(r3 +4) += r2")[0]) == (3, 4, 4, False, True, True)
        release = isa.assemble("store_release((u8 *)(r3 +4), r2)")[0]
        assert access(release) == (3, 4, 1, False, False, True)
        assert access(isa.assemble("r0 = *(u8 *)skb[0]")[0]) is None

    def test_what_is_no_instruction_is_an_error(self) -> None:
        with pytest.raises(AsmError, match="no eBPF instruction"):
            reads(Insn(0xFF))
