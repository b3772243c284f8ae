"""Numbers as the facts pass knows them: intervals, and linear expressions over symbols.

A `Range` (lo, hi) says that a register equals, modulo 2**64, some integer lo <= n <= hi; lo may be
negative. A `Linear` is exact: the register equals, modulo 2**64, its constant plus multiples of
symbols, each of which is an integer whose range stands in an environment. Registers that move
together (copies, an index and the pointer made of it, two counters of one loop) share symbols, so
that what a comparison tells of one holds for the others.

Nothing here knows of registers or pointers; every function can be tried on small widths alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from ebee.isa.insn import U64
from ebee.isa.semantics import ALU

Range = tuple[int, int]
Terms = tuple[tuple[int, int], ...]
Env = Mapping[int, Range]

FULL: Range = (0, U64)
MANY_TERMS = 4
"""Longer sums become symbols of their own."""


class Linear(NamedTuple):
    """`const` plus each symbol of `terms` times its factor, modulo 2**64; terms by symbol."""

    const: int
    terms: Terms = ()


def wrap(n: int) -> int:
    """The number between -2**63 and 2**63 that equals n modulo 2**64."""
    return (n + (1 << 63) & U64) - (1 << 63)


def constant(n: int) -> Linear:
    return Linear(wrap(n))


def add(a: Linear, b: Linear, factor: int = 1) -> Linear:
    """a + factor * b."""
    const = wrap(a.const + factor * b.const)
    if not b.terms:
        return Linear(const, a.terms)
    terms = dict(a.terms)
    for symbol, n in b.terms:
        terms[symbol] = wrap(terms.get(symbol, 0) + factor * n)
    return Linear(const, tuple(sorted((s, n) for s, n in terms.items() if n)))


def evaluate(a: Linear, env: Env) -> Range:
    """The integers that an expression may stand for."""
    lo = hi = a.const
    for symbol, n in a.terms:
        least, most = env[symbol]
        if n < 0:
            least, most = most, least
        lo, hi = lo + n * least, hi + n * most
    return lo, hi


def hull(a: Range, b: Range) -> Range:
    """What covers both; b is first moved by a multiple of 2**64 to lie next to a."""
    turn = (a[0] + a[1] - b[0] - b[1] + (1 << 64)) // (1 << 65) << 64
    lo, hi = min(a[0], b[0] + turn), max(a[1], b[1] + turn)
    return (lo, hi) if hi - lo < U64 else FULL


# --- windows: what the low bits of a number are --------------------------------------------------


def window(r: Range, bits: int, signed: bool = False) -> int | None:
    """The multiple of 2**bits by which all of a range differs from its low bits, taken as unsigned
    or signed number; None when the range crosses such a multiple."""
    half = 1 << bits - 1 if signed else 0
    at = r[0] + half >> bits
    return at << bits if r[1] + half >> bits == at else None


def view(r: Range, bits: int, signed: bool = False) -> Range:
    """The range of the low bits as unsigned or signed number."""
    at = window(r, bits, signed)
    if at is None:
        half = 1 << bits - 1 if signed else 0
        return -half, (1 << bits) - 1 - half
    return r[0] - at, r[1] - at


def truncate(a: Linear, env: Env, bits: int, signed: bool = False) -> Linear | Range:
    """The low bits of an expression, extended with zeros or with the sign."""
    if bits == 64:
        return a
    r = evaluate(a, env)
    at = window(r, bits, signed)
    return view(r, bits, signed) if at is None else Linear(wrap(a.const - at), a.terms)


# --- arithmetic on ranges ------------------------------------------------------------------------
#
# Operands are unsigned views of `bits` bits; a result is a range of integers that equal the true
# result modulo 2**bits.


def _all(bits: int) -> Range:
    return 0, (1 << bits) - 1


def _counts(b: Range, bits: int) -> Range:
    """Shift counts, which are taken modulo the width."""
    return view(b, bits.bit_length() - 1)


def _mul(a: Range, b: Range, bits: int) -> Range:
    return (a[0] * b[0], a[1] * b[1]) if a[1] * b[1] >> bits == 0 else _all(bits)


def _div(a: Range, b: Range, bits: int) -> Range:
    if b[1] == 0:
        return 0, 0
    return (a[0] // b[1] if b[0] else 0, a[1] // max(b[0], 1))  # by zero: 0


def _mod(a: Range, b: Range, bits: int) -> Range:
    if b[0] == 0:  # modulo zero: the dividend, which no other remainder exceeds
        return (a[0] if b[1] == 0 else 0), a[1]
    if a[1] < b[0]:
        return a
    return 0, min(a[1], b[1] - 1)


def _signed(unsigned: Callable[[Range, Range, int], Range]) -> Callable[..., Range]:
    """Signed division is unsigned division where no sign is set."""

    def divide(a: Range, b: Range, bits: int) -> Range:
        top = 1 << bits - 1
        return unsigned(a, b, bits) if a[1] < top and b[1] < top else _all(bits)

    return divide


def _or(a: Range, b: Range, bits: int) -> Range:
    return max(a[0], b[0]), (1 << max(a[1], b[1]).bit_length()) - 1


def _xor(a: Range, b: Range, bits: int) -> Range:
    return 0, (1 << max(a[1], b[1]).bit_length()) - 1


def _and(a: Range, b: Range, bits: int) -> Range:
    return 0, min(a[1], b[1])


def _lsh(a: Range, b: Range, bits: int) -> Range:
    least, most = _counts(b, bits)
    return (a[0] << least, a[1] << most) if a[1] << most >> bits == 0 else _all(bits)


def _rsh(a: Range, b: Range, bits: int) -> Range:
    least, most = _counts(b, bits)
    return a[0] >> most, a[1] >> least


def _arsh(a: Range, b: Range, bits: int) -> Range:
    least, most = _counts(b, bits)
    lo, hi = view(a, bits, signed=True)
    return min(lo >> least, lo >> most), max(hi >> least, hi >> most)


TRANSFER: dict[str, Callable[[Range, Range, int], Range]] = {
    "add": lambda a, b, bits: (a[0] + b[0], a[1] + b[1]),
    "sub": lambda a, b, bits: (a[0] - b[1], a[1] - b[0]),
    "neg": lambda a, b, bits: (-a[1], -a[0]),
    "mov": lambda a, b, bits: b,
    "mul": _mul, "div": _div, "mod": _mod, "sdiv": _signed(_div), "smod": _signed(_mod),
    "or": _or, "xor": _xor, "and": _and, "lsh": _lsh, "rsh": _rsh, "arsh": _arsh,
}  # fmt: skip
"""TRANSFER[operation](dst, src, bits) -> range of the result."""


def compute(op: str, bits: int, a: Linear, b: Linear, env: Env) -> Linear | Range:
    """What an arithmetic operation of `bits` bits gives: exactly, or a range."""
    if not a.terms and not b.terms:
        return constant(ALU[bits][op](a.const & U64, b.const & U64))
    if op.startswith("movsx"):
        moved = truncate(b, env, int(op[5:]), signed=True)
        if isinstance(moved, Linear):
            return truncate(moved, env, bits)
        return view(moved, bits) if bits < 64 else moved
    if op.startswith("le"):
        return truncate(a, env, int(op[2:]))
    if op not in TRANSFER:  # byte order
        return _all(int(op.lstrip("beswap")))
    exact = _exact(op, bits, a, b, env)
    if exact is not None:
        return truncate(exact, env, bits)
    left, right = view(evaluate(a, env), bits), view(evaluate(b, env), bits)
    r = TRANSFER[op](left, right, bits)
    return view(r, bits) if bits < 64 else r


def _exact(op: str, bits: int, a: Linear, b: Linear, env: Env) -> Linear | None:
    """The result as an expression whose low `bits` bits are the true ones, where there is one."""
    if op in ("add", "sub"):
        made = add(a, b, 1 if op == "add" else -1)
        return made if len(made.terms) <= MANY_TERMS else None
    if op == "mov":
        return b
    if op == "neg":
        return add(Linear(0), a, -1)
    if op == "mul" and not a.terms:
        a, b = b, a
    if b.terms:
        return None
    n = b.const & (1 << bits) - 1
    if op == "mul":
        return add(Linear(0), a, b.const)
    count = n & bits - 1
    if op == "lsh":
        return add(Linear(0), a, 1 << count)
    at = window(evaluate(a, env), bits, op == "arsh")
    if at is None:
        return None
    const, most = a.const - at, evaluate(a, env)[1] - at
    if (op == "and" and n & n + 1 == 0 and most <= n) or (op == "mod" and most < n):
        return Linear(wrap(const), a.terms)
    if op in ("rsh", "arsh"):
        # Every summand is a multiple of 2**count, and the sum is the number itself: no bit is lost.
        step = (1 << count) - 1
        if not const & step and not any(k & step for _, k in a.terms):
            return Linear(wrap(const >> count), tuple((s, k >> count) for s, k in a.terms))
    return None


# --- comparisons ---------------------------------------------------------------------------------

NEGATED = {
    "jeq": "jne", "jgt": "jle", "jge": "jlt", "jsgt": "jsle", "jsge": "jslt",
    "jne": "jeq", "jle": "jgt", "jlt": "jge", "jsle": "jsgt", "jslt": "jsge",
}  # fmt: skip
SWAPPED = {
    "jeq": "jeq", "jgt": "jlt", "jge": "jle", "jsgt": "jslt", "jsge": "jsle",
    "jne": "jne", "jlt": "jgt", "jle": "jge", "jslt": "jsgt", "jsle": "jsge",
}  # fmt: skip


def restrict(op: str, bits: int, a: Range, b: Range) -> Range | None:
    """The part of a (its hull) whose low bits can compare like that with b's; None: no part."""
    signed = op[1] == "s"
    if op == "jne":
        return _without(a, b[0], bits) if b[0] == b[1] else a
    lo, hi = view(b, bits, signed)
    least, most = view(FULL, bits, signed)
    relation = op[2 if signed else 1 :]
    allowed = {
        "eq": (lo, hi), "gt": (lo + 1, most), "ge": (lo, most), "lt": (least, hi - 1),
        "le": (least, hi),
    }[relation]  # fmt: skip
    return _clip(a, allowed, bits, least) if allowed[0] <= allowed[1] else None


def _without(a: Range, n: int, bits: int) -> Range | None:
    lo, hi = a
    mask = (1 << bits) - 1
    lo += not (lo - n) & mask
    hi -= not (hi - n) & mask
    return (lo, hi) if lo <= hi else None


def _clip(a: Range, allowed: Range, bits: int, least: int) -> Range | None:
    """The hull of the integers of a whose low bits, counted from `least`, are in `allowed`."""
    size = 1 << bits
    first, last = allowed[0] - least, allowed[1] - least
    lo, hi = a
    at = (lo - least) % size
    if not first <= at <= last:
        lo += (first - at) % size
    at = (hi - least) % size
    if not first <= at <= last:
        hi -= (at - last) % size
    return (lo, hi) if lo <= hi else None


def assume(a: Linear, r: Range, env: dict[int, Range]) -> bool:
    """Narrow the symbols of an expression to what makes it an integer of r; whether any is left."""
    lo, hi = evaluate(a, env)
    for symbol, n in a.terms:
        least, most = env[symbol]
        low, high = (least, most) if n > 0 else (most, least)
        # n * symbol = a - rest: between r's ends minus the rest's opposite ends.
        from_, to = r[0] - (hi - n * high), r[1] - (lo - n * low)
        if n < 0:
            from_, to = to, from_
        least, most = max(least, -(-from_ // n)), min(most, to // n)
        if least > most:
            return False
        env[symbol] = least, most
    return bool(a.terms) or r[0] <= a.const <= r[1]
