"""Watching the bpf() calls of a command and of what it starts, without slowing the rest of it.

A seccomp filter that the command inherits stops it at bpf() and at nothing else; ptrace(2) then
lets us look, before the call and after it. Since Linux 5.3 (PTRACE_GET_SYSCALL_INFO).
"""

from __future__ import annotations

import errno
import os
import signal
import struct
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from typing import Any, NamedTuple, NoReturn, TypeVar

from ebee.errors import KernelError
from ebee.linux.errors import older_than, refused, version_text
from ebee.linux.sys import last_errno, strerror

T = TypeVar("T")

# include/uapi/linux/ptrace.h
CONT, SYSCALL, GETEVENTMSG = 7, 24, 0x4201
SEIZE, LISTEN, GET_SYSCALL_INFO = 0x4206, 0x4208, 0x420E
EVENT_EXEC, EVENT_SECCOMP, EVENT_STOP = 4, 7, 128
BIRTHS = (1, 2, 3)
"""PTRACE_EVENT_FORK, _VFORK, _CLONE: the message is who was born."""
OPTIONS = sum(
    {"sysgood": 1, "fork": 2, "vfork": 4, "clone": 8, "exec": 16, "seccomp": 128,
     "exitkill": 1 << 20}.values()
)  # fmt: skip
INFO = struct.Struct("=B3xIQQ7Q8x")
"""struct ptrace_syscall_info: op, arch, ip, sp; a call's number and arguments, or its result."""
ENDED = 2
"""`op` after a call."""
WALL = 0x4000_0000
"""waitpid(): threads, too."""
OF_A_CALL = signal.SIGTRAP | 0x80
HALTS = (signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU)
PASSED_ON = (signal.SIGTERM, signal.SIGHUP)
OF_THE_TERMINAL = (signal.SIGINT, signal.SIGQUIT)
"""Those the terminal sends to the command as well, whose business they are."""

# Architectures as seccomp names them (include/uapi/linux/audit.h), each with its number of bpf().
# A machine may run other ones' programs, too.
NUMBERS = {
    "x86_64": ((0xC000_003E, 321), (0xC000_003E, 321 | 0x4000_0000), (0x4000_0003, 357)),
    "aarch64": ((0xC000_00B7, 280), (0x4000_0028, 386)),
    "riscv64": ((0xC000_00F3, 280),),
    "loongarch64": ((0xC000_0102, 280),),
    "ppc64le": ((0xC000_0015, 361),),
    "s390x": ((0x8000_0016, 351),),
}
RET_ALLOW, RET_TRACE = 0x7FFF_0000, 0x7FF0_0000
PR_SET_SECCOMP, SECCOMP_MODE_FILTER, PR_SET_NO_NEW_PRIVS = 22, 2, 38


class Ended(NamedTuple):
    """How a command ended: its exit code, or the signal that killed it (then `code` is what a shell
    would say)."""

    code: int
    signal: int = 0


def watch(
    command: Sequence[str],
    enter: Callable[[int, tuple[int, ...]], T],
    leave: Callable[[T, int | None], None],
) -> Ended:
    """Run a command until it and all it has started have ended.

    `enter(thread, arguments)` is called before each bpf(), and its answer with the result (as the
    kernel gives it, -errno when it failed; None when the thread died there) afterwards to `leave`.
    Signals and the exit code stay the command's. KernelError when it cannot be started.
    """
    if older_than("5.3"):
        text = f"watching bpf() calls requires Linux >= 5.3; this is {version_text()}"
        raise KernelError(text, errno.EOPNOTSUPP)
    code = seccomp_filter(os.uname().machine)
    child, go, trouble = _fork(command, code)
    with _signals(child), os.fdopen(trouble, "rb") as said:
        try:
            _ptrace(SEIZE, child, 0, OPTIONS, doing=f"trace {command[0]}")
        except KernelError:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            raise
        finally:
            os.close(go)
        ended = _follow(child, enter, leave)
        if told := said.read():
            number = int.from_bytes(told[:4], "little")
            doing = f"{told[4:].decode()} {command[0]}"
            raise refused(OSError(number, strerror(number)), doing)
    return ended


def _follow(
    child: int,
    enter: Callable[[int, tuple[int, ...]], T],
    leave: Callable[[T, int | None], None],
) -> Ended:
    """Attend to every stop of the child and its offspring, until the last one has ended. This
    process may have other children, who go on."""
    inside: dict[int, T] = {}  # threads in a call
    running, stillborn = {child}, set[int]()  # the latter ended before we were told of them
    ended = Ended(0)
    while running:
        thread, status = os.waitpid(-1, WALL)
        if not os.WIFSTOPPED(status):
            if thread not in running:
                stillborn.add(thread)
            running.discard(thread)
            if thread in inside:
                leave(inside.pop(thread), None)
            if thread == child:
                number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
                ended = Ended(128 + number if number else os.WEXITSTATUS(status), number)
            continue
        running.add(thread)
        event, number = status >> 16, os.WSTOPSIG(status)
        how, delivered = CONT, 0
        if event == EVENT_SECCOMP:
            if info := _call(thread):
                inside[thread] = enter(thread, info[5:])
        elif event == EVENT_EXEC:
            # A thread that is not the first takes its number: the one it had is no more.
            if (former := _message(thread)) != thread:
                running.discard(former)
            inside.pop(former, None)
        elif event in BIRTHS:
            if (born := _message(thread)) in stillborn:
                stillborn.remove(born)
            elif born:  # 0: the parent has just been killed
                running.add(born)
        elif event == EVENT_STOP:
            how = LISTEN if number in HALTS else CONT
        elif number == OF_A_CALL:
            info = _call(thread)
            if thread in inside and info and info[0] == ENDED:
                result = info[4]
                leave(inside.pop(thread), result - (1 << 64) if result >> 63 else result)
        elif not event:
            delivered = number
        if how == CONT and thread in inside:
            how = SYSCALL
        _ptrace(how, thread, 0, delivered)
    return ended


# -- the command ---------------------------------------------------------------------------------


def seccomp_filter(machine: str) -> bytes:
    """Classic BPF that tells the tracer of bpf(), and lets everything else pass."""
    if machine not in NUMBERS:
        raise KernelError(f"the number of the bpf() system call on {machine} is not known")
    load, equal, give = 0x20, 0x15, 0x06  # ld [k]; jeq #k, jt, jf; ret #k
    code = []
    for architecture, number in NUMBERS[machine]:
        code += [(load, 0, 0, 4), (equal, 0, 3, architecture), (load, 0, 0, 0)]
        code += [(equal, 0, 1, number), (give, 0, 0, RET_TRACE)]
    return b"".join(struct.pack("=HBBI", *insn) for insn in (*code, (give, 0, 0, RET_ALLOW)))


def _fork(command: Sequence[str], code: bytes) -> tuple[int, int, int]:
    """The child, waiting to become the command; the end of a pipe whose closing lets it; and the
    end of one in which it says what went wrong."""
    import sys

    waiting, go = os.pipe()
    trouble, said = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    libc = _libc()
    child = os.fork()
    if not child:
        os.close(go)
        os.close(trouble)
        _become(libc, command, code, waiting, said)
    os.close(waiting)
    os.close(said)
    return child, go, trouble


def _become(libc: Any, command: Sequence[str], code: bytes, waiting: int, said: int) -> NoReturn:
    """In the child: the filter, then the command."""
    import ctypes

    what = "watch"
    try:
        os.read(waiting, 1)
        room = ctypes.create_string_buffer(code, len(code))
        program = struct.pack("=H6xQ", len(code) // 8, ctypes.addressof(room))
        arguments = (PR_SET_SECCOMP, SECCOMP_MODE_FILTER, program, 0, 0)
        # Without CAP_SYS_ADMIN it takes the promise never to gain privileges, which a process that
        # is traced by an unprivileged one cannot do anyway.
        if libc.prctl(*arguments) and (
            libc.prctl(PR_SET_NO_NEW_PRIVS, 1, None, 0, 0) or libc.prctl(*arguments)
        ):
            raise OSError(last_errno(), "")
        for number in (signal.SIGPIPE, signal.SIGXFSZ):  # which Python ignores
            signal.signal(number, signal.SIG_DFL)
        what = "run"
        os.execvp(command[0], list(command))
    except OSError as error:
        os.write(said, (error.errno or 0).to_bytes(4, "little") + what.encode())
    finally:
        os._exit(127)


@contextmanager
def _signals(child: int) -> Iterator[None]:
    """Signals that are meant to end us go to the command; those of the terminal it gets itself."""

    def pass_on(number: int, _: object) -> None:
        with suppress(ProcessLookupError):
            os.kill(child, number)

    former = {n: signal.signal(n, signal.SIG_IGN) for n in OF_THE_TERMINAL}
    former |= {n: signal.signal(n, pass_on) for n in PASSED_ON}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


# -- ptrace() ------------------------------------------------------------------------------------


@cache
def _libc() -> Any:
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
    libc.ptrace.restype = ctypes.c_long
    libc.prctl.argtypes = [ctypes.c_int, ctypes.c_ulong, ctypes.c_char_p, *[ctypes.c_ulong] * 2]
    return libc


def _ptrace(request: int, thread: int, at: int, data: Any, doing: str = "trace it") -> int:
    """One request; -1 when the thread is gone meanwhile."""
    done: int = _libc().ptrace(request, thread, at, data)
    if done < 0 and last_errno() != errno.ESRCH:
        error = OSError(last_errno(), strerror(last_errno()))
        why = "it may be traced already, or not by this user" if error.errno == errno.EPERM else ""
        raise refused(error, doing, why)
    return done


def _call(thread: int) -> tuple[int, ...] | None:
    """What the kernel says of the call that a thread has stopped at; None when it is gone."""
    import ctypes

    room = ctypes.create_string_buffer(INFO.size)
    if _ptrace(GET_SYSCALL_INFO, thread, INFO.size, ctypes.addressof(room)) < 0:
        return None
    return INFO.unpack(room.raw)


def _message(thread: int) -> int:
    """What an event says."""
    import ctypes

    room = ctypes.c_ulong()
    _ptrace(GETEVENTMSG, thread, 0, ctypes.addressof(room))
    return room.value
