"""What loaders other than libbpf take, and what strict reading refuses as libbpf does."""

import ctypes
import ctypes.util
import shutil
import struct
import subprocess
from pathlib import Path

import pytest

from ebee import clang, hooks
from ebee.errors import CompileError, ObjectError
from ebee.obj import ObjectSpec, elf, link, read, write
from ebee.obj.elf import ElfWriter, NewSection, NewSymbol

pytestmark = pytest.mark.unit

HEAD = "#include <linux/bpf.h>\n#include <bpf/bpf_helpers.h>\n"
EXIT = bytes.fromhex("b700000002000000 9500000000000000")


def compiled(tmp_path: Path, source: str, **options: object) -> bytes:
    try:
        clang.find()
    except CompileError as error:
        pytest.skip(str(error))
    path = tmp_path / "prog.c"
    path.write_text(HEAD + source + "\n")
    return clang.compile(path, clang.Options(**options)).content  # type: ignore[arg-type]


def assembled(section: str, *, bind: int = elf.STB_GLOBAL, more: tuple[str, bytes] = ("", b"")):
    """An object with one program in a section, and one more section."""
    made = ElfWriter()
    flags = elf.SHF_ALLOC | elf.SHF_EXECINSTR
    code = made.section(NewSection(section, EXIT, flags=flags))
    made.symbol(NewSymbol("f", code, 0, len(EXIT), bind, elf.STT_FUNC))
    if more[0]:
        made.section(NewSection(more[0], more[1], flags=elf.SHF_ALLOC | elf.SHF_WRITE))
    return made.build()


@pytest.mark.parametrize(
    ("section", "hook", "target"),
    [
        ("xdp/eth0", "xdp", ""),
        ("xdp_firewall", "xdp", ""),
        ("classifier/ingress", "tc", ""),
        ("classifier_2", "tc", ""),
        ("socket1", "socket_filter", ""),
        ("sk_skb1", "sk_skb", ""),
        ("kprobe/do_unlinkat", "kprobe", "do_unlinkat"),
        ("cgroup_skb/ingress/mine", "cgroup_skb", ""),
    ],
)
def test_section_names_may_go_on(section: str, hook: str, target: str) -> None:
    program = read(assembled(section)).programs["f"]
    assert (program.hook, program.attach_to) == (hook, target)


def test_the_longest_name_counts() -> None:
    ingress = read(assembled("cgroup_skb/ingress/mine")).programs["f"]
    exact = read(assembled("cgroup_skb/ingress")).programs["f"]
    assert ingress.attach_type == exact.attach_type
    frags = read(assembled("xdp.frags/eth0")).programs["f"]
    assert frags.flags == read(assembled("xdp.frags")).programs["f"].flags != 0


@pytest.mark.parametrize("section", ["xdpx", "kprobes", "redirect_to_111", "?abc"])
def test_programs_in_other_sections_can_be_looked_at(section: str) -> None:
    spec = read(assembled(section))
    assert spec.programs["f"].hook == ""
    assert "which is no hook that ebee knows" in spec.warnings[0]
    assert len(link(spec, "f").insns) == 2


def test_strict_reading_takes_section_names_as_they_are_declared() -> None:
    assert read(assembled("xdp/eth0"), strict=True).programs["f"].hook == ""
    assert read(assembled("xdp"), strict=True).programs["f"].hook == "xdp"


ODDITIES = ("", "/", "/x", "/x/y", "x", ".s", ".s/x", "+", "?", " ", "/x+4", "//", ".frags")


def test_strict_reading_knows_the_sections_that_libbpf_knows() -> None:
    """Every declared name with everything behind it; those that are newer than the libbpf here
    are left out by their names."""
    path = ctypes.util.find_library("bpf")
    if path is None:
        pytest.skip("needs libbpf.so")
    lib = ctypes.CDLL(path)
    lib.libbpf_set_print(None)
    numbers = ctypes.c_int(), ctypes.c_int()

    def theirs(name: str) -> tuple[int, int] | None:
        pointers = map(ctypes.byref, numbers)
        failed = lib.libbpf_prog_type_by_name(name.encode(), *pointers)
        return None if failed else (numbers[0].value, numbers[1].value)

    names = [s.name.removesuffix("+") for hook in hooks.all_hooks() for s in hook.sections]
    known = [name for name in names if theirs(name) is not None]
    assert len(known) > 80
    newer = {name for name in names if name not in known}
    for name in (base + more for base in known for more in ODDITIES):
        found = hooks.for_section(name)
        mine = found and (found[0].prog_type, found[1].attach_type or 0)
        if found is None or found[1].name.removesuffix("+") not in newer:
            assert mine == theirs(name), name


def test_static_functions_beside_programs(tmp_path: Path) -> None:
    content = compiled(
        tmp_path,
        'static __noinline SEC("xdp") int inner(int x) { return x * 77 ^ 5; }\n'
        'SEC("xdp") int f(struct xdp_md *c) { return inner(c->ingress_ifindex); }\n'
        'SEC("xdp") int g(struct xdp_md *c) { return 1; }',
    )
    spec = read(content)
    assert (set(spec.programs), set(spec.functions)) == ({"f", "g"}, {"inner"})
    with pytest.raises(ObjectError, match='function inner in section "xdp" is static'):
        read(content, strict=True)


def test_ring_buffers_may_say_what_their_records_are(tmp_path: Path) -> None:
    content = compiled(
        tmp_path,
        "struct event { int a; long b; };\n"
        "struct { __uint(type, BPF_MAP_TYPE_RINGBUF); __uint(max_entries, 4096);"
        ' __type(key, int); __type(value, struct event); } events SEC(".maps");',
    )
    spec = read(content)
    events = spec.maps["events"]
    assert (events.key_size, events.value_size) == (0, 0)
    assert spec.btf is not None
    assert spec.btf.type(events.value_btf_id).name == "event"
    assert read(write(spec), "object") == spec
    with pytest.raises(ObjectError, match="map events has a key of 4 bytes; a ringbuf has none"):
        read(content, strict=True)


def test_perf_event_arrays_may_say_what_their_records_are(tmp_path: Path) -> None:
    content = compiled(
        tmp_path,
        "struct event { int a; long b; };\n"
        "struct { __uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);"
        ' __type(value, struct event); } events SEC(".maps");',
    )
    spec = read(content)
    events = spec.maps["events"]
    assert (events.key_size, events.value_size) == (4, 4)
    assert spec.btf is not None
    assert spec.btf.type(events.value_btf_id).name == "event"
    assert read(write(spec), "object").maps["events"] == events
    with pytest.raises(ObjectError, match="has a key of 0 bytes instead of 4"):
        read(content, strict=True)


def test_undefined_symbols_wait_for_a_linker(tmp_path: Path) -> None:
    """What the BTF does not explain may be linked, or replaced in the code, before loading."""
    content = compiled(
        tmp_path,
        'SEC("xdp") int f(void *ctx) { long n; asm volatile("%0 = LIMIT ll" : "=r"(n));'
        " return n; }\n"
        'SEC("xdp") int g(void *ctx) { asm volatile("call other" ::: "r0"); return 1; }',
    )
    spec = read(content)
    assert {name: e.kind for name, e in spec.externs.items()} == {"LIMIT": "var", "other": "func"}
    for name, undefined in (("f", "LIMIT"), ("g", "other")):
        with pytest.raises(ObjectError, match=f"{undefined}, which is not defined in this object"):
            link(spec, name)
    assert read(write(spec), "object") == spec
    with pytest.raises(ObjectError, match="'LIMIT' is not defined here"):
        read(content, strict=True)


def test_strict_objects_are_whole(tmp_path: Path) -> None:
    content = compiled(
        tmp_path, 'extern int other(void);\nSEC("xdp") int f(void *ctx) { return other(); }'
    )
    assert read(content).externs["other"].kind == "func"
    with pytest.raises(ObjectError, match="'other' is not defined here; link the object"):
        read(content, strict=True)


# -- maps of old ---------------------------------------------------------------------------------


def legacy(words: dict[str, tuple[int, ...]], section: str = "maps") -> ObjectSpec:
    """An object with maps in a section of structs of 32-bit words."""
    made = ElfWriter()
    where = made.section(NewSection(section, b"", flags=elf.SHF_ALLOC | elf.SHF_WRITE))
    for name, numbers in words.items():
        data = struct.pack(f"<{len(numbers)}I", *numbers)
        made.symbol(NewSymbol(name, where, len(where.data), len(data), type=elf.STT_OBJECT))
        where.data += data
    return read(made.build())


@pytest.mark.parametrize("section", ["maps", "maps/one"])
def test_maps_of_five_words(section: str) -> None:
    made = legacy({"a": (1, 4, 8, 16, 1), "b": (2, 4, 24, 3, 0)}, section).maps
    assert (made["a"].type, made["a"].key_size, made["a"].value_size) == ("hash", 4, 8)
    assert (made["a"].max_entries, made["a"].flags) == (16, 1)
    assert (made["b"].type, made["b"].value_size) == ("array", 24)


def test_maps_of_more_words() -> None:
    spec = legacy({"a": (1, 4, 8, 16, 0, 0, 0), "m": (12, 4, 4, 2, 4, 0, 1)})
    assert (spec.maps["m"].numa_node, spec.maps["a"].numa_node) == (1, None)
    inner = spec.maps["m"].inner
    assert inner is not None
    assert (inner.type, inner.max_entries) == ("hash", 16)
    strange = legacy({"a": (1, 4, 8, 16, 0, 0, 0, 5)})
    assert "what its definition says after numa_node is not known" in strange.warnings[0]


def test_maps_of_iproute2() -> None:
    none = 0xFFFF_FFFF
    spec = legacy(
        {
            "outer": (12, 4, 4, 8, 0, 2, 2, 1, none),
            "inner": (2, 4, 8, 4, 0, 1, 0, 0, 3),
        }
    )
    outer = spec.maps["outer"]
    assert (outer.pinning, outer.contents) == (1, {3: "inner"})
    assert outer.inner is not None
    assert (outer.inner.type, outer.inner.max_entries) == ("array", 4)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"a": (1, 4)}, "its definition has 8 bytes instead of 20"),
        ({"m": (12, 4, 4, 8, 0, 7, 0)}, "there is no map 7 to be its inner one"),
        ({"m": (12, 4, 4, 8, 0, 1, 0, 5, 0)}, "there is no map with id 5"),
    ],
)
def test_damaged_maps_of_old_are_refused(words: dict[str, tuple[int, ...]], message: str) -> None:
    with pytest.raises(ObjectError, match=message):
        legacy(words)


def test_programs_use_maps_of_old(tmp_path: Path) -> None:
    content = compiled(
        tmp_path,
        "struct bpf_map_def { unsigned type, key_size, value_size, max_entries, map_flags; };\n"
        'struct bpf_map_def SEC("maps") counts = { 1, 4, 8, 16, 0 };\n'
        'SEC("xdp") int f(struct xdp_md *c) { int k = 1;'
        " return !bpf_map_lookup_elem(&counts, &k); }",
    )
    spec = read(content)
    assert [r.symbol for r in link(spec, "f").refs] == ["counts"]
    again = read(write(spec), "object")
    assert again.maps == spec.maps
    with pytest.raises(ObjectError, match="maps are defined the old way"):
        read(content, strict=True)


@pytest.mark.parametrize(
    ("data", "version"), [(b"\x05\6\0\0", 0x605), (b"\x05\6" + bytes(6), 0x605)]
)
def test_versions_of_two_sizes(data: bytes, version: int) -> None:
    assert read(assembled("xdp", more=("version", data))).version == version


def test_other_versions_are_refused() -> None:
    with pytest.raises(ObjectError, match="section version has 3 bytes"):
        read(assembled("xdp", more=("version", b"abc")))
    with pytest.raises(ObjectError, match="section version has 8 bytes"):
        read(assembled("xdp", more=("version", bytes(8))), strict=True)


# -- other compilers and targets -------------------------------------------------------------------


def test_big_endian_objects_are_read_and_written(tmp_path: Path) -> None:
    source = (
        "struct { __uint(type, BPF_MAP_TYPE_HASH); __uint(max_entries, 7);"
        ' __type(key, int); __type(value, long); } m SEC(".maps");\n'
        "int number = 0x11223344;\n"
        'SEC("xdp") int f(struct xdp_md *c) { int k = 1;'
        " return !bpf_map_lookup_elem(&m, &k) + number; }"
    )
    big = read(compiled(tmp_path, source, endian="big"))
    little = read(compiled(tmp_path, source))
    assert (big.endian, big.variables["number"].value) == ("big", 0x11223344)
    assert big.maps["m"].max_entries == little.maps["m"].max_entries == 7
    assert link(big, "f").insns == link(little, "f").insns
    assert read(write(big), "object") == big


GCC = """
struct { __uint(type, BPF_MAP_TYPE_HASH); __uint(max_entries, 7);
	__type(key, int); __type(value, long); } other SEC(".maps"), counts SEC(".maps");
int limit = 5, table[4] = { 1, 2, 3, 4 };
static __attribute__((noinline)) int one(int x) { return x * 3 + table[2]; }
__attribute__((noinline)) int two(int x) { return one(x) + limit; }
SEC("xdp") int f(struct xdp_md *c)
{
	int k = 1;
	long *v = bpf_map_lookup_elem(&counts, &k);
	return two(c->ingress_ifindex) + (v ? *v : 0);
}
SEC("xdp") int g(struct xdp_md *c) { return two(3); }
"""


def test_objects_of_gcc(tmp_path: Path) -> None:
    if not shutil.which("bpf-gcc"):
        pytest.skip("needs gcc for BPF")
    (tmp_path / "prog.c").write_text(
        "#define SEC(name) __attribute__((section(name), used))\n"
        "#define __uint(name, val) int (*name)[val]\n#define __type(name, val) val *name\n"
        "#include <linux/bpf.h>\n"
        "static void *(*bpf_map_lookup_elem)(void *, const void *) = (void *)1;\n" + GCC
    )
    command = ["bpf-gcc", "-O2", "-g", "-gbtf", "-c", "-o", tmp_path / "prog.o"]
    command += ["-idirafter", "/usr/include/x86_64-linux-gnu", "-idirafter", "/usr/include"]
    subprocess.run([*command, tmp_path / "prog.c"], check=True)
    spec = read((tmp_path / "prog.o").read_bytes())
    assert (set(spec.programs), set(spec.functions)) == ({"f", "g"}, {"one", "two"})
    assert (spec.maps["counts"].key_size, spec.maps["counts"].value_size) == (4, 8)
    assert spec.variables["table"].value == [1, 2, 3, 4]
    assert [f.name for f in link(spec, "f").funcs] == ["f", "two", "one"]
    table, limit = spec.variables["table"], spec.variables["limit"]
    places = [r.addend for r in link(spec, "f").refs if r.kind == "data"]
    assert limit.offset in places
    assert any(table.offset <= at < table.offset + table.size for at in places)
    assert [r.symbol for r in link(spec, "f").refs if r.kind == "map"] == ["counts"]
    assert read(write(spec), "object") == spec
