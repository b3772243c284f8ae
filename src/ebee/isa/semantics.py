"""What arithmetic, byte order, comparison and atomic operations mean.

Values are Python ints, 0 <= value < 2**64, as the machine's registers hold them. The tables are
keyed by width (64, 32) and the `operation` of a form. A 32-bit operation looks at the low 32 bits
of its operands only and leaves the upper half of the result zero. Nothing here can fail: division
by zero gives 0, its remainder the dividend, the most negative number divided by -1 itself, and
shift counts are taken modulo the width (RFC 9669 section 4.1).

>>> ALU[64]["sdiv"](signed_immediate(-7), 2) == signed_immediate(-3)
True
"""

from collections.abc import Callable

from ebee.isa.insn import U32, U64, signed

Binary = Callable[[int, int], int]
Comparison = Callable[[int, int], bool]
_MASK = {64: U64, 32: U32}


def signed_immediate(imm: int) -> int:
    """The register value of an instruction's 32-bit immediate: its sign extends to 64 bits."""
    return imm & U64


def _arithmetic(bits: int) -> dict[str, Binary]:
    mask, count = _MASK[bits], bits - 1

    def sdiv(a: int, b: int) -> int:
        x, y = signed(a, bits), signed(b, bits)
        if not y:
            return 0
        quotient = abs(x) // abs(y)
        return (quotient if (x < 0) == (y < 0) else -quotient) & mask

    def smod(a: int, b: int) -> int:
        x, y = signed(a, bits), signed(b, bits)
        if not y:
            return a & mask
        remainder = abs(x) % abs(y)  # takes the dividend's sign, unlike Python's
        return (-remainder if x < 0 else remainder) & mask

    return {
        "add": lambda a, b: a + b & mask,
        "sub": lambda a, b: a - b & mask,
        "mul": lambda a, b: a * b & mask,
        "div": lambda a, b: (a & mask) // (b & mask) if b & mask else 0,
        "sdiv": sdiv,
        "mod": lambda a, b: (a & mask) % (b & mask) if b & mask else a & mask,
        "smod": smod,
        "or": lambda a, b: (a | b) & mask,
        "and": lambda a, b: a & b & mask,
        "xor": lambda a, b: (a ^ b) & mask,
        "lsh": lambda a, b: a << (b & count) & mask,
        "rsh": lambda a, b: (a & mask) >> (b & count),
        "arsh": lambda a, b: signed(a, bits) >> (b & count) & mask,
        "neg": lambda a, _: -a & mask,
        "mov": lambda _, b: b & mask,
        "movsx8": lambda _, b: signed(b, 8) & mask,
        "movsx16": lambda _, b: signed(b, 16) & mask,
        "movsx32": lambda _, b: signed(b, 32) & mask,
    }


def swap(value: int, size: int) -> int:
    """The low `size` bytes of `value` in reverse order, the rest zero."""
    return int.from_bytes((value & (1 << 8 * size) - 1).to_bytes(size, "little"), "big")


def _swapper(size: int) -> Binary:
    return lambda a, _: swap(a, size)


_BYTE_ORDER: dict[str, Binary] = {
    "le16": lambda a, _: a & 0xFFFF,
    "le32": lambda a, _: a & U32,
    "le64": lambda a, _: a,
    **{f"{order}{8 * size}": _swapper(size) for size in (2, 4, 8) for order in ("be", "bswap")},
}

ALU: dict[int, dict[str, Binary]] = {
    64: {**_arithmetic(64), **_BYTE_ORDER},
    32: {name: f for name, f in _arithmetic(32).items() if name != "movsx32"},
}
"""ALU[width][operation](dst, src) -> new dst. `neg` and byte order ignore src, moves ignore dst.

Byte order is that of a little-endian machine: `le` truncates, `be` swaps. The moves between
address spaces are missing: what they give depends on where the machine's memory is.
"""


def _comparisons(bits: int) -> dict[str, Comparison]:
    mask = _MASK[bits]
    return {
        "jeq": lambda a, b: not (a ^ b) & mask,
        "jne": lambda a, b: bool((a ^ b) & mask),
        "jset": lambda a, b: bool(a & b & mask),
        "jgt": lambda a, b: a & mask > b & mask,
        "jge": lambda a, b: a & mask >= b & mask,
        "jlt": lambda a, b: a & mask < b & mask,
        "jle": lambda a, b: a & mask <= b & mask,
        "jsgt": lambda a, b: signed(a, bits) > signed(b, bits),
        "jsge": lambda a, b: signed(a, bits) >= signed(b, bits),
        "jslt": lambda a, b: signed(a, bits) < signed(b, bits),
        "jsle": lambda a, b: signed(a, bits) <= signed(b, bits),
    }


JUMP: dict[int, dict[str, Comparison]] = {64: _comparisons(64), 32: _comparisons(32)}
"""JUMP[width][operation](dst, src) -> is the jump taken?"""

ATOMIC: dict[int, dict[str, Binary]] = {
    bits: {
        **{name: alu[name] for name in ("add", "or", "and", "xor")},
        **{f"fetch_{name}": alu[name] for name in ("add", "or", "and", "xor")},
        "xchg": alu["mov"],
    }
    for bits, alu in ALU.items()
}
"""ATOMIC[width][operation](value in memory, src) -> new value in memory. The fetching ones and
`xchg` also put the old value, zero-extended, into src. See `compare_exchange` for `cmpxchg`."""


def compare_exchange(old: int, expected: int, new: int, bits: int) -> int:
    """The new value in memory of `cmpxchg`: r0 is `expected` and gets `old`, zero-extended."""
    mask = _MASK[bits]
    return new & mask if not (old ^ expected) & mask else old & mask
