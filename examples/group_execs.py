"""How many programs the processes of each control group have started: the count is kept with the
group, and goes with it. User space asks by the group's descriptor.

    $ ebee run examples/group_execs.py
    two programs started in a group: loaded.maps["execs"][its descriptor] = 2
"""

from ebee import CgroupStorage, atomic, struct, tp_btf, u64
from ebee.vmlinux import linux_binprm, task_struct


@struct
class Execs:
    count: atomic[u64]


execs = CgroupStorage[Execs]()


@tp_btf("sched_process_exec")
def group_execs(task: task_struct, old_pid: int, binary: linux_binprm) -> None:
    found = execs.get(task.cgroups.dfl_cgrp)
    if found is not None:
        found.count += 1
