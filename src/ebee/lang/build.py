"""All the steps from functions to code in memory, and the cache in between."""

from __future__ import annotations

import hashlib
import mmap
import os
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from ebee import cachedir
from ebee.lang.compiler import Options, compile_ir
from ebee.lang.identity import compiler_identity
from ebee.lang.image import Image, layout
from ebee.lang.ir import FunctionType, Module
from ebee.lang.loader import Loaded
from ebee.lang.target import host
from ebee.types import Int

if TYPE_CHECKING:
    from ebee.lang.unit import Spec

ROOM = "native"
"""The cache's room."""

_DIGEST = 32


def build(texts: Sequence[str], options: Options | None = None, *, cached: bool = True) -> Image:
    """Compile IR texts to an image, from the cache where it has been done before on this machine
    by this user; a damaged entry counts as absent."""
    options = options or Options()
    key = _key(texts, options) if cached else ""
    if cached and (found := kept(key)) is not None:
        return found
    image = layout(compile_ir(texts, options), options.target or host())
    if cached:
        keep(key, image)
    return image


def input_key(inputs: Sequence[str], options: Options) -> str:
    """A key for `kept`, from all that decides what IR there would be, on this processor."""
    return _key(inputs, options)


def keep(key: str, image: Image) -> None:
    """Put an image into the cache."""
    packed = image.pack()
    cachedir.store(ROOM, key, hashlib.sha256(packed).digest() + packed)


def native(
    specs: Sequence[Spec | Callable[..., Any]] | Module, symbols: Mapping[str, int] | None = None,
    options: Options | None = None, *, cached: bool = True,
) -> Loaded:  # fmt: skip
    """Functions as code in memory: `native([f]).function("module.f", c_uint64, c_uint64)`."""
    from ebee.lang.unit import compile_native

    module = specs if isinstance(specs, Module) else compile_native(specs)
    return Loaded(build([module.ir], options, cached=cached), symbols)


def kept(key: str) -> Image | None:
    """The image that was kept under a key; None when there is none, or it is damaged."""
    data = cachedir.load(ROOM, key)
    if data is None or hashlib.sha256(data[_DIGEST:]).digest() != data[:_DIGEST]:
        return None
    return Image.unpack(data[_DIGEST:])


def _key(texts: Sequence[str], options: Options) -> str:
    h = hashlib.sha256(_machine().encode())
    h.update(repr(sorted(options.request("object").items())).encode())
    for text in texts:
        data = text.encode()
        h.update(len(data).to_bytes(8, "little"))
        h.update(data)
    return h.hexdigest()


@cache
def _machine() -> str:
    """What compiled code depends on besides its source: the compiler, and the processor."""
    return f"{compiler_identity()}\0{mmap.PAGESIZE}{_cpu()}"


_CPU_LINES = (
    "vendor_id", "cpu family", "model", "stepping", "flags", "Features", "CPU implementer",
    "CPU architecture", "CPU variant", "CPU part", "CPU revision",
)  # fmt: skip


def _cpu() -> str:
    """Model and features of the first processor."""
    try:
        with open("/proc/cpuinfo", "rb", buffering=0) as file:
            first = file.read(8192).split(b"\n\n")[0].decode(errors="replace")
    except OSError:
        return repr(os.uname()) if hasattr(os, "uname") else ""
    return "\n".join(line for line in first.splitlines() if line.startswith(_CPU_LINES))


def c_function(code: Loaded, name: str, kind: FunctionType) -> Any:
    """A function of an exported type as ctypes calls it; pointers are addresses."""
    return code.function(name, _c_type(kind.result), *(_c_type(t) for _, t in kind.params))


def _c_type(t: Any) -> Any:
    """The type of ctypes for an operand."""
    import ctypes

    if t is type(None):
        return None
    if t is bool:
        return ctypes.c_bool
    if t is int:
        return ctypes.c_int64
    if isinstance(t, type) and issubclass(t, Int):
        return getattr(ctypes, f"c_{'int' if t.signed else 'uint'}{t.bits}")
    return ctypes.c_void_p
