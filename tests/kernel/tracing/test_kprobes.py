"""Kprobes: attached, hit by this process, seen; by every mechanism; many at once; mistakes."""

import os
from pathlib import Path

import pytest

from ebee.errors import KernelError
from ebee.linux import attach, tracefs
from ebee.linux.attach import kprobes
from ebee.linux.errors import older_than
from ebee.linux.host import kernel_symbols

pytestmark = pytest.mark.kernel
COVERS = ("hook:kprobe", "hook:ksyscall", "hook:kprobe.multi", "hook:kprobe.session")

ENTRY_ARGUMENT = "r7 = *(u64 *)(r6 +112)"  # pt_regs.di
RESULT = "r7 = *(u64 *)(r6 +80)"  # pt_regs.ax


def getpgid(times=3):
    for _ in range(times):
        os.getpgid(0)
    return times


def test_a_kprobe_sees_entry_and_return(needs, witness):
    needs("kprobe")
    with attach.kprobe(witness.program(), "__x64_sys_getpgid", cookie=7) as link:
        assert witness.count == 0
        getpgid()
        assert (witness.count, witness.cookie) == (3, 7)
        info = link.info()
        assert info.type == "perf_event"
        if not older_than("6.6"):
            assert (info.event, info.func_name) == ("kprobe", "__x64_sys_getpgid")
            assert info.offset == 0
    getpgid()
    assert witness.count == 3
    program = witness.program(body=RESULT)
    with attach.kprobe(program, "__x64_sys_getpgid", on_return=True):
        assert os.getpgid(0) == witness.value


def test_a_kprobe_sits_at_any_instruction_or_address(needs, witness):
    needs("kprobe")
    address = kernel_symbols("__x64_sys_getpgid")["__x64_sys_getpgid"]
    program = witness.program(cookie=False)
    for place in (address, "__x64_sys_getpgid+0x0"):
        witness.clear()
        with attach.kprobe(program, place):
            getpgid()
        assert witness.count == 3


@pytest.mark.parametrize("mode", ["link", "ioctl", "tracefs"])
@pytest.mark.parametrize("on_return", [False, True])
def test_every_mechanism_of_old_and_new_kernels(needs, witness, mode, on_return):
    needs("kprobe")
    events = Path(tracefs.root("test"), "kprobe_events")
    program = witness.program(cookie=False)
    link = attach.kprobe(program, "__x64_sys_getpgid", mode=mode, on_return=on_return)
    getpgid()
    assert witness.count == 3
    info = link.info()
    assert info.prog_id == program.id
    if mode == "ioctl":
        assert info.event == ("kretprobe" if on_return else "kprobe")
        for refused in (lambda: link.pin("/sys/fs/bpf/x"), lambda: link.update(program)):
            with pytest.raises(KernelError, match="by ioctl cannot be"):
                refused()
        with pytest.raises(KernelError, match="takes a link"):
            attach.kprobe(program, "__x64_sys_getpgid", mode=mode, cookie=1)
    if mode == "tracefs":
        assert f"ebee/p{os.getpid()}" in events.read_text()
    link.close()
    link.close()
    getpgid()
    assert witness.count == 3
    assert "ebee/" not in events.read_text()


def test_ksyscall_finds_the_function_of_a_system_call(needs, witness):
    needs("ksyscall")
    with attach.ksyscall(witness.program(), "getpgid", cookie=3):
        getpgid()
        assert (witness.count, witness.cookie) == (3, 3)
    with pytest.raises(KernelError, match="no system call 'no_such_call'"):
        attach.ksyscall(witness.program(), "no_such_call")


def test_mistakes_are_explained(needs, witness):
    needs("kprobe")
    program = witness.program()
    with pytest.raises(KernelError, match="no function 'no_such_function'"):
        attach.kprobe(program, "no_such_function")
    with pytest.raises(KernelError, match="no place in a function"):
        attach.kprobe(program, "f+g")
    with pytest.raises(KernelError, match="return from do_exit has no offset"):
        attach.kprobe(program, "do_exit+4", on_return=True)
    with pytest.raises(KernelError, match="may not be probed"):
        attach.kprobe(program, "kprobe_int3_handler")


MULTI = ["__x64_sys_getpgid", "__x64_sys_getsid"]


def both():
    os.getpgid(0)
    os.getsid(0)


def test_many_functions_by_names_pattern_and_address(needs, witness):
    needs("kprobe.multi")
    program = witness.program(attach_type="trace_kprobe_multi")
    at = list(kernel_symbols(*MULTI).values())
    for wanted in (MULTI, "__x64_sys_get[ps]*id", at):
        witness.clear()
        with attach.kprobe_multi(program, wanted) as link:
            both()
            assert witness.count >= 2
            info = link.info()
            assert info.type == "kprobe_multi"
            if not older_than("6.6"):
                assert all(any(0 <= x - a <= 16 for x in info.addrs) for a in at)
    with attach.kprobe_multi(program, MULTI, cookies={MULTI[1]: 9}) as link:
        os.getsid(0)
        assert witness.cookie == 9
        if not older_than("6.9"):
            assert sorted(link.info().cookies) == [0, 9]
    with attach.kprobe_multi(program, MULTI, on_return=True, cookies=[1, 2]):
        os.getpgid(0)
        assert witness.cookie == 1


def test_mistakes_with_many_functions_are_explained(needs, witness):
    needs("kprobe.multi")
    program = witness.program(attach_type="trace_kprobe_multi")
    for call, text in (
        (lambda: attach.kprobe_multi(program, "no_such_*"), "matches 'no_such_\\*'"),
        (lambda: attach.kprobe_multi(program, ["no_such_function"]), "no_such_function"),
        (lambda: attach.kprobe_multi(program, []), "no function is named"),
        (lambda: attach.kprobe_multi(program, MULTI, cookies=[1]), "1 cookies for 2 functions"),
        (lambda: attach.kprobe_multi(program, MULTI, cookies={"f": 1}), "cookies for f"),
        (lambda: attach.kprobe_multi(witness.program(), MULTI), "not loaded for many functions"),
    ):
        with pytest.raises(KernelError, match=text):
            call()


def test_a_session_is_entry_and_return(needs, witness):
    needs("kprobe.session")
    program = witness.program(attach_type="trace_kprobe_session", cookie=False)
    with attach.kprobe_multi(program, MULTI, session=True):
        os.getpgid(0)
        assert witness.count == 2
    witness.clear()
    program = witness.program(attach_type="trace_kprobe_session", cookie=False, result=1)
    with attach.kprobe_multi(program, MULTI, session=True):
        os.getpgid(0)
        assert witness.count == 1


def test_before_multi_there_are_many_kprobes(needs, witness, monkeypatch):
    needs("kprobe")
    monkeypatch.setattr(kprobes, "older_than", lambda version: True)
    with attach.kprobe_multi(witness.program(), MULTI, cookies={MULTI[0]: 5}) as links:
        both()
        assert witness.count == 2
        assert len(links.info().links) == 2
    both()
    assert witness.count == 2
