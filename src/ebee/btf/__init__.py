"""BTF: the types of kernels, modules and BPF objects.

btf = Btf.vmlinux()                              # lazily: a type costs what it takes
btf.find("task_struct", Struct).size

types       the kinds of types, as small values; references and remap
reader      Btf: types by id and name, sizes, resolve; split BTF; both byte orders
builder     BtfBuilder: types in, bytes out; copies between BTFs
static      BTF of the static types of ebee.types
dedup       dedup: what is the same becomes one
validate    all that the kernel checks
codec       Codec: bytes to Python values and back
ext         BtfExt: .BTF.ext (functions, lines, CO-RE relocations)
relo        CoreRelo: one CO-RE relocation
core        Relocator, patch: CO-RE
printer     c, definition, declare: C
view        view: a struct with offsets, sizes and holes
files       BTF in files, ELF, what the kernel publishes, what comes with ebee
target      which of them programs are relocated against

Names are imported when they are first used (PEP 562): a spec needs no reader of types.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ebee.btf.builder import BtfBuilder as BtfBuilder
    from ebee.btf.reader import Btf as Btf
    from ebee.btf.types import *  # noqa: F403

_HOME = {"Btf": "reader", "BtfBuilder": "builder"}
"""Where names are that are not in `types`."""


def __getattr__(name: str) -> object:
    home = _HOME.get(name, "types")
    module = import_module(f"{__name__}.{home}")
    if home == "types" and name not in module.__all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(module, name)
    return value
