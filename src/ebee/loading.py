"""From whatever holds a program to a live object: `read` makes a spec, `load` puts it to work."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any, Literal, overload

from ebee.errors import MachineError, ObjectError

if TYPE_CHECKING:
    from typing import TypeAlias

    from ebee.linux.backend import LinuxObject
    from ebee.machine.machine import Machine, MachineObject
    from ebee.obj.handles import Map
    from ebee.obj.spec import ObjectSpec

    Source: TypeAlias = (
        str | os.PathLike[str] | bytes | ModuleType | Callable[..., Any] | ObjectSpec
    )


def read(source: Source) -> ObjectSpec:
    """A program as plain data, which can be looked at and changed before it is loaded.

    `source` is a file (Python `*.py`, C `*.c`, or an object file), the bytes of an object, a Python
    module or function, or a spec already. CompileError, ObjectError or BtfError for what cannot be
    compiled or read; their text says where and why.

    >>> spec = read("examples/rate_limiter.py")
    >>> spec.programs["rate_limiter"].hook
    'xdp'
    >>> spec.variables["burst"] = 100
    >>> spec.maps["buckets"].max_entries = 512
    """
    from ebee.obj.spec import ObjectSpec

    if isinstance(source, ObjectSpec):
        return source
    if isinstance(source, bytes):
        from ebee.obj.reader import read as read_object

        return read_object(source)
    if isinstance(source, ModuleType | FunctionType) or not isinstance(source, str | os.PathLike):
        from ebee.lang.bpf.build import compile

        return compile(source)  # which says what it takes, for anything else
    suffix = os.path.splitext(source)[1]
    if suffix in (".py", ".c"):
        try:
            open(source, "rb").close()
        except OSError as error:  # compilers have no good words for it
            reason = (error.strerror or str(error)).lower()
            raise ObjectError(f"cannot read {os.fspath(source)}: {reason}") from None
    if suffix == ".py":
        from ebee.lang.bpf.build import compile

        return compile(source)
    if suffix == ".c":
        from ebee.clang import build

        return build(source)
    from ebee.obj.reader import load as read_file

    return read_file(source)


@overload
def load(
    source: Source,
    *,
    on: Literal["linux"],
    programs: Iterable[str] | None = None,
    maps: Mapping[str, Map] | None = None,
    variables: Mapping[str, Any] | None = None,
) -> LinuxObject: ...
@overload
def load(
    source: Source,
    *,
    on: Literal["machine"] | Machine = "machine",
    programs: Iterable[str] | None = None,
    maps: Mapping[str, Map] | None = None,
    variables: Mapping[str, Any] | None = None,
) -> MachineObject: ...
def load(
    source: Source,
    *,
    on: Literal["machine", "linux"] | Machine = "machine",
    programs: Iterable[str] | None = None,
    maps: Mapping[str, Map] | None = None,
    variables: Mapping[str, Any] | None = None,
) -> MachineObject | LinuxObject:
    """Load a program: into user space (`on="machine"`, a machine of its own, or one that is there)
    or into the kernel (`on="linux"`). What comes back is a context manager, the same on both.

    `source` is what `read` takes. `programs`: the names of those to load (else all); `variables`:
    first values of global variables; `maps`: maps of another object to use in place of new ones of
    these names, which stay that object's. The source itself is not changed.

    Errors of `read`; KernelError or VerifierError for what the kernel refuses, with its reason and
    a way out; MachineError for what the machine does not have.

    >>> with load("examples/counter.py") as counter:
    ...     result = counter.programs["counter"].test_run(bytes(64))
    >>> result.retval                                              # XDP.PASS
    2
    """
    spec = read(source)
    if variables:
        spec = spec.copy()
        for name, value in variables.items():
            spec.variables[name] = value
    given = {name: m.raw for name, m in (maps or {}).items()}
    if on == "linux":
        try:
            from ebee.linux.backend import load as load_linux
        except ImportError as error:  # not on this system: no epoll, say
            raise MachineError(f"there is no Linux here to load into: {error}") from None
        return load_linux(spec, programs=programs, maps=given)  # type: ignore[arg-type]
    from ebee.machine.machine import Machine, MachineObject

    if isinstance(on, Machine):
        return on.load(spec, programs, **given)  # type: ignore[arg-type]
    if on != "machine":
        raise MachineError(f"{on!r} is no place to load into: 'machine', 'linux' or a Machine")

    class Alone(MachineObject):
        """An object on a machine of its own, which goes with it."""

        def close(self) -> None:
            super().close()
            self.machine.close()

    machine = Machine()
    made = Alone(machine, spec, given)  # type: ignore[arg-type]
    try:
        made.load(programs)
    except BaseException:
        made.close()
        raise
    return made
