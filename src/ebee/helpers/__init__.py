"""Helpers: the functions that Linux offers to eBPF programs; declarations, a file per family.

A helper's signature is one line, read by the compiler (types), the verifier (argument rules), the
generator of C headers, and the machine (which checks arguments before it calls the body):

    "map: map, key: map_key -> map_value?"
    "ctx: ctx, map: map[perf_event_array], flags: u64, data: mem[size], size: size0[u64] -> long"

A parameter is `name: [own] kind[of][?] [as type]`:

* the kinds are in `KINDS`; what the brackets mean stands there too;
* `?`: null is allowed (argument) or possible (result);
* `own`: an argument of this kind is given up (the program must not use it again); a result, or a
  dynptr that the helper makes, is acquired (the program must give it up);
* `as type`: what a pointer points to, a scalar kind, `char` or the name of a C struct.

An argument may be of another kind at some hooks: `variants` holds those signatures by hook, `*`
standing for all hooks that are not named.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module

FAMILIES = (
    "map", "packet", "checksum", "redirect", "time", "task", "trace", "memory", "output", "flow",
    "string", "dynptr", "skb", "socket", "sockmap", "cgroup", "sysctl", "lwt", "storage", "stack",
    "kernel", "syscall", "lirc",
)  # fmt: skip
"""The modules of this package that declare helpers, each in a tuple HELPERS."""

BTF_HOOKS = (
    "fentry", "fexit", "fmod_ret", "fsession", "fentry.multi", "fexit.multi", "fsession.multi",
    "tp_btf", "iter", "syscall",
)  # fmt: skip
"""The hooks whose programs hold typed kernel pointers in place of a context; and the LSM hooks."""

SCALARS = {
    "u8": "__u8", "u16": "__u16", "u32": "__u32", "u64": "__u64",
    "i8": "__s8", "i16": "__s16", "i32": "__s32", "i64": "__s64", "int": "int",
    "long": "long", "ulong": "unsigned long",
    "be16": "__be16", "be32": "__be32", "wsum": "__wsum", "void": "void",
}  # fmt: skip
"""Scalar kinds and their C types. An argument of such a kind may be any value."""

KINDS = SCALARS | {
    "scalar": "__u32",              # a number and never a pointer
    "size": "__u32",                # a length above zero; [its C type, if not u32]
    "size0": "__u32",               # a length that may be zero; [its C type]
    "alloc_size": "__u64",          # a constant: the length of the result; [its C type]
    "variadic": "...",              # any further arguments
    # maps
    "map": "void *",                # a map, known at load time; [types it must have, by `|`]
    "map_key": "const void *",      # key_size bytes to read
    "map_value": "const void *",    # value_size bytes to read; as a result: a value of the map
    "map_value_out": "void *",      # value_size bytes that the helper writes
    # memory
    "mem": "const void *",          # bytes to read; [their length: a parameter or a number]
    "mem_out": "void *",            # bytes that the helper writes, need not be initialised
    "mem_rw": "void *",             # bytes that the helper reads and writes
    "out": "void *",                # one aligned value that the helper writes; its type behind `as`
    "inout": "void *",              # one aligned value that the helper reads and writes
    "str": "const char *",          # a NUL-terminated constant in a read-only map
    "any": "const void *",          # any value at all, never followed by the program itself
    "alloc_mem": "void *",          # a record of a ring buffer; [its length]
    # objects of the kernel
    "ctx": "const void *",          # the program's context; [its struct]
    "sock_common": "struct bpf_sock *",     # a socket, also a request or timewait socket
    "socket": "struct bpf_sock *",          # a full socket
    "tcp_sock": "struct bpf_tcp_sock *",    # a TCP socket
    "btf_sock": "void *",           # a sock_common, or a kernel pointer to one
    "btf": "void *",                # a trusted kernel pointer; [its struct]
    "percpu_btf": "const void *",   # the address of a per-CPU kernel variable
    "percpu_mem": "void *",         # one CPU's copy of such a variable
    "spin_lock": "struct bpf_spin_lock *",  # a lock inside a map value
    "timer": "struct bpf_timer *",  # a timer inside a map value
    "kptr": "void *",               # where a map value keeps a kernel pointer
    "dynptr": "const struct bpf_dynptr *",  # a dynptr; [its origin]
    "dynptr_out": "struct bpf_dynptr *",    # stack space in which a dynptr is made; [its origin]
    "dynptr_mem": "void *",         # bytes behind a dynptr; [their length]
    # code and stack
    "func": "void *",               # a subprogram, called back
    "stack": "void *",              # a pointer into the program's stack
}  # fmt: skip
"""Every kind and its C type."""

REGISTERS = 5
"""Arguments of a call at the most: r1 to r5."""

_OF_IS_TYPE = frozenset(("size", "size0", "alloc_size", "ctx", "btf"))


@dataclass(frozen=True, slots=True)
class Param:
    """One parameter (or the result, which has no name): see the module's description.

    `of`: what stood in brackets; `owned`: marked `own`; `type`: what a pointer points to.
    """

    name: str
    kind: str
    of: str | None = None
    nullable: bool = False
    owned: bool = False
    type: str | None = None

    @property
    def c_type(self) -> str:
        """The type in C, ready to be followed by a name."""
        base = KINDS[self.kind]
        target = self.type or (self.of if self.kind in _OF_IS_TYPE else None)
        if target is None:
            return base
        c = SCALARS.get(target) or ("char" if target == "char" else f"struct {target}")
        if not base.endswith("*"):
            return c
        return f"const {c} *" if base.startswith("const") and self.kind != "ctx" else f"{c} *"


@dataclass(frozen=True, slots=True)
class Helper:
    """One helper, from its number in enum bpf_func_id.

    `since`: the Linux release that brought it; `body`: "module:function" of restricted Python that
    the machine runs, its first argument the virtual CPU; "map:OP": operation OP of the map that is
    the first argument; "engine:NAME": the engine itself does it, because it changes the flow of
    control or the memory rules. `gpl`: only for programs under a GPL-compatible licence, but for
    the hooks in `gpl_except`; `moves_packet`: makes packet pointers that the program holds
    invalid; `takes_packet`: packet pointers are welcome as memory, key or value; `sleeps`: only
    for sleepable programs; `variants`: the signature at the hooks where it differs; `missing`: why
    a cell of the coverage matrix is blank.
    """

    id: int
    name: str
    signature: str
    since: str
    doc: str
    body: str | None = None
    gpl: bool = False
    gpl_except: tuple[str, ...] = ()
    moves_packet: bool = False
    takes_packet: bool = False
    sleeps: bool = False
    variants: dict[str, str] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)

    @property
    def params(self) -> tuple[Param, ...]:
        """One parameter for each register; a variadic one stands for all that are left."""
        given = parse(self.signature)[0]
        if not given or given[-1].kind != "variadic":
            return given
        return given + given[-1:] * (REGISTERS - len(given))

    @property
    def result(self) -> Param:
        return parse(self.signature)[1]

    def at(self, hook: str) -> tuple[tuple[Param, ...], Param]:
        """The parameters and the result at a hook."""
        return parse(self.variants.get(hook) or self.variants.get("*") or self.signature)

    def prototype(self) -> str:
        """The declaration in C, as a bpf_helper_defs.h has it.

        >>> by_name("map_delete_elem").prototype()
        'static long (* const bpf_map_delete_elem)(void *map, const void *key) = (void *) 3;'
        """
        given, _ = parse(self.signature)
        params = ", ".join(_declare(p.c_type, p.name) for p in given) or "void"
        name = f"(* const bpf_{self.name})"
        result = self.result.c_type.removeprefix("const ")
        return f"static {_declare(result, name)}({params}) = (void *) {self.id};"


def _declare(c_type: str, name: str) -> str:
    if c_type == "...":
        return c_type
    return f"{c_type}{name}" if c_type.endswith("*") else f"{c_type} {name}"


_PARAM = re.compile(r"(?:(\w+): )?(own )?(\w+)(?:\[([\w|]+)\])?(\?)?(?: as (\w+))?")


@cache
def parse(signature: str) -> tuple[tuple[Param, ...], Param]:
    """The parameters and the result of a signature; ValueError when it is no signature."""
    left, arrow, right = signature.rpartition("->")

    def param(text: str) -> Param:
        match = _PARAM.fullmatch(text.strip())
        if match is None or match[3] not in KINDS:
            raise ValueError(f"helper signature {signature!r}: {text.strip()!r} is unknown")
        name, own, kind, of, null, target = match.groups()
        return Param(name or "", kind, of, null is not None, own is not None, target)

    if not arrow:
        raise ValueError(f"helper signature {signature!r}: no result")
    return tuple(param(p) for p in left.split(",") if p.strip()), param(right)


@cache
def all_helpers() -> tuple[Helper, ...]:
    """Every declared helper, by number."""
    found = [h for f in FAMILIES for h in import_module(f"ebee.helpers.{f}").HELPERS]
    return tuple(sorted(found, key=lambda h: h.id))


@cache
def _tables() -> tuple[dict[int, Helper], dict[str, Helper]]:
    return {h.id: h for h in all_helpers()}, {h.name: h for h in all_helpers()}


def by_id(number: int) -> Helper | None:
    """The helper of a BPF_FUNC_* number."""
    return _tables()[0].get(number)


def by_name(name: str) -> Helper | None:
    """The helper of a name, with or without `bpf_`."""
    return _tables()[1].get(name.removeprefix("bpf_"))
