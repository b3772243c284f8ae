"""How a check ends early: the program is rejected, or ebee does not know a rule that it needs."""

from __future__ import annotations

EPERM, E2BIG, EBADF, EACCES, EFAULT, EINVAL, ENOTSUPP = 1, 7, 9, 13, 14, 22, 524


class Rejected(Exception):
    """Linux rejects the program: `id` is stable, `message` the kernel's own last words, `detail`
    the failed inequality in numbers, where there is one."""

    def __init__(self, id: str, message: str, detail: str = "", errno: int = EACCES):
        super().__init__(message)
        self.id, self.message, self.detail, self.errno = id, message, detail, errno


class DoesNotKnow(Exception):
    """The program needs something that ebee does not know, and so is not accepted."""

    def __init__(self, what: str):
        super().__init__(what)
        self.what = what
