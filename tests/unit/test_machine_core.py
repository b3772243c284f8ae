"""CO-RE on the machine: programs as they are for given types, for the kernel's, or for those that
come with ebee; what is lacking is a fault where a program gets there, which names it."""

from array import array

import pytest

from ebee.btf import SIGNED, Btf, BtfBuilder, Int, Member, Struct, files, target
from ebee.btf.ext import CoreKind, CoreRelo
from ebee.errors import BtfError
from ebee.isa import assemble
from ebee.machine.machine import Machine
from ebee.machine.vm import ProgramFault
from ebee.obj import ObjectSpec, ProgramSpec, Ref

pytestmark = pytest.mark.unit


def types(name: str, size: int, *members: tuple[str, int]) -> Btf:
    """int (1) and a struct (2) of ints at byte offsets."""
    builder = BtfBuilder()
    builder.add(Int("int", 4, SIGNED))
    builder.add(Struct(name, size, tuple(Member(n, 1, 8 * at) for n, at in members)))
    return builder.build()


TARGET = types("task_struct", 64, ("pad", 0), ("pid", 40))


@pytest.fixture
def spec() -> ObjectSpec:
    """A program that returns the offset of pid for long packets, that of `gone` for short ones."""
    code = """
        r2 = *(u32 *)(r1 +4)
        r3 = *(u32 *)(r1 +0)
        r2 -= r3
        if r2 < 100 goto short
        r0 = 0
        exit
    short:
        r0 = 4
        exit
    """
    made = ObjectSpec("tasks", license="GPL")
    made.btf = types("task_struct", 8, ("pid", 0), ("gone", 4))
    refs = [
        Ref(slot, "core", "task_struct", 2, CoreRelo(0, 2, access, CoreKind.FIELD_BYTE_OFFSET))
        for slot, access in ((4, "0:0"), (6, "0:1"))
    ]
    made.programs["main"] = ProgramSpec("main", "xdp", assemble(code), refs, hook="xdp")
    return made


LONG, SHORT = bytes(200), bytes(60)


def test_relocations_follow_the_given_types(spec):
    with Machine(btf=TARGET) as machine:
        program = machine.load(spec).programs["main"]
        assert program.test_run(LONG).retval == 40
    assert spec.programs["main"].refs  # the caller's spec is as it was


def test_what_is_lacking_is_a_fault_when_a_program_gets_there(spec):
    with Machine(btf=TARGET) as machine:
        program = machine.load(spec).programs["main"]
        why = "main, instruction 6.*not struct task_struct.gone .*has no member 'gone'"
        with pytest.raises(ProgramFault, match=why):
            program.test_run(SHORT)


@pytest.mark.parametrize("tier", ["quick", "optimised"])
def test_compiled_code_faults_too(spec, tier):
    pytest.importorskip("llvmlite")
    from ebee.machine.jit.batch import PacketBatch

    def batch(data: bytes) -> PacketBatch:
        return PacketBatch(data, array("Q", [0]), array("I", [len(data)]), array("Q", [0]))

    with Machine(btf=TARGET) as machine:
        program = machine.load(spec).programs["main"]
        assert not program.run_batch(batch(LONG), tier)
        with pytest.raises(ProgramFault, match="has no member 'gone'"):
            program.run_batch(batch(SHORT), tier)


def test_without_a_kernel_the_bundled_types_count_and_the_object_says_so(
    spec, monkeypatch, tmp_path
):
    monkeypatch.setattr(files, "VMLINUX", tmp_path / "vmlinux")
    pid = next(m for m in Btf.bundled().find("task_struct", Struct).members if m.name == "pid")
    with Machine() as machine:
        loaded = machine.load(spec)
        assert loaded.programs["main"].test_run(LONG).retval == pid.offset // 8
        assert "using the bundled BTF" in loaded.spec.warnings[0]


def test_only_programs_that_are_loaded_are_relocated(spec):
    damaged = CoreRelo(0, 2, "0:7", CoreKind.FIELD_BYTE_OFFSET)
    refs = [Ref(0, "core", "task_struct", 2, damaged)]
    spec.programs["other"] = ProgramSpec("other", "xdp", assemble("r0 = 0; exit"), refs, hook="xdp")
    with Machine(btf=TARGET) as machine:
        assert list(machine.load(spec, ["main"]).programs) == ["main"]
        with pytest.raises(BtfError, match=r"other, instruction 0: .* has nothing under 7"):
            machine.load(spec)


def test_objects_without_relocations_need_no_types(monkeypatch):
    monkeypatch.setattr(target, "target", None)
    plain = ObjectSpec("plain", license="GPL")
    plain.programs["main"] = ProgramSpec("main", "xdp", assemble("r0 = 2; exit"), hook="xdp")
    with Machine() as machine:
        assert machine.load(plain).programs["main"].test_run(SHORT).retval == 2
