"""Programs attached without a link: by PROG_ATTACH, netlink or setsockopt, as kernels did it before
they had links, and for some places still do."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from ebee.errors import EbeeError, KernelError
from ebee.linux.info import Info, object_info
from ebee.linux.links import HasFd, Link
from ebee.linux.sys import Fd

if TYPE_CHECKING:
    from ebee.linux.programs import LinuxProgram

GONE = (errno.ENOENT, errno.ENODEV, errno.ESRCH, errno.EINVAL)
"""What an attachment says that somebody else has taken away."""


class Attachment(Link):
    """A program attached without a link.

    The kernel ends a link with its owner, but knows no owner here: an attachment is taken out by
    close() or detach(), also when the object is collected, and stays when the process is killed.
    `kind` says what was used ("netlink", "attach", "socket"), `facts` where. `leave()` lets it
    stay; there is nothing to pin.
    """

    def __init__(
        self,
        program: LinuxProgram,
        target: str,
        kind: str,
        undo: Callable[[Fd], None],
        replace: Callable[[Fd, Fd], None] | None = None,
        **facts: int | str,
    ):
        """`undo` takes the program out, `replace` puts one (its second argument) in its place."""
        super().__init__(program.fd.dup(), target)
        self.kind = kind
        self._undo, self._replace, self.facts = undo, replace, facts

    def info(self) -> Info:
        """What is known of it: type (the kind), prog_id, and where it is."""
        return Info({"type": self.kind, "prog_id": object_info(self.fd, "prog").id, **self.facts})

    def update(self, program: HasFd, replace: HasFd | None = None) -> None:
        """Put another program in its place, without a gap where the kernel can do that."""
        if self._replace is None:
            raise KernelError(f"what is attached to {self.target} cannot be replaced, only removed")
        now = object_info(self.fd, "prog").id
        if replace is not None and now != object_info(replace.fd, "prog").id:
            text = f"another program than {replace.name!r} is attached"
            raise KernelError(f"cannot update {self.target}: {text}", errno.EPERM)
        self._replace(self.fd, program.fd)
        self.fd.close()
        self.fd = program.fd.dup()

    def detach(self) -> None:
        """Take the program out; KernelError when somebody has done so already."""
        try:
            self._undo(self.fd)
        finally:
            self.fd.close()

    def leave(self) -> None:
        """Let it stay attached when this process ends."""
        self.fd.close()

    def pin(self, path: str | os.PathLike[str]) -> None:
        """There is no link to pin: see leave()."""
        raise KernelError(
            f"what is attached to {self.target} without a link cannot be pinned; leave() lets it"
            " stay",
            errno.EOPNOTSUPP,
        )

    def close(self) -> None:
        """Take the program out, if it is still there."""
        if self.fd.closed:
            return
        try:
            self._undo(self.fd)
        except KernelError as error:
            if error.errno not in GONE:
                raise
        finally:
            self.fd.close()

    def __del__(self) -> None:
        if "fd" in self.__dict__:
            with suppress(EbeeError, OSError):  # nobody is there to be told
                self.close()
