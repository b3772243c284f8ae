"""What a program must name to be loaded: a function, tracepoint, LSM hook or iterator of the kernel
or of a module (`module:function`), or a function of another eBPF program.
"""

from __future__ import annotations

import errno
import sys
from typing import Any

from ebee.btf import Btf, Func, Typedef
from ebee.errors import KernelError, ObjectError
from ebee.hooks import Hook
from ebee.linux import btf as loaded_btf
from ebee.linux.info import object_info, open_id
from ebee.linux.kernel_btf import KernelBtf
from ebee.linux.programs import FUNC_INFO_SIZE, LinuxProgram
from ebee.obj.spec import ProgramSpec

TARGETS: dict[str, tuple[str, type[Func] | type[Typedef]]] = {
    "function": ("", Func),
    "tracepoint": ("btf_trace_", Typedef),
    "hook": ("bpf_lsm_", Func),
    "iterator": ("bpf_iter_", Func),
}
"""Target of a hook -> prefix of its name in the kernel's BTF, and the kind of the type there."""


def attributes(
    hook: Hook, spec: ProgramSpec, kernel: KernelBtf, program: LinuxProgram | None = None
) -> dict[str, Any]:
    """The attributes of BPF_PROG_LOAD that say what a program is for.

    `program`: the one whose function is traced or replaced. Raises ObjectError when nothing is
    named, KernelError (ENOENT) when the kernel has nothing of that name.
    """
    if program is not None:
        return _of_program(hook, spec, program)
    if hook.name == "freplace":
        raise ObjectError(
            f"program {spec.name} replaces a function of another program: give that one"
            f" (targets={{{spec.name!r}: program}})"
        )
    if hook.target is None or hook.target == "struct":
        return {}
    module, _, name = spec.attach_to.rpartition(":")
    if not name:
        raise ObjectError(
            f"program {spec.name}: {hook.name} needs a {hook.target}; name it in the section,"
            f' as in SEC("{hook.sections[0].name.rstrip("+")}/NAME")'
        )
    prefix, kind = TARGETS[hook.target]
    found = kernel.find(prefix + name, kind, module)
    if found is None:
        where = f"module {module}" if module else "this kernel"
        text = f"{where} has no {hook.target} {name!r} for {hook.name}"
        raise KernelError(f"program {spec.name}: {text}", errno.ENOENT)
    made: dict[str, Any] = {"attach_btf_id": found.id}
    return made | ({"attach_btf_obj_fd": found.fd} if found.module else {})


def _of_program(hook: Hook, spec: ProgramSpec, program: LinuxProgram) -> dict[str, Any]:
    if hook.name != "freplace" and hook.target != "function":
        raise ObjectError(f"program {spec.name}: {hook.name} programs have no program as target")
    btf = program_btf(program)
    name = spec.attach_to or _entry(program, btf)
    found = btf.get(name, Func)
    if found is None:
        functions = ", ".join(sorted(f.name for f in btf if isinstance(f, Func)))
        raise ObjectError(
            f"program {spec.name}: program {program.name} has no function {name!r};"
            f" it has {functions or 'none'}"
        )
    return {"attach_prog_fd": program.fd, "attach_btf_id": found.id}


def program_btf(program: LinuxProgram) -> Btf:
    """The types that a loaded program was described with; ObjectError when it was not."""
    info = program.info()
    if not info.get("btf_id"):
        raise ObjectError(
            f"program {program.name} was loaded without BTF, so its functions are not known"
        )
    with open_id("btf", info.btf_id) as fd:
        return loaded_btf.read(fd)


def _entry(program: LinuxProgram, btf: Btf) -> str:
    """The whole name of a program's main function; the kernel's own is cut off."""
    record = bytearray(FUNC_INFO_SIZE)
    wanted = {"nr_func_info": 1, "func_info_rec_size": FUNC_INFO_SIZE}
    info = object_info(program.fd, "prog", func_info=record, **wanted)
    number = int.from_bytes(record[4:8], sys.byteorder) if info.nr_func_info else 0
    return btf.type(number).name
