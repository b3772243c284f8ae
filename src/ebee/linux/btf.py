"""An object's BTF in the kernel: suited to what the running kernel takes, loaded, referred to."""

from __future__ import annotations

import errno
import re
import struct
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from functools import cache

from ebee.btf import Btf, BtfBuilder
from ebee.btf.types import (
    Const,
    Datasec,
    DeclTag,
    Enum,
    Enum64,
    Float,
    Func,
    FuncProto,
    Fwd,
    Int,
    Linkage,
    Member,
    Param,
    Ptr,
    SecVar,
    Struct,
    Type,
    Typedef,
    TypeTag,
    Union,
    Var,
)
from ebee.errors import KernelError
from ebee.linux.errors import refused
from ebee.linux.info import object_info
from ebee.linux.sys import Attributes, Fd, strerror, submit
from ebee.obj.spec import FuncInfo, Line

LOG_SIZE, LOG_LIMIT = 1 << 16, 1 << 24
MAX_COLUMN = 1023  # line_col: line << 10 | column

_INT = Int("int", 4, 1, 32)
_BYTE = Int("char", 1, 0, 8)
# What a kernel may not know yet, with BTF that has nothing but that (libbpf probes the same ones).
PROBES: dict[str, tuple[Type, ...]] = {
    "func": (_INT, FuncProto(0, ()), Func("f", 2, Linkage.STATIC)),  # 5.0
    "datasec": (_INT, Var("x", 1, Linkage.STATIC), Datasec(".data", 4, (SecVar(2, 0, 4),))),  # 5.2
    "global func": (_INT, FuncProto(0, ()), Func("f", 2, Linkage.GLOBAL)),  # 5.6
    "float": (Float("float", 4),),  # 5.13
    "decl tag": (_INT, Var("x", 1, Linkage.STATIC), DeclTag("tag", 2)),  # 5.16
    "type tag": (_INT, TypeTag("tag", 1), Ptr(2)),  # 5.17
    "enum64": (Enum64("e", 8, False, ()),),  # 6.0
    "? datasec": (_INT, Var("x", 1, Linkage.STATIC), Datasec("?.x", 4, (SecVar(2, 0, 4),))),  # 6.9
}


class LoadedBtf:
    """BTF that the kernel holds for an object; `btf` is exactly what was loaded."""

    def __init__(self, fd: Fd, btf: Btf):
        self.fd = fd
        self.btf = btf

    def func_info(self, funcs: Iterable[FuncInfo]) -> bytes:
        """struct bpf_func_info of a program; none where a function's type is not known, for the
        kernel wants all or none."""
        records = [(f.start, f.btf_id) for f in funcs]
        if not all(id and isinstance(self.btf.type(id), Func) for _, id in records):
            return b""
        return b"".join(struct.pack("=II", *record) for record in records)

    def line_info(self, lines: Iterable[Line], funcs: Iterable[FuncInfo]) -> bytes:
        """struct bpf_line_info of a program; none unless every function begins with a line
        (kernel/bpf/verifier.c, check_btf_line)."""
        at = {line.slot: line for line in lines}
        if not all(function.start in at for function in funcs):
            return b""
        offset = self.btf.string_offset
        return b"".join(
            struct.pack(
                "=IIII",
                slot,
                offset(line.file) or 0,
                offset(line.text) or 0,
                line.line << 10 | min(line.column, MAX_COLUMN),
            )
            for slot, line in sorted(at.items())
        )

    def close(self) -> None:
        self.fd.close()


def load(btf: Btf, strings: Iterable[str] = ()) -> LoadedBtf:
    """Load BTF, with further strings that line information refers to. Since Linux 4.18.

    Where this kernel refuses it, types and names that it does not know are replaced by others of
    the same id and size, and it is tried again. KernelError with the kernel's complaint otherwise.
    """
    suited = suit(btf, strings)
    try:
        return LoadedBtf(load_bytes(bytes(suited.data)), suited)
    except KernelError as error:
        if error.errno != errno.EINVAL:
            raise
    suited = suit(btf, strings, missing() | {"names"})
    return LoadedBtf(load_bytes(bytes(suited.data)), suited)


def load_bytes(data: bytes) -> Fd:
    """Load BTF as it is; the error carries what the kernel says about it."""
    attempt = Attributes("BTF_LOAD", {"btf": data, "btf_size": len(data)})
    size = LOG_SIZE
    log = bytearray()
    code = submit(attempt)
    while code and size <= LOG_LIMIT and (not log or code == errno.ENOSPC):
        log = bytearray(size)
        logged = {"btf_log_level": 1, "btf_log_size": size, "btf_log_buf": log}
        attempt = Attributes("BTF_LOAD", {"btf": data, "btf_size": len(data), **logged})
        code = submit(attempt)
        size *= 8
    if not code:
        return Fd(attempt.result)
    lines = log.partition(b"\0")[0].decode(errors="replace").splitlines()
    complaint = next((line for line in reversed(lines) if line.strip()), "")
    error = OSError(code, strerror(code))
    raise refused(error, "load BTF", complaint, needs=("CAP_BPF",), since="4.18")


def read(fd: Fd) -> Btf:
    """The types that a BTF of the kernel's holds. Since Linux 4.18."""
    size = object_info(fd, "btf").btf_size
    buffer = bytearray(size)
    object_info(fd, "btf", btf=buffer, btf_size=size)
    return Btf.parse(bytes(buffer), name="BTF of the kernel's")


@cache
def missing() -> frozenset[str]:
    """The kinds of BTF in PROBES that the running kernel does not take."""
    return frozenset(name for name, types in PROBES.items() if not _takes(types))


def _takes(types: tuple[Type, ...]) -> bool:
    builder = BtfBuilder()
    for made in types:
        builder.add(made)
    try:
        load_bytes(builder.bytes()).close()
    except KernelError as error:
        if error.errno == errno.EPERM:
            raise
        return False
    return True


def suit(btf: Btf, strings: Iterable[str] = (), missing: AbstractSet[str] = frozenset()) -> Btf:
    """The same BTF, ids unchanged, as a kernel takes that lacks what `missing` names.

    What compilers emit and no kernel takes is replaced in any case. Without need it is `btf`.
    """
    placeholder = len(btf)  # a type of one byte, behind all others
    nameless = _nameless(btf) if "names" in missing else frozenset()
    pairs = ((found, _suited(found, missing, placeholder, nameless)) for found in btf)
    changed = {a.id: b for a, b in pairs if type(a) is not type(b) or a != b}
    wanted = [text for text in strings if btf.string_offset(text) is None]
    if not changed and not wanted and not missing:
        return btf
    builder = BtfBuilder.edit(btf)
    builder.add(_BYTE)
    for id, new in changed.items():
        builder.set(id, new)
    for text in wanted:
        builder.string(text)
    return builder.build()


def _nameless(btf: Btf) -> frozenset[int]:
    """The signatures of functions with code that leave a parameter without a name."""
    functions = (f for f in btf if isinstance(f, Func) and f.linkage != Linkage.EXTERN)
    protos = (btf.type(f.type) for f in functions)
    return frozenset(
        p.id for p in protos if isinstance(p, FuncProto) and any(not q.name for q in p.params)
    )


def _suited(
    found: Type,
    missing: AbstractSet[str],
    placeholder: int,
    nameless: AbstractSet[int] = frozenset(),
) -> Type:
    match found:
        case FuncProto() if found.id in nameless and "func" not in missing:
            pairs = enumerate(found.params, 1)
            return found._replace(
                params=tuple(
                    p if p.name or not p.type else Param(f"arg{n}", p.type) for n, p in pairs
                )
            )
        case Int(encoding=encoding) if encoding & encoding - 1:  # gcc 12: a char that is signed
            found = found._replace(encoding=encoding & -encoding)
        case Var(linkage=Linkage.EXTERN):  # its type may be void
            found = found._replace(type=placeholder, linkage=Linkage.GLOBAL)
        case Func(linkage=Linkage.EXTERN):
            return Typedef(found.name, found.type, found.id)
        case Func(name="") if "names" in missing:  # gcc 12: of what was inlined
            return Const(0, found.id)
        case Datasec(size=0):  # .ksyms, .kconfig: what is in them comes from the kernel
            return Struct("", 0, (), found.id)
    match found:
        case Datasec() if "datasec" in missing:
            members = tuple(Member("", v.type, v.offset * 8) for v in found.vars)
            return Struct(_identifier(found.name), found.size, members, found.id)
        case Datasec() if "? datasec" in missing and found.name.startswith("?"):
            return found._replace(name="_" + found.name[1:])
        case Var() | DeclTag() if _KIND[type(found)] in missing:
            return _BYTE._replace(name=_identifier(found.name), id=found.id)
        case FuncProto() if "func" in missing:
            return Enum(_identifier(found.name), 4, False, (), found.id)
        case Func() if "func" in missing:
            return Typedef(found.name, found.type, found.id)
        case Func(linkage=Linkage.GLOBAL) if "global func" in missing:
            return found._replace(linkage=Linkage.STATIC)
        case Float() if "float" in missing:
            return Struct("", found.size, (), found.id)
        case TypeTag() if "type tag" in missing:
            return Const(found.type, found.id)
        case Enum64() if "enum64" in missing:
            members = tuple(Member(v.name, placeholder, 0) for v in found.values)
            return Union(found.name, found.size, members, found.id)
        case Enum(signed=True) if "enum64" in missing:
            return found._replace(signed=False)
    if "names" in missing and isinstance(found, _NAMED):
        return found._replace(name=_identifier(found.name))
    return found


_KIND: dict[type[Type], str] = {Var: "datasec", DeclTag: "decl tag"}
_NAMED = (Struct, Union, Enum, Enum64, Typedef, Func, Var, Int, Float, Fwd)


def _identifier(name: str) -> str:
    """A name without the characters that compilers of other languages put into it."""
    return re.sub(r"\W", "_", name, flags=re.ASCII)
