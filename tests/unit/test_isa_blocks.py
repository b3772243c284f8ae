"""The flow of control of programs: blocks, ways, drawings."""

import pytest

from ebee.isa import Insn, assemble, parse
from ebee.isa.blocks import Block, blocks, dot
from ebee.isa.disasm import Names, auto_labels, disassemble

pytestmark = pytest.mark.unit


def test_straight_code_is_one_block():
    assert blocks(assemble("r0 = 1; r0 += 1; exit")) == [Block(0, 3, ())]


def test_jumps_and_their_targets_bound_blocks():
    code = parse("r0 = 0; if r1 == 0 goto out; r0 = 7 ll\nout: exit").insns
    assert blocks(code) == [Block(0, 2, (2, 4)), Block(2, 4, (4,)), Block(4, 5, ())]


def test_loops_lead_back():
    code = parse("r0 = 3\nagain: r0 += -1; if r0 > 0 goto again; exit").insns
    assert blocks(code) == [Block(0, 1, (1,)), Block(1, 3, (3, 1)), Block(3, 4, ())]


def test_functions_begin_blocks_and_calls_are_passed_over():
    code = [Insn(0x85, 0, 1, 0, 1), Insn(0x95), Insn(0xB7), Insn(0x95)]
    assert blocks(code, {2: "f"}) == [Block(0, 2, ()), Block(2, 4, ())]


def test_ways_out_of_the_program_and_unknown_instructions_are_no_trouble():
    assert blocks([Insn(0x05, off=100), Insn(0xFF), Insn(0x95)]) == [
        Block(0, 1, ()),
        Block(1, 3, ()),
    ]
    assert blocks([]) == []


def test_drawings_name_functions_and_escape_texts():
    code = parse("r0 = 0; if r1 == 0 goto out; r0 = 1\nout: exit").insns
    text = dot(code, list(disassemble(code, Names(labels=auto_labels(code)))), {0: 'a"b'})
    assert text.splitlines() == [
        'digraph "program" {',
        '  node [shape=box, fontname="monospace"];',
        r'  b0 [label="a\"b():\l0: r0 = 0\l1: if r1 == 0x0 goto L3\l"];',
        r'  b2 [label="2: r0 = 1\l"];',
        r'  b3 [label="3: exit\l"];',
        "  b0 -> b2;",
        '  b0 -> b3 [label="taken"];',
        "  b2 -> b3;",
        "}",
    ]
