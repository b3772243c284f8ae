"""Restricted Python: the language of the machine's own runtime (map operations, helpers).

A `@native` function runs under CPython over checked memory (the reference interpreter does that)
and compiles to host code (the JIT does that). Its statements are assignments, `if`, `while`, `for
i in range(...)`, `break`, `continue`, `return`, calls of `@native` functions and of the intrinsics
of this module, over the types of `ebee.types`. Module constants and enum members are folded.

Calls through a pointer (callbacks of `bpf_loop` and the like) are values of type `fn`: `cb(a, b)`.
"""

from __future__ import annotations

import functools
import inspect
import time as _time
from collections.abc import Callable
from typing import Any, TypeVar, overload

from ebee.errors import MachineError
from ebee.types import Int, PtrType, i64, ptr, sizeof, store, typeof, u8, u32, u64

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")
fn = Callable[..., Any]


def native(f: F) -> F:
    """Mark a function as restricted Python.

    Under CPython integer arguments and the result are converted to the annotated types, so that a
    call means what it means when compiled. `__native__` marks it for the compiler.
    """
    convert: tuple[Callable[[Any], Any] | None, ...] | None = None
    result: Callable[[Any], Any] | None = None
    signature: inspect.Signature
    variables: tuple[Any, ...] = ()

    @functools.wraps(f)
    def call(*args: Any, **named: Any) -> Any:
        nonlocal convert, result, signature, variables
        if convert is None:
            signature = inspect.signature(f, eval_str=True)
            result = _converter(signature.return_annotation)
            annotations = [p.annotation for p in signature.parameters.values()]
            convert = tuple(map(_converter, annotations))
            if any(isinstance(a, TypeVar) for a in annotations):
                variables = (*annotations, signature.return_annotation)
        if named or len(args) != len(convert):
            bound = signature.bind(*args, **named)  # TypeError, as a call of the function gives it
            bound.apply_defaults()
            args = bound.args
        if variables:
            return _call_generic(f, args, variables)
        value = f(*[a if c is None else c(a) for c, a in zip(convert, args, strict=True)])
        return value if result is None else result(value)

    call.__native__ = True  # type: ignore[attr-defined]
    return call  # type: ignore[return-value]


def _call_generic(f: Callable[..., Any], args: tuple[Any, ...], annotations: Any) -> Any:
    """Call a function of type variables: each is the type of the first of its arguments that has
    a width."""
    types: dict[Any, Any] = {}
    for a, value in zip(annotations, args, strict=False):
        if isinstance(a, TypeVar) and isinstance(value, Int):
            types.setdefault(a, type(value))
    convert = [_converter(types.get(a, a)) for a in annotations]
    value = f(*[a if c is None else c(a) for c, a in zip(convert, args, strict=False)])
    return value if convert[-1] is None else convert[-1](value)


def _converter(annotation: Any) -> Callable[[Any], Any] | None:
    if isinstance(annotation, type) and issubclass(annotation, Int):
        return annotation
    try:
        t = typeof(annotation)
    except TypeError:
        return None
    if isinstance(t, PtrType):
        return lambda p: p if p._to is t.to else ptr(p._mem, p._addr, t.to)
    return None


@overload
def cast(t: type[T], value: Any) -> T: ...
@overload
def cast(t: Any, value: Any) -> Any: ...
def cast(t: Any, value: Any) -> Any:
    """A pointer as a pointer to another type (`cast(ptr[u32], p)`), an integer as another type."""
    target = typeof(t)
    if isinstance(target, PtrType):
        if not isinstance(value, ptr):
            raise TypeError("only a pointer can become a pointer: integers carry no memory")
        return ptr(value._mem, value._addr, target.to)
    return target(value)


# --- memory --------------------------------------------------------------------------------------


def memcpy(dst: ptr[Any], src: ptr[Any], n: int) -> None:
    """Copy n bytes; the two do not overlap."""
    dst._mem.write(dst._addr, src._mem.read(src._addr, int(n)))


def memmove(dst: ptr[Any], src: ptr[Any], n: int) -> None:
    """Copy n bytes that may overlap."""
    memcpy(dst, src, n)


def memset(dst: ptr[Any], byte: int, n: int) -> None:
    """Fill n bytes."""
    dst._mem.write(dst._addr, bytes([int(byte) & 255]) * int(n))


def memeq(a: ptr[Any], b: ptr[Any], n: int) -> bool:
    """Whether n bytes are equal."""
    return a._mem.read(a._addr, int(n)) == b._mem.read(b._addr, int(n))


def byte_offset(p: ptr[Any], n: int) -> ptr[u8]:
    """The address n bytes after p (before it, for a negative n)."""
    return ptr(p._mem, p._addr + int(n), u8)


# --- atomics: sequentially consistent, on aligned 32- and 64-bit integers ------------------------
# The reference engine holds the machine's lock while it runs, so plain steps are atomic here.


def atomic_load(p: ptr[Any]) -> Any:
    """Load-acquire."""
    return p[0]


def atomic_store(p: ptr[Any], value: int) -> None:
    """Store-release."""
    p[0] = value


def _exchange(p: ptr[Any], value: Any) -> Any:
    old = p[0]
    store(p._to, p._mem, p._addr, value)
    return old


def atomic_add(p: ptr[Any], value: int) -> Any:
    """Add; returns the value before."""
    return _exchange(p, p[0] + int(value))


def atomic_sub(p: ptr[Any], value: int) -> Any:
    """Subtract; returns the value before."""
    return _exchange(p, p[0] - int(value))


def atomic_or(p: ptr[Any], value: int) -> Any:
    """Or; returns the value before."""
    return _exchange(p, p[0] | int(value))


def atomic_and(p: ptr[Any], value: int) -> Any:
    """And; returns the value before."""
    return _exchange(p, p[0] & int(value))


def atomic_xchg(p: ptr[Any], value: int) -> Any:
    """Exchange; returns the value before."""
    return _exchange(p, value)


def atomic_cas(p: ptr[Any], expected: int, value: int) -> bool:
    """Store `value` if `expected` is there; whether it was."""
    if p[0] != expected:
        return False
    p[0] = value
    return True


def acquire_fence() -> None:
    """Loads before this are done before any access after it (a sequence lock's reader)."""


def release_fence() -> None:
    """Accesses before this are done before any store after it (a sequence lock's writer)."""


def cpu_relax() -> None:
    """A pause inside a spin loop. The reference engine runs alone, so who spins there waits for
    itself: MachineError."""
    raise MachineError("a lock is taken that is held already: nobody can release it")


# --- bits and numbers ----------------------------------------------------------------------------


def mulhi(a: int, b: int) -> u64:
    """The high 64 bits of the 128-bit product of two unsigned 64-bit numbers."""
    return u64(int(u64(a)) * int(u64(b)) >> 64)


def mulfold(a: int, b: int) -> u64:
    """Both halves of that product, combined by exclusive or: one step of many hash functions."""
    product = int(u64(a)) * int(u64(b))
    return u64(product >> 64 ^ product)


def opaque(x: u32) -> u32:
    """The same number, of which the compiler knows nothing: what follows from it is worked out
    anew, not kept in registers from before, where it is hardly ever needed."""
    return x


def rotl32(x: int, n: int) -> u32:
    """Rotate 32 bits left by n (taken modulo 32)."""
    v, n = int(u32(x)), int(n) & 31
    return u32(v << n | v >> (32 - n))


def rotl64(x: int, n: int) -> u64:
    """Rotate 64 bits left by n (taken modulo 64)."""
    v, n = int(u64(x)), int(n) & 63
    return u64(v << n | v >> (64 - n))


def clz64(x: int) -> u32:
    """Leading zero bits of 64 bits; 64 for zero."""
    return u32(64 - int(u64(x)).bit_length())


def ctz64(x: int) -> u32:
    """Trailing zero bits of 64 bits; 64 for zero."""
    v = int(u64(x))
    return u32((v & -v).bit_length() - 1 if v else 64)


def bswap16(x: int) -> Any:
    """Swap the bytes of 16 bits."""
    return _swap(x, 2)


def bswap32(x: int) -> Any:
    """Swap the bytes of 32 bits."""
    return _swap(x, 4)


def bswap64(x: int) -> Any:
    """Swap the bytes of 64 bits."""
    return _swap(x, 8)


def _swap(x: int, size: int) -> Any:
    from ebee.types import u16

    t = {2: u16, 4: u32, 8: u64}[size]
    return t(int.from_bytes(int(t(x)).to_bytes(size, "little"), "big"))


# --- the outside ---------------------------------------------------------------------------------


def host_clock(clock_id: int) -> u64:
    """clock_gettime of the host in nanoseconds; `clock_id` as in <time.h>."""
    return u64(_time.clock_gettime_ns(int(clock_id)))


__all__ = [
    "F", "acquire_fence", "atomic_add", "atomic_and", "atomic_cas", "atomic_load", "atomic_or",
    "atomic_store", "atomic_sub", "atomic_xchg", "bswap16", "bswap32", "bswap64", "byte_offset",
    "cast", "clz64", "cpu_relax", "ctz64", "fn", "host_clock", "i64", "memcpy", "memeq", "memmove",
    "memset", "mulfold", "mulhi", "native", "opaque", "release_fence", "rotl32", "rotl64", "sizeof",
]  # fmt: skip
