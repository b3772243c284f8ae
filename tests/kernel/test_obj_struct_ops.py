"""Struct_ops maps and arenas: read, written, translated to the kernel's structs, used."""

import os
import socket
import subprocess
from functools import cache
from pathlib import Path

import pytest

from ebee import clang, linux
from ebee.btf import Btf
from ebee.btf.files import modules
from ebee.errors import KernelError, ObjectError
from ebee.linux.errors import older_than
from ebee.obj import ObjectSpec, read, write

pytestmark = pytest.mark.kernel

SOURCES = Path(__file__).parents[1] / "fixtures" / "structs"
PROGRAMS = {"ssthresh", "cong_avoid", "undo_cwnd"}
AVAILABLE = Path("/proc/sys/net/ipv4/tcp_available_congestion_control")


@cache
def content(name: str) -> bytes:
    return clang.compile(SOURCES / f"{name}.c", clang.Options(cpu="v4")).content


def load(name: str) -> ObjectSpec:
    spec = read(content(name), f"{name}.o")
    if "linked" in spec.maps and older_than("6.4"):
        spec.maps["linked"].autocreate = False
    return spec


def available() -> set[str]:
    return set(AVAILABLE.read_text().split())


def send_by(name: str) -> None:
    """A few bytes each way over TCP on the loopback interface, under that congestion control."""
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, name.encode())
        client.connect(server.getsockname())
        with server.accept()[0] as other:
            client.sendall(bytes(5000))
            received = 0
            while received < 5000:
                received += len(other.recv(5000))
            client.sendall(b"x")
            other.recv(1)


def test_they_are_maps_with_programs_for_members() -> None:
    spec = load("congestion")
    linked, plain, optional = (spec.maps[n] for n in ("linked", "plain", "optional"))
    assert set(linked.contents.values()) == set(plain.contents.values()) == PROGRAMS
    assert (linked.type, linked.flags) == ("struct_ops", 1 << 13)
    assert (plain.flags, optional.flags, optional.autocreate) == (0, 0, False)
    assert plain.data is not None
    assert plain.data.startswith(b"ebee_plain\0")
    assert spec.programs["ssthresh"].attach_to == "ssthresh"


@pytest.mark.parametrize("name", ["congestion", "arena"])
def test_they_are_written_and_read(name: str) -> None:
    spec = load(name)
    assert read(write(spec), f"{name}.o") == spec


def test_only_programs_of_maps_that_are_created_are_loaded() -> None:
    with linux.load(load("congestion")) as made:
        assert set(made.programs) == PROGRAMS
        assert set(made.maps) - {"linked"} == {"plain", ".bss"}


@pytest.mark.parametrize("name", ["linked", "plain"])
def test_what_a_map_holds_is_registered_while_its_link_lives(name: str) -> None:
    if name == "linked" and older_than("6.4"):
        pytest.skip("needs Linux 6.4")
    with linux.load(load("congestion")) as made:
        with made.maps[name].attach():  # type: ignore[attr-defined]
            assert f"ebee_{name}" in available()
            send_by(f"ebee_{name}")
            assert made.variables["calls"].value > 0
        assert f"ebee_{name}" not in available()


@pytest.mark.parametrize("name", ["linked", "plain"])
def test_a_link_outlives_its_object_and_can_be_closed_then(name: str) -> None:
    if name == "linked" and older_than("6.4"):
        pytest.skip("needs Linux 6.4")
    with linux.load(load("congestion")) as made:
        link = made.maps[name].attach()  # type: ignore[attr-defined]
    assert (f"ebee_{name}" in available(), link.closed) == (True, False)
    link.close()
    assert (f"ebee_{name}" in available(), link.closed) == (False, True)
    link.close()


def test_what_others_have_taken_back_can_be_closed() -> None:
    with linux.load(load("congestion")) as made:
        link = made.maps["plain"].attach()  # type: ignore[attr-defined]
        made.maps["plain"].raw.delete(bytes(4))
        link.close()
        assert link.closed


@pytest.mark.skipif(older_than("6.10"), reason="BBR's functions have this form since 6.10")
def test_their_programs_call_functions_of_modules() -> None:
    """In the virtual machine BBR is a module; elsewhere it may be built in."""
    if os.environ.get("EBEE_VM"):
        subprocess.run(["modprobe", "tcp_bbr"], check=True)
    if not any(types.get("bbr_main") for types in (Btf.vmlinux(), *map(Btf.module, modules()))):
        pytest.skip("this kernel has no BBR")
    with linux.load(load("delegate")) as made, made.maps["delegate"].attach():  # type: ignore[attr-defined]
        assert len(made._patcher.externs.fd_array) == (2 if "tcp_bbr" in modules() else 0)
        send_by("ebee_bbr")
        assert made.variables["started"].value > 0
        assert made.variables["controlled"].value > 0


def test_what_the_kernel_does_not_have_is_refused() -> None:
    spec = load("congestion")
    spec.maps["optional"].autocreate = True
    with pytest.raises(KernelError, match="no member 'not_in_any_kernel'"):
        linux.load(spec)


def test_incomplete_maps_are_refused() -> None:
    spec = load("congestion")
    plain = spec.maps["plain"]
    plain.contents = {k: v for k, v in plain.contents.items() if v != "undo_cwnd"}
    with (
        linux.load(spec) as made,
        pytest.raises(KernelError, match="register plain: tcp_congestion_ops is not complete"),
    ):
        made.maps["plain"].attach()  # type: ignore[attr-defined]


def test_programs_for_different_members_of_two_maps_are_refused() -> None:
    spec = load("congestion")
    plain = spec.maps["plain"]
    places = {program: member for member, program in plain.contents.items()}
    plain.contents = {places["undo_cwnd"]: "ssthresh", places["cong_avoid"]: "cong_avoid"}
    linux.load(spec, programs=["cong_avoid"]).close()
    with pytest.raises(ObjectError, match=r"ssthresh is in maps linked and plain, .* different"):
        linux.load(spec, programs=["ssthresh"])


def test_programs_of_no_map_are_refused() -> None:
    with pytest.raises(ObjectError, match="program unused is in no struct_ops map"):
        linux.load(load("congestion"), programs=["unused"])


def test_variables_in_an_arena() -> None:
    if older_than("6.9"):
        pytest.skip("needs Linux 6.9")
    spec = load("arena")
    assert spec.variables["total"].map == "arena"
    spec.variables["total"] = 100
    with linux.load(spec) as made:
        assert made.programs["count"].test_run().retval == 120
        assert made.variables["total"].value == 120
        made.variables["table"].value = [1, 2, 3, 4]
        assert made.programs["count"].test_run().retval == 122


def test_links_of_struct_ops_require_a_kernel_that_has_them() -> None:
    if not older_than("6.4"):
        pytest.skip("this kernel has them")
    spec = load("congestion")
    spec.maps["linked"].autocreate = True
    with pytest.raises(KernelError, match=r"requires Linux >= 6\.4"):
        linux.load(spec)
