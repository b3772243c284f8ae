"""Nobody but user `allowed` opens files of one directory for writing: a security hook says no, with
EACCES. `directory` is the inode number of the directory.

    $ ebee run examples/file_guard.py
    writing a file of the directory: PermissionError, denied = 1; reading it: allowed
"""

from ebee import LSM, Const, Global, current, lsm, u32, u64
from ebee.vmlinux import file

MAY_WRITE = 2  # FMODE_WRITE

directory: Const[u64] = 0
allowed: Const[u32] = 0xFFFFFFFF
denied: Global[u64] = 0


@lsm("file_open")
def file_guard(opened: file) -> LSM:
    global denied
    if opened.f_mode & MAY_WRITE == 0 or current.uid == allowed:
        return LSM.ALLOW
    if opened.f_path.dentry.d_parent.d_inode.i_ino != directory:
        return LSM.ALLOW
    denied += 1
    return LSM.NO_ACCESS
