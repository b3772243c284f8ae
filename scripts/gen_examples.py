"""docs/examples.md: a table of all examples, from what their sources say. A test holds it to that.

python scripts/gen_examples.py
"""

import ast
import inspect
import sys
from functools import cache
from pathlib import Path

import ebee
from ebee.lang.bpf.maps import AnyMap

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "examples.md"

HOOKS = frozenset((
    "cgroup_device", "cgroup_skb", "cgroup_sock", "cgroup_sock_addr", "cgroup_sockopt",
    "cgroup_sysctl", "fentry", "fexit", "flow_dissector", "fmod_ret", "freplace", "fsession",
    "iterator", "kprobe", "kprobe_multi", "kprobe_session", "kretprobe", "kretprobe_multi",
    "kretsyscall", "ksyscall", "lirc", "lsm", "lsm_cgroup", "lwt", "netfilter", "netkit",
    "perf_event", "raw_tracepoint", "sk_lookup", "sk_msg", "sk_reuseport", "sk_skb", "sock_ops",
    "socket_filter", "struct_ops", "syscall", "tc", "tc_action", "tcx", "tp_btf", "tracepoint",
    "uprobe", "uprobe_multi", "uprobe_session", "uretprobe", "uretprobe_multi", "usdt", "xdp",
))  # fmt: skip
"""The decorators of programs."""

FEATURES = {
    "Timer": "timers", "WorkQueue": "work queues", "SpinLock": "spin locks", "Kptr": "kptrs",
    "Const": "constants", "Global": "variables", "atomic": "atomics", "atomic_add": "atomics",
    "reserve": "reservations", "drain": "records from user space", "TcpOptions": "TCP options",
    "ipv4_checksum": "checksums", "redirect": "redirection",
    "current": "current", "IntEnum": "enumerations", "Dynptr": "dynptrs", "rcu": "RCU",
    "xdp_adjust_head": "moved heads", "call": "tail calls", "seq_write": "output of iterators",
    "probe_read_user_str": "text of processes", "ktime_ns": "time", "func": "functions",
}  # fmt: skip

HEAD = """\
# The examples

Programs in the language, each under 100 lines (but for the firewall), strictly typed, with what
it gives in its docstring, and run by the tests. Made by scripts/gen_examples.py.

"""


def _decorators(tree: ast.Module) -> list[str]:
    found = {}
    for node in ast.walk(tree):
        for mark in getattr(node, "decorator_list", ()):
            name = mark.func if isinstance(mark, ast.Call) else mark
            if isinstance(name, ast.Name) and name.id in HOOKS:
                found[f"`@{ast.unparse(mark)}`"] = name.id
    return list(found)


def _headers(tree: ast.Module) -> set[str]:
    """What is parsed with a type of ebee's."""
    return {
        node.args[0].id
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("parse", "take")
        and isinstance(node.args[0], ast.Name)
        and hasattr(ebee, node.args[0].id)
    }


def _names(tree: ast.Module) -> set[str]:
    return {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)} | {
        n.attr for n in ast.walk(tree) if isinstance(n, ast.Attribute)
    }


def _is_map(name: str) -> bool:
    thing = getattr(ebee, name, None)
    return inspect.isclass(thing) and issubclass(thing, AnyMap)


@cache
def tested(*folders: str) -> set[str]:
    """The examples that tests in folders of tests/ name."""
    files = [f for folder in folders for f in (ROOT / "tests" / folder).rglob("test_*.py")]
    texts = {f: f.read_text() for f in files}
    about = [t for f, t in texts.items() if "EXAMPLES" in t or f.stem.endswith("_examples")]
    trees = [ast.parse(text) for text in about]
    return {
        str(node.value).removesuffix(".py")
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def row(path: Path) -> list[str]:
    """A line of the table: example, what it does, hooks, maps, headers and features, where."""
    tree = ast.parse(path.read_text())
    said = " ".join((ast.get_docstring(tree) or "").split("\n\n")[0].split())
    names, hooks, headers = _names(tree), _decorators(tree), _headers(tree)
    modules = {n.module for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
    features = {text for name, text in FEATURES.items() if name in names}
    if "ebee.vmlinux" in modules:
        features.add("types of the kernel")
    if "ebee.kfuncs" in modules:
        features.add("functions of the kernel")
    everywhere = path.stem in tested("differential")
    return [
        f"[{path.stem}](../examples/{path.name})",
        said.split(". ")[0].rstrip("."),
        ", ".join(hooks),
        ", ".join(f"`{n}`" for n in sorted(filter(_is_map, names))),
        ", ".join([*(f"`{h}`" for h in sorted(headers)), *sorted(features)]),
        "machine, kernel" if everywhere else "kernel",
    ]


def programs() -> list[Path]:
    """The examples with programs in the language."""
    files = sorted((ROOT / "examples").glob("*.py"))
    return [f for f in files if _decorators(ast.parse(f.read_text()))]


def page() -> str:
    """The page as it should be."""
    rows = [["example", "what it does", "hooks", "maps", "headers and features", "runs on"]]
    rows += [["---"] * 6, *map(row, programs())]
    return HEAD + "".join(f"| {' | '.join(cells)} |\n" for cells in rows)


if __name__ == "__main__":
    PAGE.write_text(page())
    print(f"{len(programs())} examples", file=sys.stderr)
