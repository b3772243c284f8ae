"""bpf() itself: named attributes in, results out; and the file descriptors it gives.

`call("MAP_CREATE", map_type=1, ...)` packs what it is given by the tables of uapi.py and passes no
more than that, so one table serves old kernels too: they refuse only fields that they do not know.
Failures are plain OSError here; the rest of this room turns them into words.
"""

from __future__ import annotations

import errno
import os
import struct
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from functools import cache
from typing import Any, TypeAlias, TypeVar

from ebee.errors import KernelError
from ebee.linux import uapi
from ebee.linux.host import kernel_version

# A number; a buffer or text where the kernel takes a pointer (it lives as long as the structure).
Value: TypeAlias = Any  # int | str | bytes | bytearray | ctypes.Array | Fd
SelfFd = TypeVar("SelfFd", bound="Fd")

# System call numbers (arch/*/entry/syscalls); the last three machines share asm-generic's.
SYSCALLS = {
    "bpf": {"x86_64": 321, "ppc64le": 361, "s390x": 351}
    | dict.fromkeys(("aarch64", "riscv64", "loongarch64"), 280),
    "perf_event_open": {"x86_64": 298, "ppc64le": 319, "s390x": 331}
    | dict.fromkeys(("aarch64", "riscv64", "loongarch64"), 241),
}
LOAD_ATTEMPTS = 5  # The verifier gives up with EAGAIN when a signal is pending; libbpf's number.


class Fd:
    """An open file descriptor that is ours: closed by close(), `with`, or when it is collected."""

    __slots__ = ("_number",)

    def __init__(self, number: int):
        self._number = number

    def fileno(self) -> int:
        """The number; KernelError when it is closed."""
        if self._number < 0:
            raise KernelError("this object is closed", errno.EBADF)
        return self._number

    @property
    def closed(self) -> bool:
        return self._number < 0

    def close(self, _close: Callable[[int], None] = os.close) -> None:
        """Close it; doing so again does nothing."""
        number, self._number = self._number, -1
        if number >= 0:
            _close(number)

    def detach(self) -> int:
        """Give the number away: from now on the caller closes it."""
        number, self._number = self.fileno(), -1
        return number

    def dup(self) -> Fd:
        """Another descriptor of the same object."""
        import fcntl

        return Fd(fcntl.fcntl(self.fileno(), fcntl.F_DUPFD_CLOEXEC, 3))

    def __enter__(self: SelfFd) -> SelfFd:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        if getattr(self, "_number", -1) >= 0:
            self.close()

    def __repr__(self) -> str:
        return f"Fd({self._number})" if self._number >= 0 else "Fd(closed)"


def address(buffer: Any) -> int:
    """Where a buffer's bytes are. The caller keeps it alive."""
    import ctypes

    if isinstance(buffer, bytes):
        return ctypes.cast(ctypes.c_char_p(buffer), ctypes.c_void_p).value or 0
    if isinstance(buffer, ctypes.Array):
        return ctypes.addressof(buffer)
    view = memoryview(buffer)
    return ctypes.addressof((ctypes.c_char * view.nbytes).from_buffer(buffer))


# A layout made ready: bytes in all, and the place and packer of each field.
Packed: TypeAlias = tuple[int, dict[str, tuple[int, struct.Struct]]]


def packed(layout: uapi.Layout) -> Packed:
    """Make a table of uapi.py ready for use."""
    fields = {name: (at, struct.Struct("=" + form)) for name, (at, form) in layout.items()}
    whole = max(at + packer.size for at, packer in fields.values())
    return (whole + 7) & ~7, fields


@cache
def info_layout(kind: str) -> Packed:
    return packed(uapi.INFOS[kind])


@cache
def _command(name: str) -> tuple[int, Packed]:
    """A command's number, and the layout of its attributes."""
    number, group = uapi.COMMANDS[name]
    return number, _group(group)


@cache
def _group(name: str) -> Packed:
    return packed(uapi.ATTRIBUTES[name])


class CStruct:
    """A C structure in memory, laid out by a table of uapi.py, with its fields by name."""

    __slots__ = ("_fields", "_keep", "data", "size")

    def __init__(self, layout: Packed, fields: Mapping[str, Value]):
        import ctypes

        whole, self._fields = layout
        self._keep: list[object] = []
        self.data = ctypes.create_string_buffer(whole)
        self.size = 0  # Up to the end of the last field that was given.
        for name, value in fields.items():
            self[name] = value

    def __setitem__(self, name: str, value: Value) -> None:
        if name not in self._fields:
            raise KernelError(f"bpf() has no attribute {name!r} here: {', '.join(self._fields)}")
        at, packer = self._fields[name]
        if not isinstance(value, int):
            value = self._convert(packer, value)
        try:
            packer.pack_into(self.data, at, value)
        except struct.error:
            raise KernelError(f"bpf() attribute {name} cannot be {value!r}") from None
        self.size = max(self.size, at + packer.size)

    def _convert(self, packer: struct.Struct, value: Any) -> int | bytes:
        """A field's value for struct: characters, a descriptor, or the address of a buffer."""
        if packer.format[-1] == "s":
            return value.encode() if isinstance(value, str) else bytes(value)
        if hasattr(value, "fileno"):
            return int(value.fileno())
        if packer.format[-1] != "Q":
            raise KernelError(f"a bpf() attribute of {packer.size} bytes cannot point to {value!r}")
        if isinstance(value, str):
            value = value.encode() + b"\0"
        self._keep.append(value)
        return address(value)

    def __getitem__(self, name: str) -> Any:
        at, packer = self._fields[name]
        return packer.unpack_from(self.data, at)[0]

    def items(self) -> dict[str, Any]:
        """All fields that lie within `size`, with their values."""
        return {
            name: packer.unpack_from(self.data, at)[0]
            for name, (at, packer) in self._fields.items()
            if at + packer.size <= self.size
        }


class Attributes(CStruct):
    """The attributes of a command; after the call with its outputs and its own `result`."""

    __slots__ = ("command", "number", "result")

    def __init__(self, command: str, fields: Mapping[str, Value]):
        self.command = command
        self.number, layout = _command(command)
        self.result = -1
        super().__init__(layout, fields)


@cache
def syscall(name: str = "bpf") -> Callable[..., int]:
    """A system call of SYSCALLS, for three or five arguments; errno is left to last_errno()."""
    import ctypes
    import functools

    machine = os.uname().machine
    if machine not in SYSCALLS[name]:
        raise KernelError(f"the number of the {name}() system call on {machine} is not known")
    # An object of its own: argument types belong to the function object.
    function = ctypes.CDLL(None, use_errno=True)["syscall"]
    function.restype = ctypes.c_long
    arguments: dict[str, list[Any]] = {
        "bpf": [ctypes.c_long, ctypes.c_void_p, ctypes.c_ulong],
        "perf_event_open": [ctypes.c_void_p, *[ctypes.c_long] * 3, ctypes.c_ulong],
    }
    function.argtypes = [ctypes.c_long, *arguments[name]]
    return functools.partial(function, SYSCALLS[name][machine])


def submit(attributes: Attributes) -> int:
    """Make the call; 0, or the errno of its failure.

    Interrupted calls are made again, but for test runs, whose effects cannot be taken back, and
    batches, whose attributes then hold results. On a kernel that charges BPF memory to
    RLIMIT_MEMLOCK (before 5.11) a failing EPERM raises that limit once and tries again. Where
    signals come so fast that no verification ends, the last attempt is made without any.
    """
    command = attributes.command
    attempts = LOAD_ATTEMPTS
    while True:
        with _without_signals() if attempts == 1 else nullcontext():
            result = syscall()(attributes.number, attributes.data, attributes.size)
        attributes.result = result
        if result >= 0:
            return 0
        code = last_errno()
        attempts -= 1
        again = (
            (code == errno.EINTR and command != "PROG_TEST_RUN" and "BATCH" not in command)
            or (code == errno.EAGAIN and command == "PROG_LOAD" and attempts)
            or (code == errno.EPERM and command in LOADING and raise_memlock())
            or (code == errno.EPERM and command in LOADING and _with_token(attributes))
        )
        if not again:
            return code


@contextmanager
def _without_signals() -> Iterator[None]:
    """No signal comes to this thread."""
    import signal

    before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def call(command: str, /, **fields: Value) -> Attributes:
    """One bpf() call: its attributes with the outputs filled in; OSError when it fails."""
    attributes = Attributes(command, fields)
    if code := submit(attributes):
        raise OSError(code, strerror(code))
    return attributes


def open_fd(command: str, /, **fields: Value) -> Fd:
    """A command whose result is a descriptor (always close-on-exec: the kernel sees to it)."""
    return Fd(call(command, **fields).result)


def last_errno() -> int:
    import ctypes

    return ctypes.get_errno()


def strerror(code: int) -> str:
    """errno in words; also the one number that only bpf() lets out of the kernel."""
    return "Operation not supported by this kind of object" if code == 524 else os.strerror(code)


LOADING = {"MAP_CREATE": "map", "PROG_LOAD": "prog", "BTF_LOAD": "btf"}
"""Commands that take memory, and may be done with a BPF token; what fields are called after."""


def _with_token(attributes: Attributes) -> bool:
    """Put the BPF token of this container into the attributes; False when there is none, or it is
    in them already."""
    word = LOADING[attributes.command]
    token = container_token()
    if token is None or attributes[f"{word}_token_fd"]:
        return False
    attributes[f"{word}_flags"] |= uapi.BPF_F_TOKEN_FD
    attributes[f"{word}_token_fd"] = token
    return True


@cache
def container_token() -> Fd | None:
    """The token of the BPF file system that this user namespace has been given, if any: the one at
    $LIBBPF_BPF_TOKEN_PATH or /sys/fs/bpf. Since Linux 6.9."""
    if kernel_version() < (6, 9):
        return None
    path = os.environ.get("LIBBPF_BPF_TOKEN_PATH") or "/sys/fs/bpf"
    try:
        with Fd(os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)) as folder:
            return open_fd("TOKEN_CREATE", bpffs_fd=folder)
    except OSError:
        return None


def raise_memlock() -> bool:
    """Lift RLIMIT_MEMLOCK on kernels before 5.11; True when that has changed something."""
    if kernel_version() >= (5, 11):
        return False
    import resource

    unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    if resource.getrlimit(resource.RLIMIT_MEMLOCK) == unlimited:
        return False
    try:
        resource.setrlimit(resource.RLIMIT_MEMLOCK, unlimited)
    except (OSError, ValueError):
        return False
    return True
