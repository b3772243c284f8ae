"""USDT: the grammar of arguments, on x86-64 and arm64, and what programs find in the maps."""

import struct

import pytest

from ebee.errors import KernelError
from ebee.linux.usdt import EM_AARCH64, EM_X86_64, REGISTERS, Argument, arguments, pack

pytestmark = pytest.mark.unit

X86, ARM = REGISTERS[EM_X86_64], REGISTERS[EM_AARCH64]


def test_registers_are_where_the_kernel_keeps_them():
    from ebee.hooks.pt_regs import NAMES

    assert all(X86[n] == 8 * i for i, n in enumerate(NAMES) if n in X86)
    assert {"rax", "r15", "rsp", "rip"} <= set(X86)
    for names in (("rax", "eax", "ax", "al"), ("rsi", "esi", "si", "sil"),
                  ("rbp", "ebp", "bp", "bpl"), ("r9", "r9d", "r9w", "r9b")):  # fmt: skip
        assert len({X86[n] for n in names}) == 1
    assert (ARM["x0"], ARM["w7"], ARM["x30"], ARM["sp"]) == (0, 56, 240, 248)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("-4@$-9", Argument("const", 4, True, -9)),
        ("8@$0x10", Argument("const", 8, False, 16)),
        ("8@%rax", Argument("reg", 8, False, 0, 80)),
        ("-1@%r9b", Argument("reg", 1, True, 0, 64)),
        ("-4@-1204(%rbp)", Argument("deref", 4, True, -1204, 32)),
        ("2@(%rdi)", Argument("deref", 2, False, 0, 112)),
        ("8@0x18(%rip)", Argument("deref", 8, False, 24, 128)),
        ("4@-4(%rbp,%rax,4)", Argument("sib", 4, False, -4, 32, 80, 2)),
        ("1@(%rdx,%rax)", Argument("sib", 1, False, 0, 96, 80, 0)),
    ],
)
def test_arguments_of_x86_64(text, expected):
    assert arguments(text, EM_X86_64) == [expected]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("-4@-9", Argument("const", 4, True, -9)),
        ("8@x19", Argument("reg", 8, False, 0, 152)),
        ("-4@w3", Argument("reg", 4, True, 0, 24)),
        ("8@[x2]", Argument("deref", 8, False, 0, 16)),
        ("-4@[sp, 60]", Argument("deref", 4, True, 60, 248)),
        ("8@[x29, -16]", Argument("deref", 8, False, -16, 232)),
        ("1@[x2,x3]", Argument("sib", 1, False, 0, 16, 24, 0)),
        ("8@[x2, x3, lsl 3]", Argument("sib", 8, False, 0, 16, 24, 3)),
    ],
)
def test_arguments_of_arm64(text, expected):
    assert arguments(text, EM_AARCH64) == [expected]


def test_several_arguments_are_told_apart_although_operands_have_spaces():
    assert [a.kind for a in arguments("-4@[sp, 60] 8@x1 4@7", EM_AARCH64)] == [
        "deref", "reg", "const"
    ]  # fmt: skip
    assert [a.size for a in arguments("1@%al 2@%ax 4@%eax 8@%rax", EM_X86_64)] == [1, 2, 4, 8]
    assert arguments("", EM_X86_64) == []


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("8f@%xmm0", "floating-point"),
        ("8@%xmm0", "no register 'xmm0'"),
        ("3@%rax", "3 bytes are no size"),
        ("8@counter(%rip)", "cannot fetch"),
        ("8@%ah", "no register 'ah'"),
        ("rubbish", "'rubbish' is none"),
        ("8@(,%rax,8)", "cannot fetch"),
        (" ".join(["8@%rax"] * 13), "13 arguments"),
    ],
)
def test_what_programs_cannot_fetch_is_refused(text, complaint):
    with pytest.raises(KernelError, match=complaint):
        arguments(text, EM_X86_64)
    with pytest.raises(KernelError, match="are not known"):
        arguments(text, 8)


def test_the_layout_of_libbpf_s_header():
    found = arguments("-4@%edi 8@-16(%rbp) 2@(%rdx,%rax,4)", EM_X86_64)
    raw = pack(found, 77, 208)
    assert len(raw) == 208
    first = struct.unpack_from("<QIh?b", raw)
    assert first == (0, 1, 112, True, 32)
    assert struct.unpack_from("<qIh?b", raw, 16) == (-16, 2, 32, False, 0)
    word = struct.unpack_from("<qIh?b", raw, 32)[1]
    assert (word & 0xFF, word >> 8 & 0xFFF, word >> 20 & 15) == (3, 80, 2)
    assert struct.unpack_from("<Qh", raw, 192) == (77, 3)
    with pytest.raises(KernelError, match="room for 1 arguments, not 3"):
        pack(found, 0, 32)
