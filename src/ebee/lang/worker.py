"""The compiler's worker: LLVM in a process of its own, which may die without harm.

Run as a script by `ebee.lang.compiler`; imports nothing of ebee. Requests come on standard input,
answers go to standard output: the length of a JSON header and of a body (8 bytes each, little-
endian), then both. A request's body is the IR texts one after the other. The end of the input,
which also comes when the parent dies, ends the process at once, even while LLVM works.
"""

from __future__ import annotations

import json
import os
import queue
import re
import struct
import sys
import threading
from typing import Any, BinaryIO

FRAME = struct.Struct("<QQ")
Request = tuple[dict[str, Any], bytes]


def read_frame(stream: BinaryIO) -> Request | None:
    """The next message, or None at the end of the stream."""
    head = stream.read(FRAME.size)
    if len(head) < FRAME.size:
        return None
    header, body = FRAME.unpack(head)
    text, data = stream.read(header), stream.read(body)
    return (json.loads(text), data) if len(text) == header and len(data) == body else None


def frame(header: dict[str, Any], body: bytes = b"") -> bytes:
    """A message as bytes."""
    text = json.dumps(header).encode()
    return FRAME.pack(len(text), len(body)) + text + body


class Stack(Exception):
    """A function that needs more stack than there is; for LLVM that would be the end."""


def check_stack(module: Any, limit: int) -> None:
    """Raise Stack for a function whose variables take more than `limit` bytes."""
    for function in module.functions:
        if function.is_declaration:
            continue
        slots = []
        for instruction in next(iter(function.blocks)).instructions:
            if instruction.opcode == "alloca":
                text = str(instruction)
                size = size_of(text.partition("alloca ")[2])
                slots.append((instruction.name.partition(".")[0], -(-size // 8) * 8))
        if sum(size for _, size in slots) > limit:
            raise Stack(json.dumps([function.name, slots]))


def size_of(text: str) -> int:
    """Bytes of the type that a text begins with: an integer, a pointer, an array, a struct."""
    array = re.match(r"\[(\d+) x (.*)", text)
    if array:
        return int(array[1]) * size_of(array[2])
    if text.startswith(("{", "<{")):
        depth, parts, start = 0, [], text.index("{") + 1
        for i, c in enumerate(text[start:], start):
            if (c in ",}" and not depth) or (c == "}" and depth == 0):
                parts.append(text[start:i].strip())
                start = i + 1
                if c == "}":
                    break
            depth += (c in "[{<") - (c in "]}>")
        return sum(-(-size_of(p) // 8) * 8 for p in parts if p)
    number = re.match(r"i(\d+)", text)
    return -(-int(number[1]) // 8) if number else 8


class Compiler:
    """LLVM through llvmlite.binding."""

    def __init__(self) -> None:
        import llvmlite.binding as llvm  # type: ignore[import-untyped]

        self.llvm = llvm
        self._machines: dict[tuple[Any, ...], Any] = {}
        # The value that a loop leaves behind, computed without the loop, may take 128-bit products,
        # which BPF has not; nor do they make host code faster.
        llvm.set_option("ebee", "-replexitval=never")
        # Ways out of a loop that depend on its first round only leave an endless loop behind where
        # none of them is taken: never, but the kernel's verifier does not know.
        llvm.set_option("ebee", "-indvars-predicate-loops=false")
        llvm.initialize_all_targets()
        llvm.initialize_all_asmprinters()

    def machine(self, r: dict[str, Any]) -> Any:
        """The target machine of a request."""
        key = r["triple"], r["cpu"], r["features"], r["codegen"]
        if key not in self._machines:
            cpu, features = r["cpu"], r["features"]
            if cpu == "native":
                cpu = self.llvm.get_host_cpu_name()
                features = self.llvm.get_host_cpu_features().flatten()
            target = self.llvm.Target.from_triple(r["triple"])
            self._machines[key] = target.create_target_machine(
                cpu=cpu, features=features, opt=r["codegen"], reloc="pic", codemodel="small"
            )
        return self._machines[key]

    def compile(self, r: dict[str, Any], body: bytes) -> bytes:
        """Parse, link, verify, optimise, emit."""
        machine = self.machine(r)
        context = self.llvm.create_context()
        whole, at = None, 0
        for length in r["texts"]:
            part = self.llvm.parse_assembly(body[at : at + length].decode(), context)
            at += length
            if whole is None:
                whole = part
                whole.triple, whole.data_layout = r["triple"], str(machine.target_data)
            else:
                part.triple, part.data_layout = r["triple"], str(machine.target_data)
                whole.link_in(part)
        assert whole is not None
        if r["keep"] is not None:
            for function in whole.functions:
                if not function.is_declaration and function.name not in r["keep"]:
                    function.linkage = "internal"
        whole.verify()
        self.optimise(whole, machine, r)
        if r["stack"]:
            check_stack(whole, r["stack"])
        if r["emit"] == "ir":
            return str(whole).encode()
        if r["emit"] == "assembly":
            return machine.emit_assembly(whole).encode()  # type: ignore[no-any-return]
        return machine.emit_object(whole)  # type: ignore[no-any-return]

    def optimise(self, module: Any, machine: Any, r: dict[str, Any]) -> None:
        """Run the pipeline of passes that the request names, or LLVM's own of a level."""
        options = self.llvm.create_pipeline_tuning_options(speed_level=r["speed"])
        options.loop_vectorization = options.slp_vectorization = options.loop_unrolling = True
        builder = self.llvm.create_pass_builder(machine, options)
        if r["pipeline"]:
            manager = self.llvm.create_new_module_pass_manager()
            for name in r["pipeline"]:
                getattr(manager, f"add_{name}_pass")()
        else:
            manager = builder.getModulePassManager()
        manager.run(module, builder)


def _peak() -> int:
    """The most memory that this process has taken, in KiB. Not ru_maxrss where it can be helped:
    Linux keeps in it what the process was before exec, and that was its large parent."""
    try:
        with open("/proc/self/status", encoding="ascii", errors="replace") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))
    except (OSError, StopIteration):
        import resource

        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most >> 10 if sys.platform == "darwin" else most


def serve(requests: queue.SimpleQueue[Request], output: BinaryIO) -> None:
    """Answer requests for ever."""
    compiler = Compiler()
    while True:
        header, body = requests.get()
        try:
            data = compiler.compile(header, body)
            answer: dict[str, Any] = {"ok": True}
        except Stack as e:
            answer, data = {"ok": False, "stack": json.loads(str(e))}, b""
        except Exception as e:  # whatever LLVM says of a module is an answer
            answer, data = {"ok": False, "error": str(e).strip()}, b""
        answer["rss"] = _peak()
        output.write(frame(answer, data))
        output.flush()


def main() -> None:
    """Read requests in one thread, so that the end of the input is seen at any time."""
    output = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # nothing else may write among the answers
    requests: queue.SimpleQueue[Request] = queue.SimpleQueue()

    def listen() -> None:
        while (request := read_frame(sys.stdin.buffer)) is not None:
            requests.put(request)
        os._exit(0)

    threading.Thread(target=listen, daemon=True).start()
    serve(requests, output)


if __name__ == "__main__":
    sys.path.insert(0, sys.argv[1])
    main()
