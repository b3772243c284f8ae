"""fentry, fexit, fmod_ret, LSM, lsm_cgroup, freplace and raw tracepoints: attached, run, seen."""

import os
import socket
import struct

import pytest

from ebee.btf import BtfBuilder, Func, FuncProto, Int, Param
from ebee.errors import KernelError
from ebee.isa import Insn
from ebee.isa.asm import assemble
from ebee.isa.insn import CALL, JMP
from ebee.linux import LinuxProgram, attach, uapi
from ebee.linux.btf import load_bytes
from ebee.linux.errors import older_than
from ebee.linux.host import kernel_symbols

pytestmark = pytest.mark.kernel
COVERS = (
    "hook:fentry", "hook:fexit", "hook:fmod_ret", "hook:lsm", "hook:lsm_cgroup", "hook:freplace",
    "hook:tp_btf", "hook:raw_tracepoint", "hook:raw_tracepoint_writable",
)  # fmt: skip

GETPGID = "__x64_sys_getpgid"


def tracing(witness, attach_type, target, **options):
    return witness.program("tracing", attach_type=attach_type, target=target, **options)


def test_fentry_sees_the_entry(needs, witness):
    needs("fentry")
    program = tracing(witness, "trace_fentry", GETPGID, cookie=not older_than("6.0"))
    cookie = 0 if older_than("6.0") else 5
    with attach.tracing(program, cookie=cookie) as link:
        os.getpgid(0)
        os.getpgid(0)
        assert (witness.count, witness.cookie) == (2, cookie)
        info = link.info()
        assert info.type == "tracing"
        assert info.attach_type == uapi.ATTACH_TYPES["trace_fentry"]
    os.getpgid(0)
    assert witness.count == 2


def test_fexit_sees_the_result(needs, witness):
    needs("fexit")
    # Its one argument, a pt_regs pointer, comes first, then the result.
    program = tracing(witness, "trace_fexit", GETPGID, body="r7 = *(u64 *)(r6 +8)", cookie=False)
    with attach.tracing(program):
        assert witness.value == 0
        assert os.getpgid(0) == witness.value


def test_fmod_ret_decides_in_place_of_a_function(needs, witness):
    needs("fmod_ret")
    program = tracing(witness, "modify_return", "security_task_getpgid", cookie=False, result=-13)
    os.getpgid(os.getpid())
    with attach.tracing(program):
        with pytest.raises(PermissionError):
            os.getpgid(os.getpid())
        assert witness.count == 1
    os.getpgid(os.getpid())


def test_fmod_ret_changes_what_a_test_run_tests(needs, witness):
    needs("fmod_ret")
    if not kernel_symbols("_eil_addr_bpf_modify_return_test") and older_than("6.2"):
        pytest.skip("this kernel was built without CONFIG_FUNCTION_ERROR_INJECTION")
    target = "bpf_modify_return_test"
    keeps = tracing(witness, "modify_return", target, cookie=False, result=0)
    fails = tracing(witness, "modify_return", target, cookie=False, result=-22)
    # The kernel's test functions run in a test run of a program at that place, which gives the sum
    # of what they return, and above it how many of them ran. bpf_modify_return_test(1, &b) is 4.
    with attach.tracing(keeps):
        usual = keeps.test_run().retval
        assert witness.count == 1
    with attach.tracing(fails):
        changed = fails.test_run().retval
    assert (usual - changed) & 0xFFFF == 4 + 22
    assert (usual >> 16) - (changed >> 16) == 1


@pytest.mark.parametrize("verdict", [0, -13])
def test_an_lsm_program_decides(needs, witness, verdict):
    needs("lsm")
    program = witness.program(
        "lsm", attach_type="lsm_mac", target="bpf_lsm_socket_create", cookie=False,
        result=verdict,
    )  # fmt: skip
    with attach.tracing(program) as link:
        if verdict:
            with pytest.raises(PermissionError):
                socket.socket()
        else:
            socket.socket().close()
        assert witness.count == 1
        assert link.info().attach_type == uapi.ATTACH_TYPES["lsm_mac"]
    socket.socket().close()


def test_an_lsm_program_of_a_cgroup_decides_there_only(needs, witness, cgroup):
    needs("lsm_cgroup")
    program = witness.program(
        "lsm", attach_type="lsm_cgroup", target="bpf_lsm_socket_create", cookie=False,
        everyone=True,
    )  # fmt: skip
    with attach.cgroup(program, str(cgroup), "lsm_cgroup"):
        socket.socket().close()
        assert witness.count == 0
        (cgroup / "cgroup.procs").write_text(str(os.getpid()))
        try:
            with pytest.raises(PermissionError):
                socket.socket()
        finally:
            (cgroup.parent / "cgroup.procs").write_text(str(os.getpid()))
        assert witness.count == 1


def replaceable(witness):
    """A program main(), which calls the global function five(), which gives 5; its types; five."""
    types = BtfBuilder()
    number = types.add(Int("int", 4, 1, 32))
    proto = types.add(FuncProto(number, (Param("x", number),)))
    main, five = (types.add(Func(name, proto, 1)) for name in ("main", "five"))
    btf = witness.stack.enter_context(load_bytes(types.bytes()))
    code = [*assemble("r1 = 0"), Insn(JMP | CALL, src=1, imm=1), *assemble("exit; r0 = 5; exit")]
    infos = struct.pack("=4I", 0, main, 3, five)
    program = LinuxProgram.load(code, "xdp", name="main", btf=btf, func_info=infos)
    return witness.stack.enter_context(program), btf, five


def test_freplace_takes_the_place_of_a_function(needs, witness):
    needs("freplace")
    main, btf, five = replaceable(witness)
    other, *_ = replaceable(witness)
    seven = LinuxProgram.load(
        assemble("r0 = 7; exit"), "ext", name="seven", btf=btf,
        func_info=struct.pack("=2I", 0, five), attach_prog_fd=main.fd, attach_btf_id=five,
    )  # fmt: skip
    with seven:
        assert main.test_run(bytes(64)).retval == 5
        with attach.freplace(seven) as link:
            assert main.test_run(bytes(64)).retval == 7
            assert link.info().type == "tracing"
        assert main.test_run(bytes(64)).retval == 5
        for target in (other, main):  # the same program at another place, and back
            with attach.freplace(seven, target, "five"):
                assert target.test_run(bytes(64)).retval == 7
            assert target.test_run(bytes(64)).retval == 5
        with pytest.raises(KernelError, match="has no function 'six'"):
            attach.freplace(seven, other, "six")
        with pytest.raises(KernelError, match="which is not given"):
            attach.freplace(seven, function="five")


def test_raw_and_typed_tracepoints(needs, witness):
    needs("tp_btf")
    cookie = 0 if older_than("6.10") else 11
    program = tracing(witness, "trace_raw_tp", "btf_trace_sys_enter", cookie=bool(cookie))
    with attach.tracing(program, cookie=cookie) as link:
        os.getpgid(0)
        assert witness.count >= 1
        assert witness.cookie == cookie
        assert (link.info().type, link.info().tp_name) == ("raw_tracepoint", "sys_enter")
    program = witness.program("raw_tracepoint", cookie=bool(cookie))
    witness.clear()
    with attach.raw_tracepoint(program, "sys_enter", cookie=cookie) as link:
        os.getpgid(0)
        assert witness.count >= 1
        assert witness.cookie == cookie
        assert link.info().tp_name == "sys_enter"
    if not cookie:
        with pytest.raises(KernelError, match="requires Linux >= 6\\.10"):
            attach.raw_tracepoint(program, "sys_enter", cookie=1)


def test_a_writable_tracepoint(witness):
    """bpf_test_finish lets a program replace the error of a test run: here only of this process."""
    program = witness.program(
        "raw_tracepoint_writable", cookie=False,
        body="r9 = *(u64 *)(r6 +0)\nr1 = -7\n*(u32 *)(r9 +0) = r1",
    )  # fmt: skip
    with LinuxProgram.load(assemble("r0 = 2; exit"), "xdp") as other:
        assert other.test_run(bytes(64)).retval == 2
        with attach.raw_tracepoint(program, "bpf_test_finish"):
            with pytest.raises(KernelError) as failed:
                other.test_run(bytes(64))
            assert failed.value.errno == 7
            assert witness.count == 1
        assert other.test_run(bytes(64)).retval == 2
        with pytest.raises(KernelError, match="cannot be written to"):
            attach.raw_tracepoint(program, "sys_enter")
