"""Objects of clang become specs that say what the source says; specs link, copy and write back."""

import pickle
from copy import deepcopy
from functools import cache
from pathlib import Path

import pytest

from ebee import clang
from ebee.errors import CompileError, EbeeError, ObjectError, UnknownNameError
from ebee.isa import Insn
from ebee.isa import insn as isa
from ebee.obj import (
    FunctionSpec,
    Line,
    MapSpec,
    ObjectSpec,
    ProgramSpec,
    Ref,
    VariableSpec,
    elf,
    link,
    read,
    save,
    write,
)
from ebee.obj import load as load_file
from ebee.obj.elf import ElfWriter, NewSection, NewSymbol

pytestmark = pytest.mark.unit

SOURCES = Path(__file__).parents[1] / "fixtures" / "c"
HEAD = "#include <linux/bpf.h>\n#include <bpf/bpf_helpers.h>\n"
NAMES = (
    "maps",
    "subprogs",
    "globals",
    "tailcalls",
    "loops",
    "core",
    "externs",
    "custom_bss",
    "optional",
)


def need_clang() -> None:
    try:
        clang.find()
    except CompileError as error:
        pytest.skip(str(error))


@cache
def compiled(name: str) -> bytes:
    need_clang()
    return clang.compile(SOURCES / f"{name}.c").content


def load(name: str) -> ObjectSpec:
    return read(compiled(name), f"{name}.o")


# -- what clang emits ----------------------------------------------------------------------------


def test_maps_are_as_declared() -> None:
    maps = load("maps").maps
    flows, sized, networks = maps["flows"], maps["sized"], maps["networks"]
    assert (flows.type, flows.key_size, flows.value_size, flows.max_entries) == (
        "hash", 16, 16, 1024,
    )  # fmt: skip
    assert (sized.type, sized.value_size, sized.value_btf_id) == ("array", 24, 0)
    assert (networks.type, networks.flags, networks.key_size) == ("lpm_trie", 1, 8)
    assert (maps["recent"].numa_node, maps["recent"].flags) == (0, 4)
    assert maps["seen"].map_extra == 3
    assert (maps["events"].key_size, maps["events"].max_entries) == (0, 4096)
    assert flows.numa_node is None


def test_key_and_value_types_come_from_the_btf() -> None:
    spec = load("maps")
    assert spec.btf is not None
    flows = spec.maps["flows"]
    assert spec.btf.type(flows.key_btf_id).name == "flow"
    assert [m.name for m in spec.btf.resolve(flows.value_btf_id).members] == ["packets", "bytes"]


def test_maps_of_maps_have_a_pattern_and_named_elements() -> None:
    maps = load("maps").maps
    chosen = maps["chosen"]
    assert chosen.contents == {0: "first", 3: "second"}
    assert chosen.inner is not None
    assert (chosen.inner.type, chosen.inner.value_size, chosen.value_size) == ("array", 8, 4)
    assert maps["tables"].inner is not None
    assert maps["tables"].contents == {}


def test_program_arrays_name_their_programs() -> None:
    spec = load("tailcalls")
    assert spec.maps["chain"].contents == {1: "second", 2: "third"}
    assert set(spec.programs) == {"first", "second", "third"}


def test_global_data_becomes_maps_with_variables() -> None:
    spec = load("globals")
    rodata, bss = spec.maps[".rodata"], spec.maps[".bss"]
    assert rodata.readonly
    assert rodata.flags & 1 << 7
    assert (bss.data, bss.readonly) == (None, False)
    assert spec.maps[".data.custom"].data == bytes.fromhex("8877665544332211")
    values = {name: v.value for name, v in spec.variables.items()}
    assert values["threshold"] == 100
    assert values["setting"] == {"limit": 5, "low": -2, "flag": 1, "name": "first"}
    assert (values["mode"], values["enabled"]) == (7, True)
    assert (values["packets"], values["initialised"]) == (0, -7)
    assert values["matrix"] == [[0, 0], [0, 0], [0, 0]]
    assert (values["hidden_counter"], values["greeting"]) == (41, "hello")
    assert values["touch.format"] == "ifindex %d\n"
    assert spec.variables["hidden_zero"].linkage == "static"
    assert spec.maps[".rodata.str1.1"].data == b"some text\0"


def test_data_references_carry_map_and_offset() -> None:
    spec = load("globals")
    refs = {(r.symbol, r.addend) for r in spec.programs["touch"].refs}
    assert {(".bss", 0), (".data.custom", 0)} <= refs
    for variable in ("packets", "custom", "threshold", "initialised", "hidden_counter"):
        v = spec.variables[variable]
        assert any(m == v.map and v.offset <= at < v.offset + v.size for m, at in refs), variable
    for ref in spec.programs["touch"].refs:
        low, high = spec.programs["touch"].insns[ref.slot : ref.slot + 2]
        assert (low.src, low.imm, high.imm) == (isa.PSEUDO_MAP_VALUE, 0, 0)


def test_functions_have_their_linkage() -> None:
    functions = load("subprogs").functions
    assert {name: f.linkage for name, f in functions.items()} == {
        "leaf": "static", "middle": "static", "step": "static", "other_step": "static",
        "shared": "global", "replaceable": "global", "never_called": "global",
        "hidden": "static",
    }  # fmt: skip
    assert [name for name, f in functions.items() if f.weak] == ["replaceable"]


def test_sections_select_hooks_flags_and_loading() -> None:
    programs = load("subprogs").programs
    assert all(p.hook == "xdp" for p in programs.values())
    assert programs["plain"].flags == 0
    assert programs["callbacks"].flags == 1 << 5  # BPF_F_XDP_HAS_FRAGS
    optional = load("optional").programs
    assert {name: p.autoload for name, p in optional.items()} == {
        "not_loaded": False,
        "loaded": True,
    }


def test_calls_and_callbacks_are_symbolic() -> None:
    spec = load("subprogs")
    calls = {(r.kind, r.symbol) for r in spec.programs["callbacks"].refs}
    assert calls == {("func", "step"), ("func", "other_step")}
    assert {r.symbol for r in spec.functions["middle"].refs} == {"leaf"}
    for ref in spec.functions["middle"].refs:
        insn = spec.functions["middle"].insns[ref.slot]
        assert (insn.src, insn.imm) == (isa.PSEUDO_CALL, -1)


def test_core_relocations_are_kept() -> None:
    spec = load("core")
    cores = [r for r in spec.programs["look"].refs if r.kind == "core"]
    assert {r.core.kind.name for r in cores if r.core} == {
        "FIELD_BYTE_OFFSET", "FIELD_EXISTS", "FIELD_BYTE_SIZE", "TYPE_EXISTS", "TYPE_SIZE",
        "ENUMVAL_EXISTS", "ENUMVAL_VALUE",
    }  # fmt: skip
    fields = [r for r in spec.functions["parent_of"].refs if r.kind == "core" and r.core]
    assert [(r.symbol, r.core.access) for r in fields if r.core] == [
        ("task_struct", "0:3"), ("task_struct", "0:1"),
    ]  # fmt: skip


def test_externs_say_who_supplies_them() -> None:
    spec = load("externs")
    kinds = {name: (e.kind, e.weak) for name, e in spec.externs.items()}
    assert kinds == {
        "LINUX_KERNEL_VERSION": ("kconfig", False),
        "CONFIG_HZ": ("kconfig", True),
        "bpf_prog_put": ("ksym", False),
        "absent_variable": ("ksym", True),
        "bpf_rcu_read_lock": ("kfunc", False),
        "bpf_rcu_read_unlock": ("kfunc", False),
        "absent_function": ("kfunc", True),
    }
    used = {(r.kind, r.symbol) for r in spec.programs["look"].refs}
    assert ("ksym", "absent_function") in used  # its address: is it there?
    assert ("kfunc", "absent_function") in used


def test_lines_and_types_of_functions() -> None:
    spec = load("loops")
    program = spec.programs["checksum"]
    assert program.lines[0].slot == 0
    assert program.lines[0].file.endswith("loops.c")
    assert "ctx->data" in program.lines[0].text
    assert spec.btf is not None
    assert spec.btf.type(program.btf_id).name == "checksum"
    assert spec.btf.type(spec.functions["sum"].btf_id).name == "sum"


def test_without_debug_information_programs_are_read_and_maps_are_not(tmp_path: Path) -> None:
    need_clang()
    options = clang.Options(debug=False)
    spec = read(clang.compile(SOURCES / "loops.c", options).content, "loops.o")
    assert spec.btf is None
    assert len(link(spec, "checksum").funcs) == 2
    with pytest.raises(ObjectError, match=r"maps are declared through BTF.*compile with -g"):
        read(clang.compile(SOURCES / "maps.c", options).content, "maps.o")
    spec = read(clang.compile(SOURCES / "globals.c", options).content, "globals.o")
    assert spec.variables["threshold"].value == 100
    assert spec.variables["setting"].value[:4] == b"\5\0\0\0"


def test_big_endian_objects_are_read() -> None:
    need_clang()
    little = load("globals")
    big = read(
        clang.compile(SOURCES / "globals.c", clang.Options(endian="big")).content, "globals.o"
    )
    assert big.endian == "big"
    assert big.variables["threshold"].value == 100
    assert big.variables["setting"].value == little.variables["setting"].value
    assert [i.op for i in big.programs["touch"].insns] == [
        i.op for i in little.programs["touch"].insns
    ]
    again = read(write(big), "globals.o")
    assert again == big


def test_functions_in_sections_of_their_own_are_subprograms(tmp_path: Path) -> None:
    need_clang()
    path = tmp_path / "split.c"
    path.write_text(
        HEAD + "__noinline int part(int x) { return x * 77 ^ 5; }\n"
        'SEC("xdp") int f(struct xdp_md *c) { return part(c->ingress_ifindex); }\n'
    )
    spec = clang.build(path, arguments=["-ffunction-sections"])
    assert spec.functions["part"].section == ".text.part"
    assert [f.name for f in link(spec, "f").funcs] == ["f", "part"]
    assert read(write(spec), "split.o") == spec


def test_hidden_variables_keep_their_map_to_the_kernel(tmp_path: Path) -> None:
    """A section of nothing but static and hidden variables cannot be mapped, as libbpf has it."""
    need_clang()
    path = tmp_path / "private.c"
    path.write_text(
        HEAD + 'SEC(".data.lock") __hidden struct bpf_spin_lock lock;\n'
        'SEC(".data.own") static int own = 1;\nSEC(".data.open") int open = 1;\n'
        'SEC("xdp") int f(struct xdp_md *c) { bpf_spin_lock(&lock); own += open;\n'
        "bpf_spin_unlock(&lock); return own; }\n"
    )
    spec = clang.build(path)
    mapped = {name: bool(made.flags & 1 << 10) for name, made in spec.maps.items()}
    assert mapped == {".data.lock": False, ".data.own": False, ".data.open": True}
    again = read(write(spec), "private.o")
    assert {name: bool(m.flags & 1 << 10) for name, m in again.maps.items()} == mapped


def test_addresses_in_data_are_warned_of(tmp_path: Path) -> None:
    """libbpf leaves them as they are, too: a program that follows them is rejected."""
    need_clang()
    path = tmp_path / "table.c"
    path.write_text(
        HEAD + 'const char *const names[] = { "one", "two" };\n'
        'SEC("xdp") int f(struct xdp_md *c) { return names[c->rx_queue_index & 1][0]; }\n'
    )
    assert any("holds 2 address(es)" in warning for warning in clang.build(path).warnings)


# -- refusals ------------------------------------------------------------------------------------

PROGRAM = 'SEC("xdp") int f(struct xdp_md *ctx) { return 2; }\n'


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ('SEC("xpd") int f(void *c) { return 0; }', 'section "xpd".*did you mean xdp'),
        (
            "struct { __uint(max_entries, 1); } m SEC(\".maps\");\n" + PROGRAM,
            "map m: it does not say its type",
        ),
        (
            "struct { __uint(type, 2); __uint(colour, 1); } m SEC(\".maps\");\n" + PROGRAM,
            "map m: unknown attribute 'colour'",
        ),
        (
            "struct { __uint(type, 2); __type(key, int); __uint(key_size, 8); } m SEC(\".maps\");\n"
            + PROGRAM,
            "map m: key_size is both 4 and 8",
        ),
        (
            "struct { __uint(type, 2); __uint(pinning, 7); } m SEC(\".maps\");\n" + PROGRAM,
            "map m: pinning 7",
        ),
        ('int m SEC("maps");\n' + PROGRAM, "map m: its definition has 4 bytes instead of 20"),
        ('int m SEC(".maps");\n' + PROGRAM, "map m: it is not declared as a struct"),
        (
            '__u32 odd SEC("elsewhere");\n'
            'SEC("xdp") int f(struct xdp_md *ctx) { return odd++; }',
            "address of odd in elsewhere, which is no map, data or function",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused(source: str, message: str, tmp_path: Path) -> None:
    need_clang()
    path = tmp_path / "prog.c"
    path.write_text(HEAD + source + "\n")
    with pytest.raises(ObjectError, match=message) as caught:
        clang.build(path)
    assert str(path) in str(caught.value)


def test_a_missing_file_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(ObjectError, match=r"cannot read .*absent\.o: No such file"):
        load_file(tmp_path / "absent.o")


@pytest.mark.parametrize(
    ("place", "code", "message"),
    [
        (4, bytes(16), "is in no function"),
        (0, Insn(0x85, 0, 0, 0, 5), "a helper call is relocated"),
        (0, Insn(0xB7), "relocation type 10 does not belong to opcode 0xb7"),
        (8, Insn(0x18), "is in the middle of an instruction"),
    ],
)
def test_relocations_must_fit_their_instruction(place, code, message) -> None:
    raw = (
        code
        if isinstance(code, bytes)
        else bytes([code.op, 0, 0, 0]) + code.imm.to_bytes(4, "little")
    )
    writer = ElfWriter()
    text = writer.section(
        NewSection("xdp", raw.ljust(16, b"\0") + bytes([0x95]).ljust(8, b"\0"), flags=6)
    )
    symbol = writer.symbol(NewSymbol("f", text, 0, 24, type=elf.STT_FUNC))
    writer.reloc(text, place, elf.R_BPF_64_32, symbol)
    with pytest.raises(ObjectError, match=message):
        read(writer.build())


# -- specs made by hand --------------------------------------------------------------------------

EXIT = Insn(isa.JMP | isa.EXIT)
CALL = Insn(isa.JMP | isa.CALL, 0, isa.PSEUDO_CALL, 0, -1)


def handmade() -> ObjectSpec:
    """main -> b -> c -> b (recursion), main -> a; a's address taken; d is not reached."""
    spec = ObjectSpec("hand", license="GPL", version=0x60102)

    def function(name: str, *calls: str, section: str = ".text", linkage="global") -> FunctionSpec:
        refs = [Ref(slot, "call", target) for slot, target in enumerate(calls)]
        lines = [Line(0, "hand.c", 1, 2, f"{name}()")]
        insns = [CALL] * len(calls) + [EXIT]
        return FunctionSpec(name, section, insns, refs, lines, linkage=linkage)

    for made in (function("d"), function("c", "b"), function("b", "c"), function("a")):
        spec.functions[made.name] = made
    main = function("main", "b", "a", section="xdp")
    main.insns[2:2] = isa.lddw(2, 0, isa.PSEUDO_FUNC) + isa.lddw(1, 0, isa.PSEUDO_MAP_FD)
    main.refs += [Ref(2, "func", "a"), Ref(4, "map", "table")]
    spec.programs["main"] = ProgramSpec(**vars(main), hook="xdp", attach_type=37)
    spec.maps["table"] = MapSpec("table", "array", 4, 16, 100, map_extra=1 << 40)
    spec.maps[".data"] = MapSpec(".data", "array", 4, 8, 1, data=b"\1\0\0\0\2\0\0\0")
    spec.variables["x"] = VariableSpec("x", ".data", 4, 4, spec=spec)
    return spec


def test_linking_follows_first_use_and_leaves_out_the_rest() -> None:
    linked = link(handmade(), "main")
    assert [(f.name, f.start) for f in linked.funcs] == [("main", 0), ("b", 7), ("c", 9), ("a", 11)]
    assert [linked.insns[at].imm for at in (0, 1)] == [6, 9]  # call distances
    assert linked.insns[2].imm == 8  # lddw of a function: distance, too
    assert (linked.insns[7].imm, linked.insns[9].imm) == (1, -3)  # b -> c -> b
    assert linked.refs == [Ref(4, "map", "table")]
    assert [(line.slot, line.text) for line in linked.lines] == [
        (0, "main()"), (7, "b()"), (9, "c()"), (11, "a()"),
    ]  # fmt: skip


def test_linking_leaves_the_spec_alone() -> None:
    spec = handmade()
    before = spec.copy()
    link(spec, "main")
    assert spec == before


def test_linking_a_very_long_chain_works() -> None:
    spec = ObjectSpec("deep")
    for n in range(5000):
        spec.functions[f"f{n}"] = FunctionSpec(
            f"f{n}", ".text", [CALL, EXIT], [Ref(0, "call", f"f{n + 1}")]
        )
    spec.functions["f5000"] = FunctionSpec("f5000", ".text", [EXIT])
    assert len(link(spec, "f0").funcs) == 5001


def test_a_missing_function_is_named() -> None:
    spec = handmade()
    del spec.functions["a"]
    with pytest.raises(ObjectError, match="main calls a, which is not defined in this object"):
        link(spec, "main")
    with pytest.raises(ObjectError, match="refers to missing 'a'"):
        write(spec)


def test_what_other_objects_define_is_read_and_missed_when_linking(tmp_path: Path) -> None:
    need_clang()
    path = tmp_path / "part.c"
    path.write_text(
        HEAD + "extern int number, other(int);\n"
        'extern struct { __uint(type, 2); __uint(max_entries, 1); } table SEC(".maps");\n'
        'SEC("xdp") int f(struct xdp_md *c) { return other(number); }\n'
        'SEC("xdp") int g(struct xdp_md *c) { return (long)bpf_map_lookup_elem(&table, c); }\n'
        'SEC("xdp") int h(struct xdp_md *c) { return number; }\n'
    )
    spec = clang.build(path)
    kinds = {name: extern.kind for name, extern in spec.externs.items()}
    assert kinds == {"number": "var", "other": "func", "table": "map"}
    assert read(write(spec), "part.o") == spec
    for program, name in (("f", "calls other"), ("g", "uses table"), ("h", "uses number")):
        with pytest.raises(ObjectError, match=f"{name}, which is not defined in this object"):
            link(spec, program)


def test_a_handmade_spec_survives_the_file() -> None:
    spec = handmade()
    again = read(write(spec), "hand.o")
    assert again.maps["table"] == spec.maps["table"]
    assert again == spec


@pytest.mark.parametrize("name", NAMES)
def test_compiled_objects_survive_writing(name: str) -> None:
    spec = load(name)
    first = write(spec)
    again = read(first, f"{name}.o")
    assert again == spec
    assert write(again) == first
    assert (again.btf is None) == (spec.btf is None)
    for program in spec.programs:
        assert link(again, program) == link(spec, program)


def test_changes_survive_writing(tmp_path: Path) -> None:
    spec = load("maps")
    spec.maps["flows"].max_entries = 7
    spec.maps["chosen"].contents = {1: "second"}
    spec.maps["sized"].value_size = 100
    spec.license = "MIT"
    spec.programs["count"].autoload = False
    save(spec, tmp_path / "maps.o")
    again = load_file(tmp_path / "maps.o")
    assert again.maps == spec.maps
    assert (again.license, again.programs["count"].autoload) == ("MIT", False)


@pytest.mark.parametrize("license", ["MIT", "A much longer licence than it was"])
def test_a_changed_license_keeps_its_btf_valid(license: str) -> None:
    spec = load("maps")
    spec.license = license
    again = read(write(spec), "maps.o")
    assert again.license == license
    assert again.btf is not None
    datasec = again.btf.find("license")
    assert datasec.vars[0].size >= again.btf.sizeof(datasec.vars[0].type)
    assert datasec.size == datasec.vars[0].size


def test_one_name_cannot_be_two_things() -> None:
    spec = handmade()
    spec.maps["a"] = MapSpec("a", "array", 4, 4, 1)
    with pytest.raises(ObjectError, match="two things in it are called 'a'"):
        write(spec)


def test_zeroed_data_with_a_value_cannot_be_written() -> None:
    spec = load("globals")
    spec.variables["packets"] = 5
    with pytest.raises(ObjectError, match=r"variables in \.bss are zero"):
        write(spec)


def test_variables_are_set_by_type() -> None:
    spec = load("globals")
    spec.variables["threshold"] = 7
    spec.variables["setting"] = {"limit": 9, "name": "xy"}
    spec.variables["matrix"] = [[1, 2], [3, 4]]
    assert spec.variables["threshold"].value == 7
    assert spec.variables["setting"].value.limit == 9
    assert spec.variables["matrix"].value == [[1, 2], [3, 4], [0, 0]]
    assert spec.maps[".rodata"].data[:4] == b"\7\0\0\0"
    with pytest.raises(EbeeError, match=r"variable threshold: .*out of range"):
        spec.variables["threshold"] = 1 << 40
    with pytest.raises(ObjectError, match="no variable 'treshold'"):
        spec.variables["treshold"] = 1


def test_a_copy_is_independent() -> None:
    spec = load("globals")
    copy = spec.copy()
    assert copy == spec
    copy.variables["threshold"] = 1
    copy.maps[".bss"].max_entries = 2
    copy.programs["touch"].insns.clear()
    copy.programs["touch"].refs.clear()
    assert spec == load("globals")
    assert copy.variables["threshold"].value == 1


def test_names_are_looked_up_with_help() -> None:
    spec = load("tailcalls")
    assert spec.program("third").name == "third"
    assert spec.function("first") is spec.programs["first"]
    with pytest.raises(ObjectError, match=r"name one of its programs: .*first"):
        spec.program()
    with pytest.raises(ObjectError, match=r"no program 'tird'. Did you mean 'third'"):
        spec.program("tird")
    with pytest.raises(ObjectError, match=r"no map 'nope'. It has: chain"):
        spec.map("nope")
    with pytest.raises(ObjectError, match=r"no function 'frist'. Did you mean 'first'"):
        spec.function("frist")


@pytest.mark.parametrize("spec", [load("globals"), load("globals").copy()], ids=["read", "copied"])
@pytest.mark.parametrize(
    ("what", "name", "said"),
    [
        ("maps", ".rodat", "no map '.rodat'. Did you mean '.rodata'? It has: "),
        ("programs", "tuch", "no program 'tuch'. Did you mean 'touch'? It has: touch"),
        ("functions", "touch", "no function 'touch'. It has: "),
        ("variables", "Setings", "no variable 'Setings'. Did you mean 'setting'? It has: "),
        ("externs", "jiffies", "no extern 'jiffies'. It has: none"),
        ("maps", 3, "no map 3. It has: "),
    ],
)
def test_a_missing_name_is_a_key_error_that_helps(spec, what, name, said) -> None:
    there = getattr(spec, what)
    with pytest.raises(KeyError) as caught:
        there[name]
    assert isinstance(caught.value, UnknownNameError)
    assert str(caught.value).startswith(f"object globals has {said}")
    assert there.get(name) is None
    assert name not in there


def test_plain_dicts_become_those_of_the_object() -> None:
    spec = ObjectSpec("own", {"a": MapSpec("a", "array")})
    spec.programs = {}
    with pytest.raises(UnknownNameError, match=r"object own has no map 'b'. It has: a"):
        spec.maps["b"]
    with pytest.raises(UnknownNameError, match=r"object own has no program 'b'. It has: none"):
        spec.programs["b"]
    spec.maps = {str(n): MapSpec(str(n), "array") for n in range(50)}
    with pytest.raises(UnknownNameError, match=r"17, 18, 19 and 30 more$"):
        spec.maps["x"]
    for same in (pickle.loads(pickle.dumps(spec)), deepcopy(spec)):
        assert same == spec
        with pytest.raises(UnknownNameError, match="object own has no map 'x'"):
            same.maps["x"]
