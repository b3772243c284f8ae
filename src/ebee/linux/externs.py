"""What an object leaves to the kernel: functions and variables by BTF, symbols by address.

The rules are libbpf's (bpf_object__resolve_externs): a function or typed variable must be there
with a compatible type; a weak one that is not counts as absent; `void` ones are addresses.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

from ebee.btf import Func, Var, Void
from ebee.btf.match import essential, types_compatible
from ebee.errors import ObjectError
from ebee.linux.kernel_btf import KernelBtf, Place
from ebee.obj.spec import ExternSpec, ObjectSpec

MAX_INDEX = 32767  # A call names its module by a 16-bit index.
KINDS = ("kconfig", "kfunc", "ksym")
_LLVM = ".llvm."  # What link-time optimisation puts behind names of local data.


class Externs:
    """The externs of one object, each looked up when the first program asks for it.

    `modules`: descriptors of the BTFs of modules whose functions are called, by the index that
    calls have in their `off`; index 0 stands for vmlinux.
    """

    def __init__(self, spec: ObjectSpec, kernel: KernelBtf):
        self.spec, self.kernel = spec, kernel
        self.modules: list[int] = []
        self._places: dict[str, Place | None] = {}

    def extern(self, name: str) -> ExternSpec:
        """The declaration; ObjectError when there is none."""
        if name not in self.spec.externs:
            raise ObjectError(f"{name} is not declared as an extern")
        return self.spec.externs[name]

    @cached_property
    def order(self) -> list[str]:
        """The names as libbpf counts them: configuration first, by alignment and size."""
        return sorted((n for n, e in self.spec.externs.items() if e.kind in KINDS), key=self._rank)

    def _rank(self, name: str) -> tuple[bool, int, int, str]:
        extern, btf = self.spec.externs[name], self.spec.btf
        if extern.kind != "kconfig" or btf is None:
            return True, 0, 0, name
        declared = btf.type(extern.btf_id)
        kind = declared.type if isinstance(declared, Var) else extern.btf_id
        return False, -btf.alignof(kind), btf.sizeof(kind), name

    def typeless(self, extern: ExternSpec) -> bool:
        """Whether it is declared `extern const void NAME`, an address and nothing more."""
        btf = self.spec.btf
        if btf is None or not extern.btf_id:
            return True
        found = btf.type(extern.btf_id)
        return isinstance(found, Var) and isinstance(btf.resolve(found.type), Void)

    def place(self, name: str) -> Place | None:
        """Where the kernel has a function or typed variable; None for a weak one that is missing.

        ObjectError when it is not weak, or of another type in the kernel.
        """
        if name not in self._places:
            self._places[name] = self._find(self.extern(name))
        return self._places[name]

    def _find(self, extern: ExternSpec) -> Place | None:
        function = extern.kind == "kfunc"
        name = essential(extern.name) if function else extern.name
        found = self.kernel.find(name, Func if function else Var)
        if found is not None and self._compatible(extern, found):
            return found
        if extern.weak and (function or found is None):
            return None
        if found is not None:
            raise ObjectError(f"{name} is declared with another type than this kernel has it with")
        what = f"function {name}() for BPF programs" if function else f"BTF of a variable {name}"
        raise ObjectError(f"neither this kernel nor its loaded modules have a {what}")

    def _compatible(self, extern: ExternSpec, place: Place) -> bool:
        local, btf = self.spec.btf, place.btf
        if local is None:
            return False
        mine, theirs = local.type(extern.btf_id), btf.type(place.id)
        if not isinstance(mine, Func | Var) or not isinstance(theirs, Func | Var):
            return False
        return types_compatible(
            local, local.resolve(mine.type).id, btf, btf.resolve(theirs.type).id
        )

    def module_index(self, place: Place) -> int:
        """What a call has in `off` for a function of a module (0: vmlinux's)."""
        if not place.fd:
            return 0
        if place.fd not in self.modules:
            if len(self.modules) + 1 >= MAX_INDEX:
                raise ObjectError(f"it calls functions of more than {MAX_INDEX - 1} modules")
            self.modules.append(place.fd)
        return self.modules.index(place.fd) + 1

    @property
    def fd_array(self) -> list[int]:
        """The descriptors that calls name by index; empty when only vmlinux's are called."""
        return [0, *self.modules] if self.modules else []

    @cached_property
    def _addresses(self) -> dict[str, set[int]]:
        wanted = {e.name for e in self.spec.externs.values() if e.kind == "ksym"}
        return addresses(name for name in wanted if self.typeless(self.spec.externs[name]))

    def address(self, name: str) -> int:
        """A symbol's address; 0 for a weak one that is missing. ObjectError as for `place`."""
        found = self._addresses.get(name, set())
        if len(found) > 1:
            shown = " or ".join(f"{address:#x}" for address in sorted(found)[:2])
            raise ObjectError(f"{name} is ambiguous: this kernel has it at {shown}")
        if not found and not self.extern(name).weak:
            raise ObjectError(
                f"this kernel has no symbol {name} in /proc/kallsyms (or hides addresses: needs"
                " CAP_SYSLOG, kernel.kptr_restrict below 2)"
            )
        return next(iter(found), 0)


def addresses(names: Iterable[str]) -> dict[str, set[int]]:
    """All addresses that /proc/kallsyms has for names; hidden ones (0) are left out."""
    wanted, found = set(names), dict[str, set[int]]()
    try:
        with open("/proc/kallsyms") as lines:
            for line in lines if wanted else ():
                address, kind, name, *_module = line.split()
                if kind == "d":
                    name = name.partition(_LLVM)[0]
                if name in wanted and int(address, 16):
                    found.setdefault(name, set()).add(int(address, 16))
    except OSError:
        pass
    return found
