"""Programs of a few instructions, for tests of attaching: they count their runs."""

import contextlib
import os
import struct
import subprocess
import time

from ebee.isa.asm import assemble
from ebee.linux import LinuxMap, LinuxProgram, uapi
from ebee.linux.netns import CLONE_NEWNET, unshare

COUNT = """
    r6 = r1
    *(u32 *)(r10 -4) = {index}
    r1 = map[counts]
    r2 = r10
    r2 += -4
    call 1
    if r0 == 0 goto out
    {how}
out:
    r0 = {result}
    exit
"""
ADD = "r1 = 1; lock *(u64 *)(r0 +0) += r1"
TRACE = "r1 = *(u64 *)(r0 +0); r1 *= 10; r1 += {digit}; *(u64 *)(r0 +0) = r1"


def counts(entries=1):
    """A map of u64 counters."""
    return LinuxMap.create("array", 4, 8, entries, name="counts")


def count(made, index=0):
    return struct.unpack("=Q", made.lookup(struct.pack("=I", index)))[0]


def reset(made, index=0):
    made.update(struct.pack("=I", index), bytes(8))


def load(code, type, attach_type="", maps=None, name="probe", **options):
    fds = {name: made.fd.fileno() for name, made in (maps or {}).items()}
    kind = uapi.ATTACH_TYPES[attach_type] if attach_type else 0
    return LinuxProgram.load(assemble(code, fds), type, name=name, attach_type=kind, **options)


def counter(made, type, result=0, attach_type="", index=0, name="count"):
    """A program that counts its runs in a map and returns `result`."""
    code = COUNT.format(index=index, how=ADD, result=result)
    return load(code, type, attach_type, {"counts": made}, name)


def tracer(made, digit, type, result=0, attach_type=""):
    """A program that appends a digit to the decimal number in a map: what ran, in which order."""
    code = COUNT.format(index=0, how=TRACE.format(digit=digit), result=result)
    return load(code, type, attach_type, {"counts": made}, f"trace{digit}")


def in_child(function, cgroup=None, own_net=False):
    """Run a function in a child process, in a cgroup and with a loopback of its own if asked for;
    what failed there fails here."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        status = 1
        try:
            os.close(reading)
            if own_net:
                unshare(CLONE_NEWNET)
                subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
            if cgroup is not None:
                (cgroup / "cgroup.procs").write_text("0")
            function()
            status = 0
        except BaseException as error:
            with contextlib.suppress(OSError):
                os.write(writing, repr(error).encode())
        finally:
            os._exit(status)
    os.close(writing)
    with os.fdopen(reading, errors="replace") as pipe:
        text = pipe.read()
    _, status = os.waitpid(child, 0)
    assert status == 0, text


def ip(*words, netns=""):
    """Run iproute2's ip, in a named network namespace if one is given."""
    command = ["ip", *(["-n", netns] if netns else []), *words]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
    return done.stdout


PATIENCE, BRIEF = 20.0, 0.2
"""Seconds for what must come, on a machine that does much else; and for what must not."""


def silent(sock):
    """Whether nothing comes to a socket."""
    sock.settimeout(BRIEF)
    try:
        return not sock.recv(2000)
    except TimeoutError:
        return True
    finally:
        sock.settimeout(PATIENCE)


def wait_for(true, seconds=PATIENCE):
    """Whether something becomes true before long."""
    end = time.monotonic() + seconds
    while not true() and time.monotonic() < end:
        time.sleep(0.01)
    return true()
