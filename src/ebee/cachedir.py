"""The user's private cache folder: small files that may be lost at any time, never trusted blindly.

The folder is `$XDG_CACHE_HOME/ebee` or `~/.cache/ebee`. It is used only if it belongs to the
effective user and nobody else may write to it: under sudo, with HOME still another user's, the
effective user's own home is taken instead, and without a safe place nothing is cached.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KEEP = 1024
"""Files kept per room; the oldest go first."""

KEEP_BYTES = 256 << 20
"""Bytes kept per room."""


def _uid() -> int | None:
    """The effective user, or None where the system has no such notion (Windows)."""
    return os.geteuid() if hasattr(os, "geteuid") else None


def _bases() -> Iterator[str]:
    """Where cache folders may live, best first."""
    xdg = os.environ.get("XDG_CACHE_HOME", "")
    if os.path.isabs(xdg):
        yield xdg
    uid = _uid()
    if uid is None:
        home = os.path.join(os.path.expanduser("~"), "AppData", "Local")
        yield os.environ.get("LOCALAPPDATA") or home
        return
    if os.path.isabs(os.environ.get("HOME", "")):
        yield os.path.join(os.environ["HOME"], ".cache")
    import pwd

    try:
        yield os.path.join(pwd.getpwuid(uid).pw_dir, ".cache")
    except KeyError:  # a user without an account, as in many containers
        return


def _own(path: str, *, others: int) -> bool:
    """Whether `path` is a real folder of the effective user without the `others` mode bits."""
    info = os.lstat(path)
    uid = _uid()
    if not stat.S_ISDIR(info.st_mode):
        return False
    return uid is None or (info.st_uid == uid and not info.st_mode & others)


def folder(room: str) -> Path | None:
    """The folder of one room of the cache, made if need be (mode 0700); None if there is no
    place that is safe and writable."""
    from pathlib import Path

    found = _folder(room)
    return None if found is None else Path(found)


def _folder(room: str) -> str | None:
    for base in _bases():
        try:
            if os.path.isdir(os.path.dirname(base)):
                _make(base)
            # The base may be readable by others, but whoever can write there can swap our folder.
            # It may also be a symbolic link of the user's own, so look at what it names.
            if not _own(os.path.realpath(base, strict=True), others=0o022):
                continue
            for path in (os.path.join(base, "ebee"), os.path.join(base, "ebee", room)):
                _make(path)
                if not _own(path, others=0o077):
                    break
            else:
                return path
        except OSError:
            continue
    return None


def _make(path: str) -> None:
    try:
        os.mkdir(path, 0o700)
    except FileExistsError:
        if not os.path.isdir(path):
            raise


def _path(room: str, key: str) -> str | None:
    if not key.replace("-", "").replace("_", "").isalnum() or not key.isascii():
        raise ValueError(f"cache key {key!r} is not a plain file name")
    place = _folder(room)
    return os.path.join(place, key) if place else None


def load(room: str, key: str) -> bytes | None:
    """The bytes stored under `key`, or None. A file that is not the effective user's own, that
    others may write, or that is no plain file counts as absent."""
    path = _path(room, key)
    if path is None:
        return None
    # Not through links, and without waiting for the other end of a pipe.
    flags = sum(getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC"))
    try:
        fd = os.open(path, os.O_RDONLY | flags)
    except OSError:
        return None
    try:
        info = os.fstat(fd)
        uid = _uid()
        if not stat.S_ISREG(info.st_mode):
            return None
        if uid is not None and (info.st_uid != uid or info.st_mode & 0o022):
            return None
        return _read(fd, info.st_size)
    except OSError:
        return None
    finally:
        os.close(fd)


def _read(fd: int, size: int) -> bytes:
    chunks = []
    while chunk := os.read(fd, size + 1):
        chunks.append(chunk)
    return b"".join(chunks)


def store(room: str, key: str, data: bytes) -> bool:
    """Store `data` under `key`, whole or not at all; False without a safe place or space."""
    path = _path(room, key)
    if path is None:
        return False
    import tempfile

    place, temporary = os.path.dirname(path), ""
    try:
        fd, temporary = tempfile.mkstemp(dir=place, prefix=".new-")
        with os.fdopen(fd, "wb") as file:
            file.write(data)
        os.replace(temporary, path)
    except OSError:
        if temporary:
            _remove(temporary)
        return False
    _trim(place)
    return True


def _trim(place: str) -> None:
    """Remove the oldest files beyond KEEP and KEEP_BYTES (also temporary ones that a crash left
    behind)."""
    try:
        with os.scandir(place) as entries:
            found = [(e.stat(follow_symlinks=False), e.path) for e in entries]
    except OSError:
        return
    found.sort(key=lambda each: each[0].st_mtime, reverse=True)
    total = 0
    for number, (info, path) in enumerate(found):
        total += info.st_size
        if number >= KEEP or total > KEEP_BYTES:
            _remove(path)


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:  # somebody else was faster
        return
