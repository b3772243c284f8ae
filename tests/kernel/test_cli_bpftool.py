"""`ebee ... --json` carries at least the facts of `bpftool -j`: key by key, of the same objects."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from ebee import clang
from ebee.errors import CompileError, KernelError
from ebee.isa import assemble
from ebee.linux import attach, load, uapi
from ebee.linux.backend import LinuxObject
from ebee.linux.links import Link
from ebee.linux.programs import LinuxProgram
from ebee.obj import MapSpec, ObjectSpec

pytestmark = pytest.mark.kernel

Tool = Callable[..., Any]
SOURCE = """
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
enum color { RED, GREEN = 5 };
struct key { int from; char name[8]; };
struct value { long count; enum color color; unsigned char flags : 3, rest : 5; short pair[2]; };
struct { __uint(type, BPF_MAP_TYPE_HASH); __uint(max_entries, 8);
	__type(key, struct key); __type(value, struct value); } seen SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY); __uint(max_entries, 2);
	__type(key, int); __type(value, long); } each SEC(".maps");
int limit = 5;
const volatile char name[4] = "abc";
static __noinline int verdict(int n) { return n > limit ? XDP_DROP : XDP_PASS; }
SEC("xdp") int shown(struct xdp_md *ctx)
{
	struct key key = { ctx->ingress_ifindex, "lo" };
	struct value one = { 1, GREEN, 3, 0, { 7, -1 } }, *found;
	int zero = 0;
	long *mine = bpf_map_lookup_elem(&each, &zero);
	if (mine)
		++*mine;
	found = bpf_map_lookup_elem(&seen, &key);
	if (found)
		__sync_fetch_and_add(&found->count, 1);
	else
		bpf_map_update_elem(&seen, &key, &one, 0);
	return verdict(bpf_get_prandom_u32() % 4 + name[0]);
}
char _license[] SEC("license") = "GPL";
"""
PLAIN_MAPS = (
    MapSpec("hash", "hash", 4, 8, 4, flags=1), MapSpec("lru", "lru_hash", 4, 8, 4),
    MapSpec("lpm", "lpm_trie", 8, 4, 4, flags=1), MapSpec("queue", "queue", 0, 4, 4),
    MapSpec("stack", "stack", 0, 4, 4), MapSpec("ring", "ringbuf", 0, 0, 4096),
    MapSpec("jumps", "prog_array", 4, 4, 4), MapSpec("perf", "perf_event_array", 4, 4, 4),
    MapSpec("stacks", "stack_trace", 4, 80, 4), MapSpec("devs", "devmap", 4, 8, 4),
    MapSpec("cpus", "cpumap", 4, 8, 2), MapSpec("socks", "sockhash", 4, 4, 4),
    MapSpec("outer", "hash_of_maps", 4, 4, 4, inner=MapSpec("inner", "array", 4, 4, 1)),
)  # fmt: skip


def lacking(theirs: Any, ours: Any, path: str = "") -> list[str]:
    """What bpftool says and ebee does not, or otherwise."""
    if isinstance(theirs, dict) and isinstance(ours, Mapping):
        return [
            line for key, value in theirs.items()
            for line in (lacking(value, ours[key], f"{path}.{key}") if key in ours
                         else [f"{path}.{key}: {value!r} is missing"])
        ]  # fmt: skip
    if isinstance(theirs, list) and isinstance(ours, list) and len(theirs) == len(ours):
        pairs = enumerate(zip(theirs, ours, strict=True))
        return [line for n, (a, b) in pairs for line in lacking(a, b, f"{path}[{n}]")]
    return [] if theirs == ours else [f"{path}: {theirs!r}, ours is {ours!r}"]


@pytest.fixture
def say(ebee: Tool) -> Tool:
    """What `ebee ... --json` says."""

    def run(*words: object) -> Any:
        code, out, err = ebee(*words, "--json")
        assert code == 0, err
        return json.loads(out)

    return run


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LinuxObject]:
    try:
        clang.find()
    except CompileError as error:
        pytest.skip(str(error))
    source = tmp_path_factory.mktemp("shown") / "shown.c"
    source.write_text(SOURCE)
    with load(clang.build(source)) as made:
        for _ in range(3):
            made.programs["shown"].test_run(bytes(64))
        yield made


def test_programs(say: Tool, bpftool: Tool, loaded: LinuxObject) -> None:
    number = loaded.programs["shown"].id
    theirs, ours = bpftool("prog", "show", "id", number), say("prog", "show", "id", number)
    assert abs(theirs.pop("loaded_at") - ours["loaded_at"]) <= 1
    assert lacking(theirs, ours) == []
    [listed] = [p for p in bpftool("prog", "show") if p["id"] == number]
    [ours] = [p for p in say("prog", "show") if p["id"] == number]
    listed.pop("loaded_at")
    assert lacking(listed, ours) == []


def test_pinned_programs(say: Tool, bpftool: Tool, loaded: LinuxObject, bpffs: Path) -> None:
    loaded.programs["shown"].raw.pin(bpffs / "p")
    theirs = bpftool("-f", "prog", "show", "id", loaded.programs["shown"].id)
    assert theirs["pinned"] == [str(bpffs / "p")]
    assert say("prog", "show", bpffs / "p")["pinned"] == theirs["pinned"]


def test_instructions(
    say: Tool, ebee: Tool, bpftool: Tool, loaded: LinuxObject, tmp_path: Path
) -> None:
    number = loaded.programs["shown"].id

    def plain(text: str) -> str:
        """Without what is told otherwise: 64-bit numbers, places of jumps, own functions."""
        text = re.sub(r" ll$|^\([0-9a-f]{2}\) ", "", text)
        text = text.replace("&(void __percpu *)(r0)", "r0")  # since Linux 6.10; a move before
        return re.sub(r"(goto|call) [+p].*", r"\1", re.sub(r"goto \S+", "goto +", text))

    theirs = bpftool("prog", "dump", "xlated", "id", number, "opcodes")
    ours = say("prog", "dump", "xlated", "id", number)
    ours = [row for row in ours if "text" in row]
    texts = [plain(row["disasm"]) for row in theirs if "disasm" in row]
    assert [re.sub(r"call (F|pc).*|call \w+\(\).*", "call", plain(r["text"])) for r in ours] == [
        re.sub(r"call (F|pc).*", "call", text) for text in texts
    ]
    sources = [row["src"].strip() for row in theirs if row.get("src")]
    told = [row["source"]["text"].strip() for row in ours if row.get("source")]
    assert set(sources) <= set(told)
    bpftool("prog", "dump", "xlated", "id", number, "file", tmp_path / "theirs", plain=True)
    ebee("prog", "dump", "xlated", "id", number, "-o", tmp_path / "ours")
    assert (tmp_path / "theirs").read_bytes() == (tmp_path / "ours").read_bytes()


def test_maps_of_every_kind(say: Tool, bpftool: Tool, loaded: LinuxObject) -> None:
    spec = ObjectSpec("maps", license="GPL", maps={m.name: m for m in PLAIN_MAPS})
    with load(spec) as other:
        other.maps["jumps"].raw.update(
            bytes(4), loaded.programs["shown"].raw.fd.fileno().to_bytes(4, "little")
        )
        listed = {m["id"]: m for m in say("map", "show")}
        for made in (*loaded.maps.values(), *other.maps.values()):
            # Its list repeats numbers of BTF for maps without any.
            theirs = bpftool("map", "show", "id", made.raw.id)
            assert lacking(theirs, listed[theirs["id"]]) == [], theirs
            assert lacking(theirs, say("map", "show", "id", theirs["id"])) == [], theirs
        assert {m["id"] for m in bpftool("map", "show")} >= {m.raw.id for m in other.maps.values()}


def test_elements(say: Tool, bpftool: Tool, loaded: LinuxObject) -> None:
    """Bytes, and values as their types say."""
    for name in ("seen", "each", ".data", ".rodata"):
        number = loaded.maps[name].raw.id
        theirs = bpftool("map", "dump", "id", number)
        ours = say("map", "dump", "id", number)
        assert len(theirs) == len(ours) > 0
        for one, other in zip(theirs, ours, strict=True):
            key = one["formatted"].get("key")  # none of sections
            assert key is None or formatted(key) == other["key"]
            if "values" in one["formatted"]:
                values = [formatted(v["value"]) for v in one["formatted"]["values"]]
            else:
                values = formatted(one["formatted"]["value"])
            assert values == other["value"]


def formatted(value: Any) -> Any:
    """bpftool's way of writing values, as ebee's: characters as text, sections by variable."""
    if isinstance(value, dict):
        if len(value) == 1 and next(iter(value)).startswith("."):
            return {k: formatted(v) for part in value.values() for one in part
                    for k, v in one.items()}  # fmt: skip
        return {k: formatted(v) for k, v in value.items()}
    if isinstance(value, list) and value and all(isinstance(v, str) for v in value):
        return "".join(chr(int(v, 16)) if v.startswith("0x") else v for v in value).rstrip("\0")
    if isinstance(value, str) and value.startswith("0x"):  # a bit field
        return int(value, 16)
    return value


@pytest.fixture
def links(net: Any, cgroup: Path) -> Iterator[dict[str, Link]]:
    """A link of each kind that this kernel has, in the left namespace."""
    found: dict[str, Link] = {}
    with ExitStack() as held, net.inside("left"):

        def made(kind: str, type: str, how: Callable[[LinuxProgram], Link], **options: Any) -> None:
            if "attach_type" in options:
                options["attach_type"] = uapi.ATTACH_TYPES[options["attach_type"]]
            try:
                code = assemble(f"r0 = {0 if type == 'tracing' else 1}; exit")
                program = held.enter_context(LinuxProgram.load(code, type, name="at", **options))
                found[kind] = held.enter_context(how(program))
            except KernelError as error:
                if "requires Linux" not in str(error) and "does not know" not in str(error):
                    raise

        made("xdp", "xdp", lambda p: attach.xdp(p, "veth0"))
        made("tcx", "sched_cls", lambda p: attach.tcx(p, "veth0", "egress"))
        made("cgroup", "cgroup_skb", lambda p: attach.cgroup(p, str(cgroup)),
             attach_type="cgroup_inet_egress")  # fmt: skip
        made("netns", "sk_lookup", lambda p: attach.netns(p, net.left), attach_type="sk_lookup")
        made("netfilter", "netfilter", lambda p: attach.netfilter(p, "ipv4", "local_in", -5),
             attach_type="netfilter")  # fmt: skip
        made("raw_tracepoint", "raw_tracepoint", lambda p: attach.raw_tracepoint(p, "sys_enter"))
        made("perf_event", "perf_event", lambda p: attach.perf_event(p, "cpu-clock", period=10**9,
                                                                     pid=0))  # fmt: skip
        yield found


NEWER = {number: name for name, number in uapi.LINK_TYPES.items()}


def test_links_of_every_kind(say: Tool, bpftool: Tool, net: Any, links: dict[str, Link]) -> None:
    assert {"xdp", "cgroup", "netns", "raw_tracepoint"} <= set(links)
    with net.inside("left"):
        for kind, link in links.items():
            number = link.info().id
            theirs = bpftool("link", "show", "id", number, netns=net.left)
            theirs["type"] = NEWER.get(theirs["type"], theirs["type"])  # than bpftool
            ours = say("link", "show", "id", number)
            assert lacking(theirs, ours) == [], kind


def test_types(say: Tool, bpftool: Tool, loaded: LinuxObject) -> None:
    program = loaded.programs["shown"].raw
    mine = {program.info()["btf_id"], 1}
    ours = {found["id"]: found for found in say("btf", "list")}
    for theirs in bpftool("btf", "list"):
        if theirs["id"] in mine:
            for key in ("prog_ids", "map_ids"):
                theirs[key] = sorted(theirs[key])
            assert lacking(theirs, ours[theirs["id"]]) == []
            mine.remove(theirs["id"])
    assert mine == set()


def test_probes(say: Tool, bpftool: Tool) -> None:
    with (
        LinuxProgram.load(assemble("r0 = 0; exit"), "tracepoint", name="at") as program,
        attach.tracepoint(program, "syscalls/sys_enter_getpgid", mode="perf_event"),
    ):
        [theirs] = [p for p in bpftool("perf", "show") if p["prog_id"] == program.id]
        [ours] = [p for p in say("perf", "show") if p["prog_id"] == program.id]
        assert lacking(theirs, ours) == []


def test_interfaces(say: Tool, bpftool: Tool, net: Any, links: dict[str, Link]) -> None:
    with net.inside("left"):
        [theirs] = bpftool("net", "show", netns=net.left)
        [ours] = say("net", "show")
        assert theirs["xdp"]
        assert lacking(theirs, ours) == []


def test_control_groups(say: Tool, bpftool: Tool, cgroup: Path, links: dict[str, Link]) -> None:
    theirs = bpftool("cgroup", "show", cgroup)
    assert theirs
    assert lacking(theirs, say("cgroup", "show", cgroup)) == []
    assert lacking(bpftool("cgroup", "tree", cgroup), say("cgroup", "tree", cgroup)) == []
