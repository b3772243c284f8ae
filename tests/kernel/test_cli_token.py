"""`ebee token`: user namespaces of the test's own, where loading takes a BPF token."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ebee.errors import ConfigError
from ebee.linux.errors import older_than
from ebee.linux.token import Delegation, _listed

pytestmark = pytest.mark.kernel

Run = Callable[..., tuple[int, str, str]]
Inside = Callable[..., subprocess.CompletedProcess[str]]
LOADS = """
from ebee.errors import EbeeError
from ebee.isa import assemble
from ebee.linux.btf import load_bytes
from ebee.linux.maps import LinuxMap
from ebee.linux.programs import LinuxProgram
from ebee.btf import BtfBuilder, Int

def tried(make):
    try:
        with make():
            print("made")
    except EbeeError as error:
        print(error)

types = BtfBuilder()
types.add(Int("int", 4, 1, 32))
tried(lambda: LinuxMap.create("lru_hash", 4, 4, 2))
tried(lambda: LinuxMap.create("hash", 4, 4, 2))
tried(lambda: load_bytes(types.bytes()))
tried(lambda: LinuxProgram.load(assemble("r0 = 2; exit"), "xdp"))
tried(lambda: LinuxProgram.load(assemble("r0 = 2; exit"), "sched_cls"))
"""


@pytest.fixture
def namespaces() -> None:
    """Tokens, and user namespaces, can be made."""
    if older_than("6.9"):
        pytest.skip("BPF tokens need Linux 6.9")
    tried = subprocess.run(["unshare", "--user", "true"], capture_output=True, text=True)
    if tried.returncode:  # as in a chroot: user_namespaces(7)
        pytest.skip(f"nobody makes user namespaces here: {tried.stderr.strip()}")


@pytest.fixture
def inside(namespaces: None, tmp_path: Path) -> Inside:
    """Run ebee (or Python's text) in a user namespace with a token."""

    def run(*words: str, text: str = "") -> subprocess.CompletedProcess[str]:
        given, rest = (words, ()) if text else (words[:-1], words[-1:])
        script = tmp_path / "loads.py"
        script.write_text(text)
        command = [str(script)] if text else ["-m", "ebee", *rest[0].split()]
        start = [sys.executable, "-m", "ebee", "token", "run", *given, "--", sys.executable]
        return subprocess.run([*start, *command], capture_output=True, text=True)

    return run


def test_with_a_token_programs_load(inside: Inside) -> None:
    done = inside(text=LOADS)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == ["made"] * 5


def test_only_what_is_delegated_is_allowed(inside: Inside) -> None:
    words = ("--cmds", "map_create,prog_load", "--maps", "hash", "--progs", "XDP")
    done = inside(*words, text=LOADS)
    refused, made, types, xdp, other = done.stdout.splitlines()
    assert (made, xdp) == ("made", "made")
    for text in (refused, types, other):
        assert "BPF needs the first one's, or a BPF token" in text


def test_what_a_token_allows_is_shown(inside: Inside) -> None:
    words = ("--cmds", "map_create,prog_load", "--attachs", "", "--progs", "xdp")
    wanted = {
        "token_info": "/sys/fs/bpf", "allowed_cmds": ["map_create", "prog_load"],
        "allowed_maps": ["any"], "allowed_progs": ["xdp"], "allowed_attachs": [],
    }  # fmt: skip
    assert json.loads(inside(*words, "token create --json").stdout) == wanted
    assert json.loads(inside(*words, "token list --json").stdout)["mounts"] == [wanted]
    assert "programs      xdp\n" in inside(*words, "token show").stdout


def test_tokens_of_processes_are_found(inside: Inside) -> None:
    done = inside(
        text="from ebee.linux.token import create, tokens\nimport os\n"
        "with create('/sys/fs/bpf') as made:\n"
        "    found = [fd for owner, fd, _ in tokens() if owner.pid == os.getpid()]\n"
        "    assert found == [made.fileno()], found\n"
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_the_doctor_knows_of_tokens(inside: Inside) -> None:
    assert "a BPF token stands in for the first one's" in inside("doctor").stdout


def test_the_exit_code_is_the_commands(ebee: Run, inside: Inside) -> None:
    assert ebee("token", "run", "sh", "-c", "exit 5")[0] == 5
    assert ebee("token", "run", "sh", "-c", "kill -9 $$")[0] == 137


def test_masks_are_named() -> None:
    assert _listed("cmds", "map_create:prog_load:0x10000000000") == (
        "map_create", "prog_load", "0x10000000000",
    )  # fmt: skip
    assert _listed("progs", "0x40") == ("xdp",)
    assert _listed("maps", "any") == ("any",)
    given = Delegation(("map_create", "0x100"), (), ("xdp",), ("any",))
    assert given.options() == {
        "delegate_cmds": "0x101", "delegate_progs": "0x40",
        "delegate_attachs": "0xffffffffffffffff",
    }  # fmt: skip


def test_mistakes_are_told(ebee: Run, bpffs: Any, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="'hsh' is none of the maps of bpf"):
        Delegation(maps=("hsh",))
    code, _, err = ebee("token", "create", bpffs)
    assert code == 1
    assert ("tokens are for user namespaces" in err) or "requires Linux >= 6.9" in err
    if older_than("6.9"):
        assert "BPF tokens require Linux >= 6.9" in ebee("token", "run", "true")[2]
        return
    assert "it is not where a BPF file system is mounted" in ebee("token", "create", tmp_path)[2]


def test_what_cannot_be_run_is_told(ebee: Run, namespaces: None, tmp_path: Path) -> None:
    code, _, err = ebee("token", "run", "no-such-command-here")
    assert code == 1
    assert "cannot run no-such-command-here with a BPF token: No such file" in err
    code, _, err = ebee("token", "run", "--at", tmp_path / "none", "true")
    assert code == 1
    assert "mount it at" in err
