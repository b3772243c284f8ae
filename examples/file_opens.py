"""How often each file was opened, kept with its inode: no table, and gone with the file. User space
asks by a descriptor of the file.

    $ ebee run examples/file_opens.py
    a file that was opened twice: loaded.maps["opens"][its descriptor] = 2
"""

from ebee import LSM, InodeStorage, atomic, lsm, struct, u64
from ebee.vmlinux import file


@struct
class Opens:
    count: atomic[u64]


opens = InodeStorage[Opens]()


@lsm("file_open")
def file_opens(opened: file) -> LSM:
    found = opens.get(opened.f_inode)
    if found is not None:
        found.count += 1
    return LSM.ALLOW
