"""One program for the entry and the return of a function: at the entry it says whether it wants to
see the return. Of a library's functions (Linux 6.14), the kernel's (6.10), with types.

    ebee.load("sessions.py", on="linux", programs=["malloc"]), then its attach()
    a process that allocates 1 MiB: large = 1; small ones cost only the entry
"""

from ebee import Global, RegistersContext, Session, atomic, fsession, kprobe_session, ptr

from ebee import u8, u32, u64, uprobe_session  # isort: skip

LARGE = 1 << 20

large: Global[atomic[u64]] = 0
sleeps: Global[atomic[u64]] = 0


@uprobe_session("libc:malloc")
def malloc(size: u64, result: u64) -> Session:
    global large
    if size < LARGE:
        return Session.SKIP_RETURN
    large += 1
    return Session.BOTH


@kprobe_session("do_nanosleep")
def sleeping(ctx: RegistersContext) -> Session:
    global sleeps
    sleeps += 1
    return Session.SKIP_RETURN


@fsession("do_nanosleep")
def sleeping_typed(timer: ptr[u8], mode: u32) -> Session:
    global sleeps
    sleeps += 1
    return Session.SKIP_RETURN if mode else Session.BOTH
