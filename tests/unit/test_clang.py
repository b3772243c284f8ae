"""C becomes objects with whichever clang is there; what goes wrong is said as clang says it."""

import os
import stat
import sys
from pathlib import Path

import pytest

from ebee import clang
from ebee.clang import headers, toolchain
from ebee.errors import CompileError
from ebee.obj import load

pytestmark = pytest.mark.unit

SOURCES = Path(__file__).parents[1] / "fixtures" / "c"
HEAD = "#include <linux/bpf.h>\n#include <bpf/bpf_helpers.h>\n"
PROGRAM = 'SEC("xdp") int f(struct xdp_md *ctx) { return VALUE; }\n'


def compilers() -> list[str]:
    """What EBEE_CLANG may say here: the wheel's zig, clang on the PATH."""
    found = [""] if toolchain._zig_path() else []
    for name in ("clang", *(f"clang-{n}" for n in toolchain.VERSIONS)):
        if toolchain.shutil.which(name) and toolchain._has_bpf(name):
            return [*found, name]
    return found


@pytest.fixture(params=compilers() or ["none"])
def compiler(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "none":
        pytest.skip("no clang with a BPF target")
    monkeypatch.setenv("EBEE_CLANG", request.param)
    return request.param


def source(folder: Path, text: str, name: str = "prog.c") -> Path:
    path = folder / name
    path.write_text(HEAD + text)
    return path


def test_building_gives_a_spec_and_the_object(compiler: str, tmp_path: Path) -> None:
    output = tmp_path / "out.o"
    spec = clang.build(SOURCES / "maps.c", output)
    assert spec.name == "maps"
    assert load(output).programs == spec.programs
    assert spec.warnings == []


@pytest.mark.parametrize("name", sorted(p.stem for p in SOURCES.glob("*.c")))
def test_every_source_compiles_without_warnings(compiler: str, name: str) -> None:
    if "vmlinux.h" in (SOURCES / f"{name}.c").read_text() and not os.path.exists(
        "/sys/kernel/btf/vmlinux"
    ):
        pytest.skip("needs a kernel with BTF")
    assert clang.compile(SOURCES / f"{name}.c").warnings == ""


def test_defines_includes_and_arguments(compiler: str, tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "value.h").write_text("#define VALUE (BASE + 1)\n")
    path = source(tmp_path, '#include "value.h"\n' + PROGRAM)
    for defines in ({"BASE": 4}, ["BASE=4"]):
        spec = clang.build(path, includes=[tmp_path / "more"], defines=defines)
        assert spec.programs["f"].insns[0].imm == 5
    path = source(tmp_path, "#ifdef FLAG\n" + PROGRAM.replace("VALUE", "FLAG") + "#endif\n")
    assert clang.build(path, defines={"FLAG": None}).programs["f"].insns[0].imm == 1
    assert clang.build(path, arguments=["-DFLAG=9"]).programs["f"].insns[0].imm == 9


@pytest.mark.parametrize("cpu", ["v1", "v2", "v3", "v4"])
def test_instruction_sets(compiler: str, cpu: str, tmp_path: Path) -> None:
    quotient = "(int)c->ingress_ifindex / (int)c->rx_queue_index"
    text = f'SEC("xdp") int f(struct xdp_md *c) {{ return {quotient}; }}\n'
    if cpu != "v4":
        text = text.replace("(int)", "")
    insns = clang.build(source(tmp_path, text), cpu=cpu).programs["f"].insns
    assert any(i.op & 7 == 4 for i in insns) == (cpu in ("v3", "v4"))  # 32-bit arithmetic
    assert any(i.off == 1 for i in insns) == (cpu == "v4")  # signed division


def test_an_unknown_instruction_set_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CompileError, match="unknown instruction set 'v9'; known: v1"):
        clang.build(source(tmp_path, PROGRAM), cpu="v9")


def test_inputs_are_listed(compiler: str, tmp_path: Path) -> None:
    (tmp_path / "odd name.h").write_text("#define VALUE 1\n")
    path = source(tmp_path, '#include "odd name.h"\n' + PROGRAM)
    inputs = clang.compile(path).inputs
    assert str(path) in inputs
    assert str(tmp_path / "odd name.h") in inputs
    assert str(headers.WRITTEN / "bpf" / "bpf_helpers.h") in inputs
    assert all(Path(p).is_file() for p in inputs)


def test_errors_are_clangs_own(compiler: str, tmp_path: Path) -> None:
    path = source(
        tmp_path, "int f(void) { return undeclared; }\nint g(void) { return neither_is_this; }\n"
    )
    with pytest.raises(CompileError) as caught:
        clang.build(path)
    text = str(caught.value)
    assert caught.value.summary == (
        f"{path} does not compile (2 errors): use of undeclared identifier 'undeclared'"
    )
    assert f"{path}:3:22: error: use of undeclared identifier 'undeclared'" in text
    assert "return undeclared;" in text
    assert "\x1b" not in text  # not on a terminal


def test_warnings_are_kept(compiler: str, tmp_path: Path) -> None:
    path = source(tmp_path, "#warning look here\n" + PROGRAM.replace("VALUE", "2"))
    spec = clang.build(path)
    assert len(spec.warnings) == 1
    assert "look here" in spec.warnings[0]


def test_a_source_without_programs_is_refused(compiler: str, tmp_path: Path) -> None:
    path = source(tmp_path, "int f(int x) { return x; }\n")
    with pytest.raises(CompileError, match=r'prog\.c has no programs; .*like SEC\("xdp"\)'):
        clang.build(path, tmp_path / "out.o")
    assert not (tmp_path / "out.o").exists()
    assert list(clang.build(path, programs=False).functions) == ["f"]


@pytest.mark.parametrize(
    ("name", "message"), [("absent.c", "there is no such file"), ("", "is a folder")]
)
def test_a_missing_source_is_one_clear_line(name: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(CompileError, match=f"cannot compile .*: {message}"):
        clang.build(tmp_path / name)


def test_an_output_that_cannot_be_written(compiler: str, tmp_path: Path) -> None:
    with pytest.raises(CompileError, match=r"cannot write .*no/out\.o: No such file"):
        clang.build(SOURCES / "loops.c", tmp_path / "no" / "out.o")


def script(folder: Path, text: str) -> Path:
    path = folder / "compiler"
    path.write_text("#!/bin/sh\n" + text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def test_a_compiler_that_hangs_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EBEE_CLANG", str(script(tmp_path, "exec sleep 60\n")))
    monkeypatch.setattr("ebee.clang.compiler.TIMEOUT", 0.2)
    with pytest.raises(CompileError, match="was not compiled within 0 s"):
        clang.build(source(tmp_path, PROGRAM))


def test_a_compiler_that_crashes_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EBEE_CLANG", str(script(tmp_path, "echo broken >&2; exit 7\n")))
    with pytest.raises(CompileError, match="ended with status 7\nbroken"):
        clang.build(source(tmp_path, PROGRAM))


def test_a_named_compiler_must_be_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EBEE_CLANG", "/no/such/clang")
    with pytest.raises(CompileError, match="EBEE_CLANG names '/no/such/clang'"):
        clang.find()
    monkeypatch.setenv("EBEE_CLANG", "clang 'unfinished")
    with pytest.raises(CompileError, match="EBEE_CLANG is no command"):
        clang.find()


def test_zig_may_be_named_in_any_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    zig = toolchain._zig_path()
    if zig is None:
        pytest.skip("needs the ziglang wheel")
    for words in (f"{sys.executable} -m ziglang cc", f"{zig} cc", str(zig)):
        monkeypatch.setenv("EBEE_CLANG", words)
        assert list(clang.build(SOURCES / "loops.c").programs) == ["checksum"]


def test_registers_of_an_unknown_target_are_refused(compiler: str, tmp_path: Path) -> None:
    text = "#include <bpf/bpf_tracing.h>\nint f(void *ctx) { return PT_REGS_PARM1(ctx); }\n"
    undefine = [f"-U__TARGET_ARCH_{arch}" for arch in ("x86", "arm64")]
    with pytest.raises(CompileError, match="knows no registers of this target"):
        clang.build(source(tmp_path, text), arguments=undefine)


def test_without_a_compiler_the_way_to_one_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("EBEE_CLANG", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(toolchain, "_zig_path", lambda: None)
    with pytest.raises(CompileError, match=r"no clang .* pip install 'ebee\[c\]'"):
        clang.find()


def test_zig_needs_a_cache_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    if toolchain._zig_path() is None:
        pytest.skip("needs the ziglang wheel")
    toolchain._find.cache_clear()
    monkeypatch.delenv("EBEE_CLANG", raising=False)
    monkeypatch.setattr("ebee.cachedir.folder", lambda room: None)
    try:
        with pytest.raises(CompileError, match="zig needs a cache folder"):
            clang.find()
    finally:
        toolchain._find.cache_clear()


def test_every_declared_helper_has_a_prototype() -> None:
    from ebee.helpers import all_helpers

    text = headers.helper_definitions()
    for helper in all_helpers():
        assert f"bpf_{helper.name})(" in text
        assert f"(void *) {helper.id};" in text


def test_results_of_helpers_can_be_written_through() -> None:
    """`struct value *v = bpf_map_lookup_elem(...)` must not discard a const."""
    assert "static const " not in headers.helper_definitions()


def test_kernel_types_come_from_any_btf(compiler: str, tmp_path: Path) -> None:
    from ebee.btf import BtfBuilder, Int, Member, Struct

    builder = BtfBuilder()
    u32 = builder.add(Int("unsigned int", 4))
    builder.add(Struct("xdp_md", 4, (Member("data", u32, 0),)))
    path = tmp_path / "prog.c"
    path.write_text(
        '#include "vmlinux.h"\n'
        '__attribute__((section("xdp"), used)) int f(struct xdp_md *c) { return c->data; }\n'
    )
    spec = clang.build(path, vmlinux=builder.build())
    assert list(spec.programs) == ["f"]
    header = tmp_path / "types.h"
    header.write_text("struct xdp_md { int data; };\n")
    assert list(clang.build(path, vmlinux=header).programs) == ["f"]
