"""The cache folder is private to the effective user, or not used at all."""

import os
import stat
from pathlib import Path

import pytest

from ebee import cachedir
from ebee.btf import Btf, BtfBuilder, Int, Member, Struct
from ebee.errors import BtfError

pytestmark = pytest.mark.unit


@pytest.fixture
def base(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_what_is_stored_is_loaded(base):
    assert cachedir.load("room", "key") is None
    assert cachedir.store("room", "key", b"data")
    assert cachedir.load("room", "key") == b"data"
    for path in (base / "ebee", base / "ebee" / "room"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
    assert stat.S_IMODE((base / "ebee" / "room" / "key").stat().st_mode) == 0o600


@pytest.mark.parametrize("key", ["", "../x", "a/b", ".x", "a\0", "é"])
def test_keys_are_plain_names(base, key):
    with pytest.raises(ValueError, match="is not a plain file name"):
        cachedir.load("room", key)


def test_files_that_others_may_have_written_count_as_absent(base):
    cachedir.store("room", "key", b"data")
    path = base / "ebee" / "room" / "key"
    path.chmod(0o622)
    assert cachedir.load("room", "key") is None
    path.unlink()
    os.mkfifo(path)
    (base / "ebee" / "room" / "link").symlink_to("/etc/passwd")
    (base / "ebee" / "room" / "folder").mkdir()
    for key in ("key", "link", "folder"):
        assert cachedir.load("room", key) is None


def test_folders_that_others_may_write_are_not_used(base, tmp_path, monkeypatch):
    monkeypatch.setattr(cachedir, "_bases", lambda: iter([base]))
    base.mkdir(mode=0o700)
    base.chmod(0o777)
    assert not cachedir.store("room", "key", b"data")
    base.chmod(0o700)
    (base / "ebee").symlink_to(tmp_path)
    assert not cachedir.store("room", "key", b"data")
    (base / "ebee").unlink()
    (base / "ebee").mkdir(mode=0o755)
    (base / "ebee").chmod(0o755)
    assert not cachedir.store("room", "key", b"data")


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to give files away")
def test_another_users_folder_is_never_used(base, tmp_path, monkeypatch):
    """As under sudo with HOME kept: the effective user's own home is taken instead."""
    theirs = tmp_path / "home"
    (theirs / ".cache").mkdir(parents=True)
    os.chown(theirs / ".cache", 12345, 12345)
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(theirs))
    bases = list(cachedir._bases())
    assert bases[0] == str(theirs / ".cache") != bases[1]
    monkeypatch.setattr(cachedir, "_bases", lambda: iter([bases[0]]))
    assert cachedir.folder("room") is None
    assert list((theirs / ".cache").iterdir()) == []


def test_the_oldest_files_go(base, monkeypatch):
    monkeypatch.setattr(cachedir, "KEEP", 3)
    for number in range(6):
        cachedir.store("room", f"key{number}", b"")
        os.utime(base / "ebee" / "room" / f"key{number}", (number, number))
    assert cachedir.load("room", "key5") == b""
    assert len(list((base / "ebee" / "room").iterdir())) == 3


def test_big_files_keep_their_index_by_content(base, tmp_path):
    b = BtfBuilder()
    for number in range(20_000):
        b.add(Int(f"type_number_{number}", 4))
    path = tmp_path / "big.btf"
    path.write_bytes(b.bytes())
    first = Btf.load(path)
    (kept,) = (base / "ebee" / "btf").iterdir()
    again = Btf.load(path)
    assert list(again) == list(first)
    assert again.find("type_number_777").id == 778
    # Cut short, it is made anew.
    kept.write_bytes(kept.read_bytes()[:-4])
    assert Btf.load(path).find("type_number_777").id == 778
    assert len(kept.read_bytes()) > 160_000


def test_files_without_btf_are_refused(tmp_path):
    for data, why in (
        (b"", "too few"),
        (b"\x7fELF" + bytes(10), "the ELF file is damaged"),
        (b"text" * 20, "this is no BTF"),
    ):
        (tmp_path / "file").write_bytes(data)
        with pytest.raises(BtfError, match=why):
            Btf.load(tmp_path / "file")
    for path in (tmp_path / "missing", tmp_path):
        with pytest.raises(BtfError, match="cannot read BTF from"):
            Btf.load(path)
    with pytest.raises(BtfError, match="no BTF of a kernel module 'no/such'"):
        Btf.module("no/such")
    assert Struct.__doc__


def test_a_module_may_bring_its_base_along(tmp_path):
    from ebee.obj.elf import ElfWriter, NewSection

    base = BtfBuilder()
    base.add(Int("int", 4))
    split = BtfBuilder(base=base.build())
    split.add(Struct("own", 4, (Member("x", 1, 0),)))
    elf = ElfWriter()
    elf.section(NewSection(".BTF", split.bytes()))
    (tmp_path / "plain.ko").write_bytes(elf.build())
    with pytest.raises(BtfError, match=r"if this is split BTF .* read with its base"):
        Btf.load(tmp_path / "plain.ko")
    assert Btf.load(tmp_path / "plain.ko", base.build()).find("own").id == 2
    elf.section(NewSection(".BTF.base", base.bytes()))
    (tmp_path / "whole.ko").write_bytes(elf.build())
    found = Btf.load(tmp_path / "whole.ko")
    assert (found.find("own").members[0].name, found.type(1).name) == ("x", "int")
