"""Processes of one user may not ask for process groups: the security function of the kernel gives
-EPERM in their case, and is not asked at all. `asked` counts the calls.

    $ ebee run examples/group_leader_guard.py --set user=1000
    os.getpgid() of user 1000: PermissionError; of others: as before
"""

from ebee import Const, Global, atomic, current, fentry, fmod_ret, u32, u64

EPERM = 1

user: Const[u32] = 0xFFFF_FFFF
asked: Global[atomic[u64]] = 0


@fentry("security_task_getpgid")
def counts(task: u64) -> None:
    global asked
    asked += 1


@fmod_ret("security_task_getpgid")
def group_leader_guard(task: u64, result: int) -> int:
    return -EPERM if current.uid == user else result
