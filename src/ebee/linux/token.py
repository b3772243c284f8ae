"""BPF tokens: what an administrator lets a container do with BPF, by way of a BPF file system that
was mounted for its user namespace with delegate_* options. Since Linux 6.9.

    with token.create("/sys/fs/bpf") as made: ...      in the container
    token.run(["ebee", "load", ...], Delegation())      the container and its mount, for a command

Loading needs nothing of this: where the kernel refuses, sys.submit() tries once more with the token
of the file system at /sys/fs/bpf, or at $LIBBPF_BPF_TOKEN_PATH, as libbpf does.
"""

from __future__ import annotations

import errno
import os
import re
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import Any

from ebee.errors import ConfigError, KernelError
from ebee.linux import uapi
from ebee.linux.errors import older_than, refused, version_text
from ebee.linux.host import read
from ebee.linux.owners import Owner, fdinfo
from ebee.linux.sys import Fd, last_errno, open_fd, strerror

SINCE = "6.9"
WORDS = {
    "cmds": {name.lower(): number for name, (number, _) in uapi.COMMANDS.items()},
    "maps": uapi.MAP_TYPES,
    "progs": uapi.PROG_TYPES,
    "attachs": uapi.ATTACH_TYPES,
}
"""What may be delegated: the kernel's option is `delegate_` and this word."""
ANY = "any"

# include/uapi/linux/mount.h, and its system calls, which have one number everywhere.
FSOPEN, FSCONFIG, FSMOUNT, MOVE_MOUNT = 430, 431, 432, 429
FSOPEN_CLOEXEC, FSMOUNT_CLOEXEC, MOVE_MOUNT_F_EMPTY_PATH = 1, 1, 4
FSCONFIG_SET_STRING, FSCONFIG_CMD_CREATE = 1, 6
CLONE_NEWNS, CLONE_NEWUSER, MS_REC, MS_PRIVATE = 0x20000, 0x1000_0000, 1 << 14, 1 << 18
AT_FDCWD = -100


@dataclass(frozen=True)
class Delegation:
    """What may be done: names of commands ("map_create"), types of maps and programs, attach types;
    each ("any",) for all."""

    cmds: tuple[str, ...] = (ANY,)
    maps: tuple[str, ...] = (ANY,)
    progs: tuple[str, ...] = (ANY,)
    attachs: tuple[str, ...] = (ANY,)

    def __post_init__(self) -> None:
        for what, words in WORDS.items():
            for word in getattr(self, what):
                if word != ANY and word not in words and not word.startswith("0x"):
                    from difflib import get_close_matches

                    near = get_close_matches(word, words, 1)
                    hint = f" Did you mean {near[0]!r}?" if near else ""
                    raise ConfigError(f"{word!r} is none of the {what} of bpf().{hint}")

    def options(self) -> dict[str, str]:
        """As mount options: numbers, which every kernel with tokens takes."""
        return {f"delegate_{w}": hex(_mask(w, getattr(self, w))) for w in WORDS if getattr(self, w)}


def _mask(what: str, words: Sequence[str]) -> int:
    if ANY in words:
        return (1 << 64) - 1
    return sum({1 << WORDS[what][w] if w in WORDS[what] else int(w, 16) for w in words})


def _names(what: str, mask: int) -> tuple[str, ...]:
    """The words of a mask; bits without one as a number."""
    if mask == (1 << 64) - 1:
        return (ANY,)
    found = {n: w for w, n in WORDS[what].items() if mask >> n & 1}
    rest = mask & ~sum(1 << n for n in found)
    return (*found.values(), *([hex(rest)] if rest else []))


def mounts() -> Iterator[tuple[str, Delegation]]:
    """The BPF file systems mounted here that delegate something, with what."""
    for line in (read("/proc/self/mountinfo") or "").splitlines():
        left, _, right = line.partition(" - ")
        kind, _, options = right.split(" ", 2)
        if kind == "bpf" and "delegate_" in options:
            path = re.sub(r"\\(\d{3})", lambda m: chr(int(m[1], 8)), left.split()[4])
            said = dict(re.findall(r"delegate_(\w+)=([^, ]+)", options))
            yield path, Delegation(**{w: _listed(w, said.get(w, "")) for w in WORDS})


def _listed(what: str, text: str) -> tuple[str, ...]:
    """The kernel's `prog_load:map_create:0x100`."""
    mask = 0
    for word in filter(None, text.split(":")):
        mask |= _mask(what, (word,)) if word in (ANY, *WORDS[what]) else int(word, 0)
    return _names(what, mask)


def tokens() -> Iterator[tuple[Owner, int, Delegation]]:
    """The tokens that processes hold: who, their descriptor, what it allows."""
    for pid in filter(str.isdecimal, os.listdir("/proc")):
        try:
            numbers = os.listdir(f"/proc/{pid}/fd")
        except OSError:  # ended, or another user's
            continue
        for number in numbers:
            with suppress(OSError):  # closed meanwhile
                if "bpf-token" in os.readlink(f"/proc/{pid}/fd/{number}"):
                    owner = Owner(int(pid), read(f"/proc/{pid}/comm") or "")
                    yield owner, int(number), allowed(pid, number)


def allowed(pid: str | int, fd: str | int) -> Delegation:
    """What a token allows."""
    said = fdinfo(pid, fd)
    return Delegation(**{w: _listed(w, said.get(f"allowed_{w}", "0x0")) for w in WORDS})


def create(path: str | os.PathLike[str]) -> Fd:
    """A token of the BPF file system mounted at a path, in whose user namespace we must be."""
    try:
        folder = Fd(os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
    except OSError as error:
        raise KernelError(f"cannot open {path}: {error.strerror}", error.errno or 0) from None
    with folder:
        try:
            return open_fd("TOKEN_CREATE", bpffs_fd=folder)
        except OSError as error:
            why = {
                errno.EOPNOTSUPP: "tokens are for user namespaces; in the first one, capabilities"
                " do",
                errno.ENOENT: "it delegates nothing (mount options delegate_cmds=... and so on)",
                errno.EINVAL: "it is not where a BPF file system is mounted",
                errno.EPERM: "it was mounted for another user namespace, or CAP_BPF is missing in"
                " this one",
            }.get(error.errno or 0, "")
            raise refused(error, f"create a BPF token of {path}", why, since=SINCE) from None


# -- a user namespace with a token ---------------------------------------------------------------


def run(command: Sequence[str], delegation: Delegation, at: str = "/sys/fs/bpf") -> int:
    """Run a command in a user and mount namespace of its own, in which a BPF file system at `at`
    delegates; its exit code (128 and the signal's number, if one killed it). Needs CAP_SYS_ADMIN.
    """
    if older_than(SINCE):
        text = f"BPF tokens require Linux >= {SINCE}; this is {version_text()}"
        raise KernelError(text, errno.EOPNOTSUPP)
    ours, theirs = socket.socketpair()
    child = os.fork()
    if not child:
        ours.close()
        _inside(command, at, theirs)
    theirs.close()
    with ours:
        try:
            _prepare(child, delegation, ours)
        except KernelError as error:
            trouble: KernelError | None = error
        else:
            trouble = None
        ours.shutdown(socket.SHUT_WR)
        said = ours.recv(4096).decode(errors="replace")
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if trouble or said:
        raise trouble or KernelError(f"cannot run {command[0]} with a BPF token: {said}")
    return 128 - code if code < 0 else code


def _prepare(child: int, delegation: Delegation, other: socket.socket) -> None:
    """The child's users, and the options of its file system, which only we may set."""
    _, files, _, _ = socket.recv_fds(other, 1, 1)
    if not files:
        return  # it says why
    for name in ("uid", "gid"):
        with open(f"/proc/{child}/{name}_map", "w") as file:
            file.write("0 0 4294967295")
    with Fd(files[0]) as context:
        for name, value in delegation.options().items():
            _mounting(f"set {name}={value}", FSCONFIG, context.fileno(), FSCONFIG_SET_STRING,
                      name.encode(), value.encode(), 0)  # fmt: skip
        _mounting("make a BPF file system", FSCONFIG, context.fileno(), FSCONFIG_CMD_CREATE, None,
                  None, 0)  # fmt: skip
    other.send(b"!")


def _inside(command: Sequence[str], at: str, other: socket.socket) -> None:
    """In the child: namespaces, a file system for the parent to set up, its mount, the command."""
    try:
        libc = _libc()
        if libc.unshare(CLONE_NEWUSER | CLONE_NEWNS):
            raise OSError(last_errno(), "no user namespace: " + strerror(last_errno()))
        context = _mounting("open a BPF file system", FSOPEN, b"bpf", FSOPEN_CLOEXEC)
        socket.send_fds(other, [b"!"], [context])
        if not other.recv(1):
            raise OSError(0, "")
        libc.mount(None, b"/", None, MS_REC | MS_PRIVATE, None)
        mount = _mounting("mount it", FSMOUNT, context, FSMOUNT_CLOEXEC, 0)
        _mounting(f"mount it at {at}", MOVE_MOUNT, mount, b"", AT_FDCWD, os.fsencode(at),
                  MOVE_MOUNT_F_EMPTY_PATH)  # fmt: skip
        os.execvp(command[0], list(command))
    except (OSError, KernelError) as error:
        text = str(error) if isinstance(error, KernelError) else error.strerror or ""
        with suppress(OSError):
            other.send(text.encode())
    finally:
        os._exit(127)


@cache
def _libc() -> Any:
    import ctypes

    return ctypes.CDLL(None, use_errno=True)


def _mounting(doing: str, number: int, *arguments: Any) -> int:
    """A system call of mount(2)'s family; KernelError when it fails."""
    import ctypes

    wide = [ctypes.c_long(a) if isinstance(a, int) else ctypes.c_char_p(a) for a in arguments]
    call: Callable[..., int] = _libc().syscall
    done = call(ctypes.c_long(number), *wide)
    if done < 0:
        raise refused(OSError(last_errno(), strerror(last_errno())), doing,
                      needs=("CAP_SYS_ADMIN",))  # fmt: skip
    return done
