"""The static types of everything below: fixed-width integers, pointers, arrays, structs, unions.

A function written over these types has one meaning in three places: under CPython (integers wrap,
pointers check every access), compiled for the host, and compiled to BPF. The rules of integers:

* A result is computed exactly, then wrapped to the type of the operands. Of two widths the wider
  one wins; two types of equal width and different sign do not mix (convert one of them).
* A plain `int` takes the type of the other operand.
* `//` and `%` round as in Python; dividing by zero gives 0 and leaves the dividend, as in RFC 9669
  section 4.1.
* A shift by the width or more gives what it gives in mathematics: 0, or -1 for a negative number.
* Comparisons compare values, whatever the types.
"""

from ebee.types.integers import (
    Int,
    atomic,
    be16,
    be32,
    be64,
    bits,
    char,
    common,
    enum_type,
    i8,
    i16,
    i32,
    i64,
    storage,
    u8,
    u16,
    u32,
    u64,
)
from ebee.types.memory import (
    ArrayType,
    Field,
    LocalMemory,
    Memory,
    PtrType,
    Struct,
    alignof,
    array,
    const,
    fields,
    load,
    null,
    offsetof,
    ptr,
    sizeof,
    store,
    struct,
    text_bytes,
    typeof,
    union,
    view,
    zero,
)

__all__ = [
    "ArrayType",
    "Field",
    "Int",
    "LocalMemory",
    "Memory",
    "PtrType",
    "Struct",
    "alignof",
    "array",
    "atomic",
    "be16",
    "be32",
    "be64",
    "bits",
    "char",
    "common",
    "const",
    "enum_type",
    "fields",
    "i8",
    "i16",
    "i32",
    "i64",
    "load",
    "null",
    "offsetof",
    "ptr",
    "sizeof",
    "storage",
    "store",
    "struct",
    "text_bytes",
    "typeof",
    "u8",
    "u16",
    "u32",
    "u64",
    "union",
    "view",
    "zero",
]
