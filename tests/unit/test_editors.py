"""What type checkers and editors know of programs: strict mypy and pyright take the examples, wrong
use is an error for both, and members of contexts, structs, maps and helpers complete."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
PROGRAMS = [p for p in EXAMPLES if not p.stem.endswith("_rules")]
"""Those in the language; rules are ordinary Python, which reads untyped TOML."""

START = """\
from typing import Literal

from ebee import (  # isort: skip
    XDP, Array, Const, Ethernet, Global, Hash, IPv4, PerCpuArray, RingBuf, TC, SkbContext,
    XdpContext, array, atomic_add, bpf, char, func, struct, tc, u8, u16, u32, u64, xdp,
)

@struct
class Flow:
    source: u32
    packets: u64
    name: array[char, Literal[16]]

flows = Hash[u32, Flow](max_entries=64)
events = RingBuf[Flow](size=4096)
limit: Const[u32] = 5

@xdp
def program(ctx: XdpContext) -> XDP:
    packet = ctx.packet()
    eth = packet.parse(Ethernet)
    if eth is None:
        return XDP.PASS
    flow = flows.lookup(eth.type)
    if flow is None:
        return XDP.DROP
"""


@pytest.fixture(scope="session")
def pyright() -> list[str]:
    """How to run pyright; skipped where it (or the node that it needs) is not there."""
    pytest.importorskip("pyright")
    command = [sys.executable, "-m", "pyright"]
    done = subprocess.run([*command, "--version"], capture_output=True, text=True, timeout=120)
    if done.returncode:
        pytest.skip(f"pyright does not run here: {done.stderr.strip()[-200:]}")
    return command


def check_with_pyright(command: list[str], folder: Path, mode: str) -> list[str]:
    """The complaints about a folder's files: "file:line: rule"."""
    config = {"include": ["."], "typeCheckingMode": mode, "pythonVersion": "3.11",
              "extraPaths": [str(ROOT / "src")]}  # fmt: skip
    (folder / "pyrightconfig.json").write_text(json.dumps(config))
    done = subprocess.run(
        [*command, "-p", str(folder), "--pythonpath", sys.executable, "--outputjson"],
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.stdout.startswith("{"), done.stdout + done.stderr
    return [
        f"{Path(d['file']).name}:{d['range']['start']['line'] + 1}: {d.get('rule')}: {d['message']}"
        for d in json.loads(done.stdout)["generalDiagnostics"]
        if d["severity"] == "error"
    ]


def check_with_mypy(folder: Path, *files: Path) -> str:
    """What strict mypy says."""
    pytest.importorskip("mypy")
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", *map(str, files)],
        capture_output=True, text=True, cwd=folder,
        env=os.environ | {"MYPYPATH": str(ROOT / "src")},
    )  # fmt: skip
    return done.stdout


def test_strict_mypy_takes_the_examples(tmp_path: Path) -> None:
    assert check_with_mypy(tmp_path, *EXAMPLES) == ""


def test_pyright_takes_the_examples(pyright, tmp_path: Path) -> None:
    """Programs strictly."""
    for path in PROGRAMS:
        shutil.copy(path, tmp_path)
    assert check_with_pyright(pyright, tmp_path, "strict") == []
    for path in EXAMPLES:
        shutil.copy(path, tmp_path)
    assert check_with_pyright(pyright, tmp_path, "standard") == []


WRONG = {
    "    flow.paquets += 1": "attr",
    "    flow.source = 'text'": "assign",
    "    flows.lookup('text')": "arg",
    "    flows['text'] = flow": "arg|index|type",
    "    ctx.no_such_member": "attr",
    "    ctx.mark": "attr",
    "    eth.no_such_member": "attr",
    "    packet.skip('far')": "arg",
    "    bpf.no_such_helper()": "attr",
    "    bpf.ktime_get_ns(1)": "arg|call",
    "    Flow(sauce=1)": "arg|call",
    "    limit.x": "attr|union",
    "    return 'text'": "return",
}
"""Lines of a program that make no sense -> a word of the complaint."""


@pytest.fixture
def wrong(tmp_path: Path) -> Path:
    for number, line in enumerate(WRONG):
        (tmp_path / f"wrong{number}.py").write_text(f"{START}{line}\n    return XDP.PASS\n")
    unchecked = START.replace("    if flow is None:\n        return XDP.DROP\n", "")
    (tmp_path / "null.py").write_text(f"{unchecked}    flow.packets += 1\n    return XDP.PASS\n")
    (tmp_path / "right.py").write_text(
        f"{START}    flow.packets += 1\n    flow.source = u32(bpf.ktime_get_ns())\n"
        "    atomic_add(flow.packets, 1)\n    flows[2] = flow\n"
        "    with events.reserve() as event:\n        if event is not None:\n"
        "            event.source = 1\n    return XDP.PASS\n"
    )
    return tmp_path


PROGRAMS_START = """\
from ebee import (  # isort: skip
    LSM, SK, TC, XDP, Access, MsgContext, NetfilterContext, Record, RegistersContext,
    SkbContext, SkLookupContext, SockAddrContext, SockContext, SockOpsContext, SockoptContext,
    TraceContext, XdpContext, cgroup_sock, cgroup_sock_addr, cgroup_sockopt, current, fentry,
    iterator, kprobe, ktime_ns, lsm, netfilter, ptr, sk_lookup, sk_msg, sock_ops, struct_ops, tc,
    tracepoint, u8, u32, u64, usdt, xdp,
)

"""

RIGHT_PROGRAMS = [
    "@cgroup_sock('create')\ndef p(ctx: SockContext) -> Access:\n"
    "    ctx.mark = 5\n    return Access.DENY if ctx.family == 2 else Access.ALLOW",
    "@cgroup_sock_addr('connect4')\ndef p(ctx: SockAddrContext) -> Access:\n"
    "    ctx.user_port = 80\n    return Access.DENY if ctx.sk.family == 2 else Access.ALLOW",
    "@cgroup_sockopt('get')\ndef p(ctx: SockoptContext) -> Access:\n"
    "    return Access.DENY if ctx.packet().remaining() else Access.ALLOW",
    "@sk_msg\ndef p(ctx: MsgContext) -> SK:\n    return SK.PASS if ctx.size else SK.DROP",
    "@fentry('f')\ndef p(ctx: TraceContext, a: ptr[u8], b: u32, result: u64) -> None: ...",
    "@kprobe('f')\ndef p(ctx: RegistersContext, a: u32) -> None:\n    print(f'{ctx.rip}')",
    "@lsm('f')\ndef p(a: ptr[u8]) -> LSM:\n    return LSM.DENY",
    "@iterator('task')\ndef p(meta: ptr[u8], task: ptr[u8] | None) -> int:\n    return 0",
    "@tracepoint('a/b')\ndef p(ctx: Record) -> None:\n    print(f'{ctx.whatever}')",
    "@struct_ops('tcp_congestion_ops')\nclass Calm:\n    name = 'calm'\n"
    "    def ssthresh(self, sk: ptr[u8]) -> u32:\n        return u32(2)",
    "@xdp\ndef p(ctx: XdpContext) -> XDP:\n"
    "    return XDP.DROP if current.pid == 5 and ktime_ns() > 7 else XDP.PASS",
]

WRONG_PROGRAMS = [
    "@xdp\ndef p(ctx: SkbContext) -> XDP:\n    return XDP.PASS",
    "@xdp\ndef p() -> XDP:\n    return XDP.PASS",
    "@xdp\ndef p(ctx: XdpContext) -> XDP:\n    return TC.OK",
    "@xdp\ndef p(ctx: XdpContext) -> str:\n    return ''",
    "@tc\ndef p(ctx: XdpContext) -> TC:\n    return TC.OK",
    "@cgroup_sock('create')\ndef p(ctx: SockAddrContext) -> Access:\n    return Access.DENY",
    "@cgroup_sock_addr('bind4')\ndef p(ctx: SockContext) -> Access:\n    return Access.DENY",
    "@cgroup_sock_addr('bind4')\ndef p(ctx: SockAddrContext) -> Access:\n"
    "    ctx.user_port = '80'\n    return Access.DENY",
    "@cgroup_sock_addr('bind4')\ndef p(ctx: SockAddrContext) -> Access:\n"
    "    return Access.DENY if ctx.mark else Access.ALLOW",
    "@cgroup_sockopt(4)\ndef p(ctx: SockoptContext) -> Access:\n    return Access.DENY",
    "@sk_msg\ndef p(ctx: SkbContext) -> SK:\n    return SK.PASS",
    "@sk_lookup\ndef p(ctx: SkLookupContext) -> SK:\n"
    "    return SK.PASS if ctx.sk.family else SK.DROP",
    "@sock_ops\ndef p(ctx: SockOpsContext) -> Access:\n    return SK.PASS",
    "@netfilter\ndef p(ctx: NetfilterContext) -> None: ...",
    "@kprobe(5)\ndef p(a: u32) -> None: ...",
    "@fentry('f')\ndef p(a: u32) -> str:\n    return ''",
    "@lsm('f')\ndef p(a: ptr[u8]) -> LSM:\n    return XDP.DROP",
    "@xdp\ndef p(ctx: XdpContext) -> XDP:\n    return XDP(current.nobody)",
]


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    for kind, texts in (("right", RIGHT_PROGRAMS), ("wrong", WRONG_PROGRAMS)):
        for number, text in enumerate(texts):
            (tmp_path / f"{kind}{number}.py").write_text(f"{PROGRAMS_START}{text}\n")
    return tmp_path


WRONG_FILES = {f"wrong{number}.py" for number in range(len(WRONG_PROGRAMS))}


def test_mypy_finds_programs_of_other_hooks(programs: Path) -> None:
    said = check_with_mypy(programs, *sorted(programs.glob("*.py")))
    assert {line.partition(":")[0] for line in said.splitlines() if ": error: " in line} == (
        WRONG_FILES
    ), said


def test_pyright_finds_programs_of_other_hooks(pyright: list[str], programs: Path) -> None:
    said = check_with_pyright(pyright, programs, "standard")
    assert {line.partition(":")[0] for line in said} == WRONG_FILES, said


def test_mypy_finds_wrong_use(wrong: Path) -> None:
    said = check_with_mypy(wrong, *sorted(wrong.glob("*.py")))
    blamed = {line.partition(":")[0] for line in said.splitlines() if ": error: " in line}
    expected = {f"wrong{number}.py" for number in range(len(WRONG))} | {"null.py"}
    assert blamed == expected, said


def test_pyright_finds_wrong_use(pyright, wrong: Path) -> None:
    said = check_with_pyright(pyright, wrong, "standard")
    blamed = {line.partition(":")[0] for line in said}
    expected = {f"wrong{number}.py" for number in range(len(WRONG))} | {"null.py"}
    assert blamed == expected, "\n".join(said)


class Editor:
    """What an editor does with pyright's language server: ask what could stand somewhere."""

    def __init__(self, root: Path):
        self.root, self.number = root, 0
        self.server = subprocess.Popen(
            [sys.executable, "-m", "pyright.langserver", "--stdio"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        folder = {"uri": root.as_uri(), "name": "project"}
        self.ask("initialize", processId=None, rootUri=root.as_uri(), capabilities={},
                 workspaceFolders=[folder])  # fmt: skip
        self.tell("initialized")

    def send(self, **message: object) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.server.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self.server.stdin.flush()

    def tell(self, method: str, **params: object) -> None:
        self.send(method=method, params=params)

    def ask(self, method: str, **params: object) -> object:
        """A request's answer; what the server asks meanwhile gets an empty one."""
        self.number += 1
        self.send(id=self.number, method=method, params=params)
        while True:
            length = 0
            while line := self.server.stdout.readline().strip():
                name, _, value = line.partition(b":")
                length = int(value) if name.lower() == b"content-length" else length
            message = json.loads(self.server.stdout.read(length))
            if message.get("id") == self.number and "method" not in message:
                return message.get("result")
            if "id" in message and "method" in message:
                many = message["method"] == "workspace/configuration"
                answer = [{} for _ in message["params"]["items"]] if many else None
                self.send(id=message["id"], result=answer)

    def complete(self, text: str) -> set[str]:
        """What could follow at the end of a text."""
        uri = (self.root / f"text{self.number}.py").as_uri()
        document = {"uri": uri, "languageId": "python", "version": 1, "text": text}
        self.tell("textDocument/didOpen", textDocument=document)
        lines = text.split("\n")
        end = {"line": len(lines) - 1, "character": len(lines[-1])}
        found = self.ask("textDocument/completion", textDocument={"uri": uri}, position=end)
        return {item["label"] for item in (found or {}).get("items", ())}

    def close(self) -> None:
        self.server.kill()
        self.server.wait()


@pytest.fixture(scope="module")
def editor(pyright, tmp_path_factory):
    root = tmp_path_factory.mktemp("editor")
    (root / "pyrightconfig.json").write_text(json.dumps({"extraPaths": [str(ROOT / "src")]}))
    made = Editor(root)
    yield made
    made.close()


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("    flow.", {"source", "packets", "name"}),
        ("    ctx.", {"data", "data_end", "ingress_ifindex", "rx_queue_index", "packet"}),
        ("    eth.", {"source", "destination", "type"}),
        ("    packet.", {"parse", "take", "skip", "remaining", "at"}),
        ("    flows.", {"lookup", "update", "delete", "get"}),
        ("    events.", {"reserve", "discard", "output"}),
        ("    bpf.", {"ktime_get_ns", "get_current_pid_tgid", "redirect"}),
        ("    XDP.", {"PASS", "DROP", "TX", "REDIRECT", "ABORTED"}),
        ("    Flow(", {"source=", "packets=", "name="}),
        ("@tc\ndef mark(ctx: SkbContext) -> TC:\n    ctx.", {"mark", "priority", "len", "packet"}),
        ("import ebee; ebee.", {"load", "read", "compile", "Machine", "Hash", "xdp"}),
        ("import ebee; ebee.load('x', on='linux').", {"maps", "programs", "events", "variables"}),
        ("import ebee; ebee.load('x').programs['x'].", {"test_run", "attach"}),
        ("import ebee; ebee.load('x').maps['x'].", {"items", "update", "pop", "raw"}),
        ("import ebee; ebee.load('x').events().", {"read", "stop", "wait", "lost"}),
        ("import ebee; ebee.read('x').", {"maps", "programs", "variables", "copy"}),
    ],
)  # fmt: skip
def test_members_complete(editor: Editor, line: str, names: set[str]) -> None:
    assert names <= editor.complete(START + line)


def test_stubs_are_up_to_date() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "gen_stubs.py", "--check"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
