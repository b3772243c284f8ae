"""Linux error numbers: what helpers and map operations return, negated, on whatever host
(include/uapi/asm-generic/errno-base.h, errno.h; ENOTSUPP from include/linux/errno.h)."""

EPERM = 1
ENOENT = 2
E2BIG = 7
EBADF = 9
EAGAIN = 11
ENOMEM = 12
EACCES = 13
EFAULT = 14
EBUSY = 16
EEXIST = 17
ENODEV = 19
EINVAL = 22
ENOSPC = 28
ERANGE = 34
ELOOP = 40
ENODATA = 61
EPROTO = 71
EOVERFLOW = 75
EMSGSIZE = 90
EOPNOTSUPP = 95
ENOTSUPP = 524

NAMES = {number: name for name, number in dict(globals()).items() if name.startswith("E")}
