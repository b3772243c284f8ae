"""From IR text to machine code: the worker process, and the cache of what it made.

LLVM ends the process on what it cannot do, keeps 90 MB and leaks a little with each module, so it
runs in a child process: started when first needed, replaced when it dies or has grown, gone when
this process goes. Its death is a CompileError.
"""

from __future__ import annotations

import atexit
import os
import select
import signal
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, Any, Literal

from ebee.errors import CompileError
from ebee.lang.identity import llvmlite_place
from ebee.lang.target import Target, host
from ebee.lang.worker import frame, read_frame

Level = Literal["quick", "middle", "optimised", "most"]
Emit = Literal["object", "ir", "assembly"]

_QUICK = ("always_inliner", "global_dead_code_eliminate", "sroa", "simplify_cfg")
_MIDDLE = (
    "always_inliner", "global_dead_code_eliminate", "sroa", "instruction_combine", "simplify_cfg",
    "loop_rotate", "new_gvn", "instruction_combine", "simplify_cfg", "dead_store_elimination",
)  # fmt: skip

LEVELS: dict[str, dict[str, Any]] = {
    "quick": {"codegen": 0, "speed": 0, "pipeline": _QUICK},
    "middle": {"codegen": 1, "speed": 1, "pipeline": _MIDDLE},
    "optimised": {"codegen": 2, "speed": 2, "pipeline": ()},
    "most": {"codegen": 3, "speed": 3, "pipeline": ()},
}
"""What the levels mean: LLVM's effort in code generation, and its own pipeline of passes of a
speed level, or one of ours: `middle` costs a fifth of it and gives most of the speed."""

TIMEOUT = 60.0
"""Seconds that one request may take."""

RECYCLE_AFTER = 500
"""Requests after which a worker is replaced: every pass pipeline leaks a little."""

RECYCLE_RSS = 600 << 10
"""Size in KiB beyond which a worker is replaced."""


@dataclass(frozen=True, slots=True)
class Options:
    """How to compile. `cpu`: "native", or a name that LLVM knows ("x86-64-v3"); `features`: in
    LLVM's form ("+avx2,-sse4a"), for named CPUs; `keep`: functions that stay visible (None: all,
    else the others become internal, may be inlined everywhere and vanish)."""

    level: Level = "optimised"
    target: Target | None = None
    cpu: str = "native"
    features: str = ""
    keep: tuple[str, ...] | None = None

    def request(self, emit: Emit) -> dict[str, Any]:
        """The options as the worker takes them."""
        if self.level not in LEVELS:
            raise CompileError(f"there is no level {self.level!r}, only {', '.join(LEVELS)}")
        target = self.target or host()
        cpu = self.cpu
        if cpu == "native" and target is not host():
            cpu = "generic"
        return {
            "emit": emit, "level": self.level, "triple": target.triple, "cpu": cpu,
            "features": self.features, "keep": None if self.keep is None else list(self.keep),
            "stack": target.stack,
            **LEVELS[self.level],
        }  # fmt: skip


class StackError(CompileError):
    """A function that needs more stack than the target has: `slots` are names and sizes."""

    def __init__(self, function: str, slots: list[tuple[str, int]]):
        self.function, self.slots = function, slots
        total = sum(size for _, size in slots)
        super().__init__(f"{function} needs {total} bytes of stack")


class DeathError(CompileError):
    """The compiler process died of a request."""


class Worker:
    """One child process and the pipe to it. Not for use by several threads at once."""

    def __init__(self) -> None:
        import subprocess
        import tempfile

        self.owner = os.getpid()
        self.served = 0
        self.rss = 0
        self._log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115
        command = [sys.executable or "python3", "-I", "-S", _script(),
                   os.path.dirname(llvmlite_place())]  # fmt: skip
        try:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log,
                start_new_session=True,  # Ctrl-C is the parent's business
            )  # fmt: skip
        except OSError as e:
            raise CompileError(f"cannot start the compiler process {command[0]}: {e}") from None

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def worn(self) -> bool:
        """Whether it is time for a new one."""
        return self.served >= RECYCLE_AFTER or self.rss > RECYCLE_RSS

    def ask(self, header: dict[str, Any], body: bytes, timeout: float) -> bytes:
        """One request; CompileError when it fails, and then `self` may be dead."""
        self.served += 1
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(frame(header, body))
            process.stdin.flush()
        except BrokenPipeError:
            raise self._died() from None
        reader = _Timed(process.stdout.fileno(), time.monotonic() + timeout)
        try:
            answer = read_frame(reader)  # type: ignore[arg-type]
        except TimeoutError:
            self.close()
            raise CompileError(
                f"the compiler did not finish within {timeout:g} seconds and was ended\n"
                "way out: a smaller function, or the quick level"
            ) from None
        if answer is None:
            raise self._died()
        result, data = answer
        self.rss = result["rss"]
        if "stack" in result:
            raise StackError(*result["stack"])
        if not result["ok"]:
            raise CompileError(f"LLVM refuses the module: {result['error']}")
        return data

    def _died(self) -> DeathError:
        """Why the process is gone, as an error."""
        code = self._process.wait()
        self._log.seek(0)
        said = [s for s in self._log.read().decode(errors="replace").splitlines() if s.strip()]
        self.close()
        if code == -signal.SIGKILL:
            cause = "it was killed, probably for lack of memory"
        elif code < 0:
            cause = f"LLVM stopped with {signal.Signals(-code).name}"
        else:
            cause = f"it ended with code {code}"
        errors = [s for s in said if "LLVM ERROR" in s or "Error" in s] or said[-1:]
        detail = f": {errors[0].removeprefix('LLVM ERROR: ')}" if errors else ""
        return DeathError(f"the compiler process died: {cause}{detail}")

    @property
    def alive(self) -> bool:
        return self.owner == os.getpid() and self._process.poll() is None

    def close(self) -> None:
        """End the process."""
        if self.owner == os.getpid():
            self._process.kill()
            self._process.wait()
        self.forget()

    def forget(self) -> None:
        """Close this process's ends of the pipes."""
        for stream in (self._process.stdin, self._process.stdout, self._log):
            if stream is not None:
                with suppress(BrokenPipeError):
                    stream.close()


class _Timed:
    """Reads a pipe with a deadline."""

    def __init__(self, fd: int, deadline: float):
        self._fd, self._deadline = fd, deadline
        self._poll = select.poll()
        self._poll.register(fd, select.POLLIN)

    def read(self, size: int) -> bytes:
        """`size` bytes, fewer at the end of the stream."""
        chunks = []
        while size:
            left = self._deadline - time.monotonic()
            if left <= 0 or not self._poll.poll(left * 1000):
                raise TimeoutError
            chunk = os.read(self._fd, min(size, 1 << 20))
            if not chunk:
                break
            chunks.append(chunk)
            size -= len(chunk)
        return b"".join(chunks)


def _script() -> str:
    from ebee.lang import worker

    return str(worker.__file__)


# --- the one worker of this process --------------------------------------------------------------

_lock = threading.Lock()
_worker: Worker | None = None


def _current() -> Worker:
    """The worker, a new one where need be. The caller holds the lock."""
    global _worker
    if _worker is not None and (not _worker.alive or _worker.worn):
        _worker.close()
        _worker = None
    if _worker is None:
        _worker = Worker()
    return _worker


def warm() -> None:
    """Start the worker, so that it is ready when it is needed."""
    with _lock:
        _current()


def shut_down() -> None:
    """End the worker; the next request starts a new one."""
    global _worker
    with _lock:
        if _worker is not None:
            _worker.close()
        _worker = None


def _after_fork() -> None:
    """A forked child has its own worker, and does not keep the parent's alive."""
    global _worker, _lock
    _lock = threading.Lock()
    if _worker is not None:
        _worker.forget()
    _worker = None


atexit.register(shut_down)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def compile_ir(
    texts: Sequence[str], options: Options | None = None, emit: Emit = "object",
    timeout: float = TIMEOUT,
) -> bytes:  # fmt: skip
    """Link IR texts into one module and compile it: an ELF object, or text for reading.

    CompileError when LLVM refuses the module, dies of it, or does not finish in time. Host code
    whose instruction selection LLVM dies of (LLVM 22 of a sign bit that is both stored and an index
    of eight-byte elements) is compiled at the quick level instead.
    """
    parts = [text.encode() for text in texts]
    header = (options or Options()).request(emit) | {"texts": [len(p) for p in parts]}
    body = b"".join(parts)
    with _lock:
        try:
            return _current().ask(header, body, timeout)
        except DeathError:
            if header["stack"] or not header["codegen"]:
                raise
            return _current().ask(header | LEVELS["quick"], body, timeout)
