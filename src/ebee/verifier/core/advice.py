"""What each error of the verifier means, and what to do about it, by its stable id.

The ids are part of `ebee check --json` and do not change; docs/verifier.md shows this table.
"""

from __future__ import annotations

ADVICE: dict[str, str] = {
    # memory
    "out-of-bounds": "compare the offset with the size before the access",
    "packet-bounds": "compare the end of what is read with data_end first, with the same pointer",
    "negative-offset": "make the index unsigned, or compare it with 0 first",
    "unbounded": "give the index an upper bound (`if (i < N)`, or `i &= N - 1`)",
    "offset-unbounded": "give the number a lower and an upper bound before it moves a pointer",
    "offset-too-large": "offsets stay below 2^29",
    "null-pointer": "compare the pointer with null first",
    "not-memory": "only pointers can be followed: numbers cannot, and pointers that may be null "
                  "have to be compared with null first",
    "misaligned": "align the address to the size of the access",
    "read-only": "this memory can only be read",
    "map-access": "the map's flags, or its kind, forbid this access",
    "buffer-access": "stay inside the buffer, at offsets that are known",
    "special-field": "locks, timers, kernel pointers and lists in values are for helpers only",
    "zero-size": "compare the size with 0 first",
    "negative-size": "make the size unsigned, or compare it with 0 first",
    "moved-pointer": "pass the pointer as it was given, without an offset",
    "different-pointers": "let each instruction access one kind of memory: separate the branches",
    "atomic-place": "atomic operations work on maps, stack and arenas",
    "direct-value": "only maps of one element, or arrays, have addresses of their values",
    # stack
    "stack-bounds": "stay inside the 512 bytes of the stack",
    "stack-unbounded": "give the index a lower and an upper bound",
    "stack-variable": "the offset has to be a constant here",
    "stack-object": "dynptrs, iterators and saved flags on the stack are for helpers only",
    "unwritten-stack": "write all of the variable before it is read (CAP_PERFMON may read it as "
                       "it is)",
    "stack-escapes": "return a value, not the address of a variable that is about to be gone",
    "spill-size": "pointers are stored and loaded as a whole, 8 bytes",
    "spill-to-caller": "do not store pointers to the stack in the caller's variables",
    "stack-depth": "use smaller variables, fewer nested calls, or a map for large ones",
    # values and arithmetic
    "unwritten-register": "set the variable before it is read (also: calls change r1 to r5)",
    "pointer-arithmetic": "only adding and subtracting numbers, in 64 bits, moves pointers",
    "division-by-zero": "divide by something else than the constant 0",
    "shift-too-far": "shift by less than the width",
    "address-space": "address spaces are for programs that use an arena",
    # flow of control
    "infinite-loop": "let something change in the loop that ends it",
    "too-complex": "bound loops more tightly, use bpf_loop() or iterators, or make large functions "
                   "global, so that they are checked once",
    "unreachable": "remove code that control cannot reach",
    "falls-off": "end each function with exit or a jump",
    "jump-out-of-range": "jump inside the function only",
    "jump-into-wide-load": "jump to the beginning of an instruction of two slots",
    "bad-instruction": "the instruction is not valid: was it made by an assembler of its version?",
    "call-depth": "calls nest 8 deep at the most",
    "too-many-functions": "a program has 256 functions at the most",
    "bad-call": "calls lead to the first instruction of a function",
    "unterminated": "end strings in constant maps with a zero byte",
    # helpers and kernel functions
    "unknown-helper": "there is no helper of this number in this version",
    "helper-not-allowed": "programs of this kind do not have this helper (see docs/coverage.md)",
    "argument-type": "pass what the helper declares: its argument is named above",
    "not-constant": "the argument has to be a constant that the compiler knows",
    "flags": "these flags are not valid together, or not for this call",
    "kfunc": "pass what the kernel function declares, where it may be called",
    "needs-gpl": "the program's license has to be GPL-compatible for this",
    "may-sleep": "only programs that may sleep (`.s` in the section's name) call this",
    "global-function": "global functions take numbers, contexts and pointers to memory of a size, "
                       "and return numbers; make it static to have it checked in its callers",
    "callback-linkage": "make the function static",
    "abnormal-return": "functions with packet loads or tail calls return a number",
    "packet-load": "packet loads (LD_ABS) need the context in r6, and no locks or references",
    "packet-to-helper": "this helper takes no pointers into packets",
    "exception": "throw and handle exceptions in functions that return numbers",
    # what is held
    "reference-leak": "give back what was acquired on every path to the end",
    "not-acquired": "give back only what was acquired, once",
    "lock": "lock and unlock the same lock, in one function, in pairs",
    "lock-held": "this cannot be called while a lock is held",
    "region": "RCU, preemption and interrupt regions are closed in the function that opened them",
    "preempt": "this cannot be called where preemption is off; a static function can",
    "dynptr": "dynptrs are made and given back by helpers, and stay where they were made",
    "iterator": "iterators are made, asked and destroyed, in this order",
    "kptr": "pointers into the kernel are moved in and out of maps by bpf_kptr_xchg()",
    "graph": "lists and trees take nodes of their type, under the lock beside them",
    "untrusted": "the pointer may be stale: take it from an argument, or acquire it",
    # types of the kernel, contexts, results
    "btf-access": "access members of the struct as they are declared",
    "context-access": "access members of the context as they are declared, with their sizes",
    "socket-access": "access members of the socket as they are declared",
    "flow-keys": "stay inside struct bpf_flow_keys",
    "field": "the value has no such field, or more than one",
    "bad-result": "return a number that the hook takes",
    # the program as a whole
    "precision": "a defect of Linux: keep what atomic operations fetch in a register of its own",
    "map-type": "this kind of map does not go with this call, or this kind of program",
    "bad-map": "name the map by its symbol",
    "kernel-symbol": "this kernel has no such symbol: declare it __weak and test it",
    "attach": "programs cannot be attached there",
    "hook-too-new": "the hook came with a later version",
    # loaders without capabilities
    "not-permitted": "load it with the capability that is named, as root or through a token",
    "loop": "loops take CAP_BPF; without it, unroll them",
    "pointer-leak": "without CAP_PERFMON addresses stay secret: keep pointers in registers and on "
                    "the stack, and compare them with null only",
    "speculation": "without CAP_PERFMON, let an instruction work with one map or kind of pointer, "
                   "and move it by numbers of one sign, inside of what it points to",
}  # fmt: skip
"""What to do, by id; one short line each."""
