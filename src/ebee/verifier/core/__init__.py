"""The verifier proper: Linux's algorithm, a module for each of its parts.

    tnum, scalar, reg    what is known of a value, and arithmetic on it
    state, equal, prune  what is known at one point of a path; when a path may end early
    precision, live      which values and stack slots a path's safety depends on
    code, cfg, fastcall  the instructions and the flow of control, before any path is walked
    walk                 the walk: every path, instruction by instruction
    alu, jump, mem, stack, ctx, sock     what each instruction may do
    call, allowed, args, subprog, ret    the same of calls and returns
    btftype, btfptr, btfctx, special     types of the kernel and the program, pointers to them
    kfuncs, kfunc, kfuncargs             kernel functions: which one, calls, arguments
    dynptr, iters, locks, kptr, graph    objects with rules of their own
    privileges, leaks, spectre           what loaders without capabilities may not do
    observe                              what the walk saw, as facts
    log, explain, errors, advice         what is said of it all
    profile, program, references, target, compat    what differs by version; what is checked
    check                the entry: `check(spec, program, profile)` -> Verdict

Facts come from kernel/bpf/verifier.c, btf.c, log.c and liveness.c of Linux 6.12 to 6.18.
"""
