"""Types that pointers of the kernel and of the program's own allocations point to: what lies at an
offset of a struct, and which types stand for each other (kernel/bpf/btf.c: btf_struct_walk,
btf_struct_ids_match)."""

from __future__ import annotations

from dataclasses import dataclass
from weakref import WeakKeyDictionary

from ebee.btf import (
    Array,
    Btf,
    Enum,
    Enum64,
    Func,
    FuncProto,
    Int,
    Ptr,
    Struct,
    TypeTag,
    Union,
    Void,
)
from ebee.btf.types import Const, Restrict, Type, Typedef, Volatile
from ebee.errors import BtfError
from ebee.verifier.core import reg as R
from ebee.verifier.core.errors import EFAULT, EINVAL, DoesNotKnow, Rejected

MODIFIERS = (Typedef, Const, Volatile, Restrict, TypeTag)
_TAGS = {"user": R.USER, "percpu": R.PERCPU, "rcu": R.RCU}
_DEPTH = 64

ANONYMOUS = "(anon)"
"""What messages call types without a name."""


class BtfType:
    """One type of one Btf; there is only one object for it (`of`)."""

    __slots__ = ("btf", "id", "name", "type")

    def __init__(self, btf: Btf, id: int):
        self.btf, self.id = btf, id
        self.type = btf.type(id)
        self.name: str = "" if isinstance(self.type, Void) else getattr(self.type, "name", "")

    @property
    def size(self) -> int:
        return self.btf.sizeof(self.id)

    @property
    def composite(self) -> bool:
        """Whether it is a struct or union."""
        return isinstance(self.type, Struct | Union)

    def known(self) -> None:
        """DoesNotKnow where only the name and size of a struct are there (`Btf.partial`)."""
        if self.composite and self.btf.is_opaque(self.id):
            raise DoesNotKnow(f"the members of struct {self.name}: {self.btf.name} lacks them")

    def __repr__(self) -> str:
        return f"<BtfType {self.name} {self.id}>"


_known: WeakKeyDictionary[Btf, dict[int, BtfType]] = WeakKeyDictionary()


def of(btf: Btf, id: int) -> BtfType:
    """The type of an id, behind typedefs and qualifiers."""
    types = _known.setdefault(btf, {})
    found = types.get(id)
    if found is None:
        real = skip(btf, id)
        found = types[id] = types.setdefault(real, BtfType(btf, real))
    return found


def skip(btf: Btf, id: int) -> int:
    """The id behind typedefs, qualifiers and tags."""
    for _ in range(_DEPTH):
        found = btf.type(id)
        if not isinstance(found, MODIFIERS):
            return id
        id = found.type
    raise DoesNotKnow("types that are defined by themselves")


def struct(btf: Btf, name: str) -> BtfType | None:
    """The struct of a name."""
    found = btf.get(name, Struct)
    return of(btf, found.id) if found is not None else None


def prototype(btf: Btf, id: int) -> FuncProto | None:
    """The signature of a function, or of what a pointer to one points to."""
    found: Type | None = btf.type(id)
    if isinstance(found, Func):
        found = btf.type(found.type)
    return found if isinstance(found, FuncProto) else None


def kind_name(found: Type) -> str:
    """A kind as the kernel calls it (btf_type_str)."""
    names = {
        "FuncProto": "FUNC_PROTO",
        "Enum64": "ENUM64",
        "TypeTag": "TYPE_TAG",
        "Void": "UNKNOWN",
    }
    name = type(found).__name__
    return names.get(name, name.upper())


def is_scalar(found: Type) -> bool:
    """Whether values of the type are numbers."""
    return isinstance(found, Int | Enum | Enum64)


# --- what lies where -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Found:
    """What an access of a struct reaches: a number; a pointer to `type` under `flags` in the
    member `field`; or the beginning of a struct inside (`nested`)."""

    type: BtfType | None = None
    flags: int = 0
    field: str = ""
    nested: bool = False


_NUMBER = Found()


def reach(at: BtfType, off: int, size: int, flexible: bool = True) -> Found:
    """What `size` bytes at an offset of a struct are, going into structs inside that begin there.
    Rejected when no program may load them."""
    flags = 0  # what is inside of a union stays so
    for _ in range(_DEPTH):
        found = walk(at, off, size, flexible, flags)
        if not found.nested or found.type is None:
            return found
        at, off, flags = found.type, 0, found.flags
    raise DoesNotKnow("types that are defined by themselves")


def walk(at: BtfType, off: int, size: int, flexible: bool = True, flags: int = 0) -> Found:
    """The same up to the first struct that begins exactly there; `flags` are of what is around."""
    btf = at.btf
    for _ in range(_DEPTH):
        t = at.type
        if not isinstance(t, Struct | Union):
            raise Rejected("btf-access", f"Type '{at.name}' is not a struct", "", EINVAL)
        at.known()
        if isinstance(t, Union) and len(t.members) != 1:
            flags |= R.UNTRUSTED
        if off + size > t.size:
            inside = _flexible(at, off, size) if flexible else None
            if inside is None:
                text = f"access beyond struct {at.name or ANONYMOUS} at off {off} size {size}"
                raise Rejected("btf-access", text, f"offset {off} + {size} bytes > {t.size}")
            element, off = inside
            if not element.composite:
                return _NUMBER
            at = element
            continue
        into = _member(btf, at, t, off, size, flags)
        if isinstance(into, Found):
            return into
        at, off = into
    raise DoesNotKnow("types that are defined by themselves")


def _flexible(at: BtfType, off: int, size: int) -> tuple[BtfType, int] | None:
    """The element of an array without a length that ends a struct, and the offset in it."""
    t = at.type
    assert isinstance(t, Struct | Union)
    if not t.members:
        return None
    last = t.members[-1]
    array = at.btf.type(skip(at.btf, last.type))
    start = last.offset // 8
    if not isinstance(array, Array) or array.nelems or off < start:
        return None
    element = of(at.btf, array.type)
    if isinstance(element.type, Int):
        return element, 0
    if not element.composite or not element.size:
        return None
    return element, (off - start) % element.size


def _member(
    btf: Btf, at: BtfType, t: Struct | Union, off: int, size: int, flags: int
) -> Found | tuple[BtfType, int]:
    """What is found in one of the members, or the struct inside in which to look further."""
    for member in t.members:
        start = member.offset // 8
        if off + size <= start:
            break
        if member.bits:
            if off <= start and (member.offset + member.bits + 7) // 8 <= off + size:
                return _NUMBER
            continue
        if off < start:
            break
        element, length, width = _flat(btf, member.type)
        end = start + length
        if off >= end:
            continue
        if width != length:  # an array: its elements follow each other
            if not length:
                continue
            start += (off - start) // width * width
        if element.composite:
            if off == start:
                return Found(element, flags, nested=True)
            return element, off - start
        if isinstance(element.type, Ptr):
            if width != size or off != start:
                text = f"cannot access ptr member {member.name} with moff {start} in struct"
                text += f" {at.name} with off {off} size {size}"
                raise Rejected("btf-access", text)
            tag = btf.type(element.type.type)
            more = _TAGS.get(tag.name, 0) if isinstance(tag, TypeTag) else 0
            target = of(btf, element.type.type)
            if target.composite:
                return Found(target, flags | more, member.name)
        if off + size > end and not flags & R.UNTRUSTED:
            text = f"access beyond the end of member {member.name} (mend:{end}) in struct"
            text += f" {at.name or ANONYMOUS} with off {off} size {size}"
            raise Rejected("btf-access", text)
        return _NUMBER
    text = f"struct {at.name or ANONYMOUS} doesn't have field at offset {off}"
    raise Rejected("btf-access", text, "", EINVAL)


def _flat(btf: Btf, id: int) -> tuple[BtfType, int, int]:
    """The element of a type that may be an array of arrays, its whole size, and one element's."""
    length = btf.sizeof(id)
    found = of(btf, id)
    while isinstance(found.type, Array):
        found = of(btf, found.type.type)
    try:
        return found, length, found.size
    except BtfError:
        text = f"field {found.name} doesn't have size"
        raise Rejected("btf-access", text, "", EFAULT) from None


def same(a: BtfType, b: BtfType) -> bool:
    """Whether two types are the same one, also where a module's types build on the kernel's."""
    if a.btf is b.btf:
        return a.id == b.id
    base = a.btf.base is b.btf or b.btf.base is a.btf
    return base and a.id == b.id and a.name == b.name


def fits(have: BtfType, off: int, want: BtfType, strict: bool, flexible: bool = True) -> bool:
    """Whether a pointer to `have` + off is one to `want`: the type itself, or the first of those
    that begin there (btf_struct_ids_match)."""
    if not off and same(have, want):
        return True
    if strict:
        return False
    for _ in range(_DEPTH):
        try:
            found = walk(have, off, 1, flexible)
        except Rejected:
            return False
        if not found.nested or found.type is None:
            return False
        if same(found.type, want):
            return True
        have, off = found.type, 0
    return False


def scalar_struct(at: BtfType, depth: int = 0) -> bool:
    """Whether a struct holds nothing but numbers, and structs and arrays of them."""
    t = at.type
    if not isinstance(t, Struct | Union):
        return False
    for member in t.members:
        inner = of(at.btf, member.type)
        if inner.composite:
            if depth >= 3 or not scalar_struct(inner, depth + 1):
                return False
            continue
        if isinstance(inner.type, Array):
            if not inner.type.nelems:
                return False
            inner = of(at.btf, inner.type.type)
        if not is_scalar(inner.type):
            return False
    return True
