"""Kernel programs: load with the verifier's log, run on test data, inspect, pin."""

from __future__ import annotations

import errno
import os
import re
from array import array
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ebee.errors import KernelError, VerifierError
from ebee.hooks.numbers import NET_ADMIN_TYPES, PERFMON_TYPES
from ebee.isa import Insn, encode
from ebee.isa.insn import MAX_INSNS
from ebee.linux import features, uapi
from ebee.linux.errors import ENOTSUPP, name_of, object_name, older_than, refused
from ebee.linux.flags import BPF_F_TEST_RUN_ON_CPU, BPF_F_TEST_XDP_LIVE_FRAMES
from ebee.linux.host import version_code
from ebee.linux.info import Info, object_info, open_id, open_pinned, pin
from ebee.linux.sys import Attributes, Fd, call, open_fd, strerror, submit
from ebee.obj.run import RunResult

LOG_START = 1 << 20
LOG_LIMIT = (1 << 24) - 1 if older_than("5.2") else (1 << 30) - 1  # bpf_verifier_log_attr_valid
FUNC_INFO_SIZE, LINE_INFO_SIZE = 8, 16  # struct bpf_func_info, struct bpf_line_info
ANY_VERSION = 0xFFFF_FFFE  # What gobpf and cilium/ebpf write for "whatever is running".
STREAMS = {"stdout": 1, "stderr": 2}  # enum bpf_stream_id
OUT_ROOM = 4096  # How much a test run's output may be longer than its input.

# Types whose test run gives no context back, but writes into the one it was given, if at all.
CTX_IN_PLACE = {"syscall", "raw_tracepoint", "raw_tracepoint_writable"}
# Since when each type has a test run; the others have none (lwt_seg6local had one at times).
TEST_RUNS = {
    **dict.fromkeys(("socket_filter", "sched_cls", "sched_act", "xdp", "cgroup_skb"), "4.12"),
    **dict.fromkeys(("lwt_in", "lwt_out", "lwt_xmit"), "4.12"),
    "flow_dissector": "5.1", "tracing": "5.7", "raw_tracepoint": "5.10", "sk_lookup": "5.14",
    "syscall": "5.14",
    "struct_ops": "5.18", "netfilter": "6.4",
}  # fmt: skip


class LinuxProgram:
    """One program of the kernel: `name`, `type` ("xdp"), `id`, `tag`; `log` when one was asked for;
    `attach_type`: the one it was loaded for, None where another process has done that.

    Closed by close(), `with`, or when collected; the kernel's program lives on while a link, a pin,
    a prog_array or another process holds it.
    """

    def __init__(self, fd: Fd, info: Info, log: str = ""):
        self.fd = fd
        self.type = PROG_TYPE_NAMES.get(info.type, f"type {info.type}")
        self.name: str = info.get("name", "")
        self.id: int = info.id
        self.tag: str = info.tag
        self.log = log
        self.attach_type: int | None = None

    # -- making and finding ------------------------------------------------------------------

    @classmethod
    def load(
        cls,
        insns: bytes | Iterable[Insn],
        type: str,
        *,
        name: str = "",
        license: str = "GPL",
        version: int = 0,
        attach_type: int = 0,
        flags: int = 0,
        log_level: int = 0,
        btf: Fd | None = None,
        func_info: bytes = b"",
        line_info: bytes = b"",
        fd_array: Sequence[int] = (),
        **attributes: Any,
    ) -> LinuxProgram:
        """Load instructions whose map references are descriptors already.

        `version`: what the object says it was made for; kernels before 5.0 want their own.
        `log_level` (1: what the verifier did, 2: more, 4: statistics) fills `.log`; without it a
        log is asked for only after a failure. `attributes` are further ones of BPF_PROG_LOAD by
        name (attach_btf_id, attach_prog_fd, prog_ifindex, ...). Raises VerifierError when the
        program was rejected, KernelError when it did not come to that.
        """
        if type not in uapi.PROG_TYPES:
            names = ", ".join(uapi.PROG_TYPES)
            raise KernelError(f"{type!r} is no program type; there are: {names}")
        code = insns if isinstance(insns, bytes) else encode(insns)
        attributes |= {"prog_type": uapi.PROG_TYPES[type], "insn_cnt": len(code) // 8}
        attributes |= {"insns": code, "license": license, "prog_flags": flags}
        if name and features.has("names"):
            attributes["prog_name"] = object_name(name)
        if attach_type and features.has("attach types"):
            attributes["expected_attach_type"] = attach_type
        if older_than("5.0"):
            any_version = version in (0, ANY_VERSION)
            attributes["kern_version"] = version_code() if any_version else version
        if btf is not None and not older_than("5.0"):
            attributes |= _debug_info(btf, func_info, line_info)
        if fd_array:
            attributes["fd_array"] = array("i", fd_array).tobytes()
        fd, log = _load(attributes, type, name, log_level)
        try:
            made = cls(fd, object_info(fd, "prog"), log)
        except KernelError:  # before Linux 4.13
            unknown = Info(type=uapi.PROG_TYPES[type], name=name, id=0, tag="")
            made = cls(fd, unknown, log)
        made.attach_type = attach_type
        return made

    @classmethod
    def from_fd(cls, fd: Fd) -> LinuxProgram:
        """The program of a descriptor, which it owns from now on."""
        return cls(fd, object_info(fd, "prog"))

    @classmethod
    def from_id(cls, number: int) -> LinuxProgram:
        """The program with that id. Needs CAP_SYS_ADMIN."""
        return cls.from_fd(open_id("prog", number))

    @classmethod
    def get(cls, path: str | os.PathLike[str]) -> LinuxProgram:
        """The program pinned at a path."""
        return cls.from_fd(open_pinned(path, "prog"))

    # -- use ---------------------------------------------------------------------------------

    def test_run(
        self,
        data: bytes = b"",
        *,
        ctx: bytes | Mapping[str, Any] = b"",
        repeat: int = 1,
        flags: int = 0,
        cpu: int | None = None,
        batch_size: int = 0,
        out_room: int = OUT_ROOM,
    ) -> RunResult:
        """Run the program on a packet and/or a context, `repeat` times, and see what it leaves.

        `ctx` is bytes, or members of the context by name ({"ingress_ifindex": 1}).

        Maps keep what the program does to them. The packet may grow by `out_room` bytes. Which
        inputs a type takes is the kernel's to say (net/bpf/test_run.c). With
        BPF_F_TEST_XDP_LIVE_FRAMES (Linux 5.18) packets really go out, `batch_size` at a time, and
        nothing comes back. Since Linux 4.12; `ctx` since 5.2, `cpu` 5.10.
        """
        if isinstance(ctx, Mapping):
            from ebee.linux.contexts import pack

            ctx = pack(self.type, ctx, data)
        fields: dict[str, Any] = {"prog_fd": self.fd}
        fields |= {"repeat": repeat} if repeat != 1 else {}  # some types refuse to be asked
        live = flags & BPF_F_TEST_XDP_LIVE_FRAMES
        room = 0 if live or not data else len(data) + out_room
        back = 0 if live or self.type in CTX_IN_PLACE else len(ctx)
        data_out, ctx_in, ctx_out = bytearray(room), bytearray(ctx), bytearray(back)
        for name, given, out in (("data", data, data_out), ("ctx", ctx_in, ctx_out)):
            if given:
                fields |= {f"{name}_in": given, f"{name}_size_in": len(given)}
            if out:
                fields |= {f"{name}_out": out, f"{name}_size_out": len(out)}
        if cpu is not None:
            flags |= BPF_F_TEST_RUN_ON_CPU
            fields["cpu"] = cpu
        fields |= {"flags": flags} if flags else {}
        fields |= {"batch_size": batch_size} if batch_size else {}
        reply = Attributes("PROG_TEST_RUN", fields)
        if code := submit(reply):
            raise self._run_error(code, reply["data_size_out"])
        return RunResult(
            reply["retval"],
            bytes(data_out[: reply["data_size_out"]]),
            bytes(ctx_out[: reply["ctx_size_out"]] if back else ctx_in),
            reply["duration"],
        )

    def _run_error(self, code: int, size: int) -> KernelError:
        why = {
            errno.EINTR: "a signal came in between",
            errno.ENOSPC: f"the packet has grown to {size} bytes; give more out_room",
            ENOTSUPP: f"{self.type} programs have no test run",
            errno.EINVAL: f"the kernel does not take this input for {self.type} programs",
        }.get(code, "")
        error = OSError(code, strerror(code))
        doing, since = f"run program {self.name!r} on test data", TEST_RUNS.get(self.type, "4.12")
        return refused(error, doing, why, since=since)

    def info(self) -> Info:
        """bpf_prog_info: id, tag, sizes, load time, run statistics (see enable_stats)."""
        return object_info(self.fd, "prog")

    def array(self, field: str, count: str, size: int, record: str = "") -> bytes:
        """One of the arrays that bpf_prog_info points to: `count` names the number of its items,
        which have `size` bytes; `record` is where the kernel wants to hear that. b"" where this
        kernel has none."""
        room = bytearray(self.info().get(count, 0) * size)
        if not room:
            return b""
        sizes = {record: size} if record else {}
        info = object_info(self.fd, "prog", **{field: room, count: len(room) // size}, **sizes)
        return bytes(room[: info[count] * size])

    def map_ids(self) -> list[int]:
        """The ids of the maps that the program uses."""
        raw = self.array("map_ids", "nr_map_ids", 4)
        return list(memoryview(raw).cast("I"))

    def xlated(self) -> bytes:
        """The instructions as the verifier rewrote them; addresses are hidden without
        CAP_SYSLOG."""
        return self.array("xlated_prog_insns", "xlated_prog_len", 1)

    def jited(self) -> bytes:
        """The machine code; empty when not compiled, or not for this user to see."""
        return self.array("jited_prog_insns", "jited_prog_len", 1)

    def read_stream(self, name: str, most: int = 1 << 16) -> bytes:
        """Take up to `most` bytes out of what the program has written to its "stdout" (with
        bpf_stream_printk) or the kernel to its "stderr" (faults in arenas, endless loops, locks
        that block each other); b"" when there is nothing. Since Linux 6.17."""
        room = bytearray(most)
        try:
            done = call("PROG_STREAM_READ_BY_FD", prog_fd=self.fd, stream_id=STREAMS[name],
                        stream_buf=room, stream_buf_len=most)  # fmt: skip
        except OSError as error:
            doing = f"read {name} of program {self.name!r}"
            raise refused(error, doing, needs=("CAP_BPF",), since="6.17") from None
        return bytes(room[: done.result])

    def bind(self, fd: Fd) -> None:
        """Let the program hold a map as long as it lives. Since Linux 5.10."""
        try:
            call("PROG_BIND_MAP", prog_fd=self.fd, map_fd=fd)
        except OSError as error:
            raise refused(error, f"bind a map to program {self.name!r}", since="5.10") from None

    def pin(self, path: str | os.PathLike[str]) -> None:
        """Give the program a name in a BPF file system, which keeps it alive."""
        pin(self.fd, path, f"program {self.name!r}")

    def close(self) -> None:
        """Give up this handle of the program."""
        self.fd.close()

    def __enter__(self) -> LinuxProgram:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<LinuxProgram {self.name!r} {self.type} id {self.id}>"


PROG_TYPE_NAMES = {number: name for name, number in uapi.PROG_TYPES.items()}


def enable_stats() -> Fd:
    """Let the kernel count runs and time of all programs until this is closed. Since Linux 5.8."""
    try:
        return open_fd("ENABLE_STATS", type=0)
    except OSError as error:
        doing = "count the runs of programs"
        raise refused(error, doing, needs=("CAP_SYS_ADMIN",), since="5.8") from None


def _debug_info(btf: Fd, func_info: bytes, line_info: bytes) -> dict[str, Any]:
    found: dict[str, Any] = {"prog_btf_fd": btf}
    for name, records, size in (
        ("func_info", func_info, FUNC_INFO_SIZE),
        ("line_info", line_info, LINE_INFO_SIZE),
    ):
        if records:
            found |= {name: records, f"{name}_rec_size": size, f"{name}_cnt": len(records) // size}
    return found


def _load(attributes: dict[str, Any], type: str, name: str, log_level: int) -> tuple[Fd, str]:
    """Load, at first without a log unless one is wanted; then with one that is large enough."""
    size = LOG_START
    while True:
        log = bytearray(size if log_level else 0)
        if log_level:
            # The kernel tells the true size (since Linux 6.4) where there is a field for it.
            attributes |= {"log_level": log_level, "log_size": size, "log_buf": log}
            attributes |= {"log_true_size": 0}
        attempt = Attributes("PROG_LOAD", attributes)
        code = submit(attempt)
        if code == 0:
            return Fd(attempt.result), _text(log)
        if not log_level:
            log_level = 1
        elif code == errno.ENOSPC and size < LOG_LIMIT:
            size = min((attempt["log_true_size"] or size * 8) + 1, LOG_LIMIT)
        else:
            raise _load_error(code, type, name, attributes, _text(log))


def _text(log: bytearray) -> str:
    return log.partition(b"\0")[0].decode(errors="replace")


def _load_error(
    code: int, type: str, name: str, attributes: dict[str, Any], log: str
) -> KernelError:
    from ebee.hooks import by_prog_type

    doing = f"load program {name!r} ({type})"
    found = digest(log)
    if found:
        first, *rest = found
        detail = "".join(f"\n  {line}" for line in rest)
        return VerifierError(f"cannot {doing}: {first} [{name_of(code)}]{detail}", code, log)
    why = ""
    if code == errno.E2BIG:
        slots = attributes["insn_cnt"]
        fits = 0 < slots <= (4096 if older_than("5.2") else MAX_INSNS)
        why = "this kernel knows fewer attributes" if fits else f"it has {slots} instructions"
    elif code == errno.EINVAL:
        why = (
            "this kernel does not know the type of program, or not with"
            f" attach type {attributes.get('expected_attach_type', 0)}"
            f" and flags {attributes['prog_flags']:#x}"
        )
    needs = ["CAP_BPF"]
    needs += ["CAP_NET_ADMIN"] if type in NET_ADMIN_TYPES else []
    needs += ["CAP_PERFMON"] if type in PERFMON_TYPES else []
    hook = by_prog_type(uapi.PROG_TYPES[type])
    since = hook.since if hook is not None else ""
    return refused(OSError(code, strerror(code)), doing, why, tuple(needs), since)


# What the verifier adds to every log, and says nothing of the failure: totals, register states,
# the source, how it came to a place.
_NOISE = re.compile(
    r"processed \d+ insns|verification time|stack depth|mark_precise|(cur|old) state:|func#\d+ @|"
    r"(insns processed|total_states|peak_states|max_states|max_depth|mark_read)\b|-- (BEGIN|END)|"
    r"; |from \d+ to \d+|\d+: R|\s|frame\d+:|caller:|callee:|returning from|propagating|"
    r"Func#\d+ .*is safe|Validating .* func#"
)
_INSN = re.compile(r"\d+: \([0-9a-f]{2}\) ")
COMPLAINT_LINES = 3


def digest(log: str) -> list[str]:
    """What of a verifier's log tells why: the complaint, the instruction, the source line.

    Empty when the verifier had no complaint (an EPERM before it, for example).
    """
    complaint: list[str] = []
    insn = source = ""
    for line in map(str.rstrip, log.splitlines()):
        if _INSN.match(line):
            insn = line.partition(" ; ")[0].rstrip()
            complaint = []
        elif line.startswith("; "):
            source = line[2:]
        elif line and not _NOISE.match(line):
            complaint.append(line)
    if not complaint:
        return []
    found = ["; ".join(complaint[-COMPLAINT_LINES:])]
    found += [f"at instruction {insn}"] if insn else []
    found += [f"from {source}"] if source else []
    return found
