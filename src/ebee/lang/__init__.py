"""Restricted Python to LLVM IR and machine code: one front end, for the host and for BPF.

    source, static          a function's tree, and what its names mean before anything runs
    unit, function          what is compiled, each function once per set of constants; its state
    expressions, conditions, statements, loops, patterns, calls, intrinsics     kinds of nodes
    refused, errors         kinds of nodes that are refused; diagnostics
    values, arith, memory   typed operands with ranges; integers; loads, stores and addresses
    known, ir, target       constant objects; IR as text; host and other machines
    compiler, worker        LLVM in a process of its own
    image, relocations, loader, build       objects laid out, cached, in memory

The language. What compiles means what it means under CPython with `ebee.types` and
`ebee.native`; the rest is refused with file, line, column, and a way out.

* Integers of fixed width: the rules of `ebee.types`. Shift counts and lengths of memory must not
  be negative, so they are unsigned, or known not to be.
* A plain `int` (a literal, a loop variable, `len`, `int(x)`, sums of those) has no width, so it
  never wraps: the compiler follows its range, and refuses what may leave 64 bits. A variable that
  a loop changes may be anything at the loop's head: `n = 0` and then `n += 1` in a loop is
  refused; write `n = u64(0)`. A plain int may be of the range of i64 or of u64. Dividing one by
  what may be 0 is refused.
* `bool` is what comparisons give. `a and b` gives the last value evaluated, as in Python; both must
  then be of one type. In a condition any integers, bools and pointers do.
* A variable has the type of its first value, on every path; an annotation must name just that
  type (Python does not convert there), but gives `null` its target. A variable that may have no
  value where it is read is refused. After a loop its variable has its last value, where the loop
  certainly ran.
* Arguments and results are converted to the annotated fixed-width type, as @native does; to `bool`
  and `int` nothing is converted, so there the type must be exact. In `T(a if c else b)`, in
  arguments and in results each branch is converted on its own.
* `min`, `max` and conditional expressions need values of one type: Python would give either.
* Pointers: `p[i]` and `p + n` are not checked. Elements of arrays are: an index must be known to be
  inside, from its type, `%`, `&`, `min`, or a comparison before it; `a.ptr[i]` is not checked.
* `S(a=1)` is a zeroed struct of the function's own. Its address may be passed on, not stored and
  not returned. A struct in a variable is the place, not a copy; assigning to a place copies.
* Const members cannot be assigned, and are loaded when the compiler sees fit.
* `range` takes any integers and a constant step. `for x in s.array` goes over the values.
* `match`: constants, enum members, `|`, captures, guards, and sequences of a tuple.
* `assert` is checked when compiling; one that is not decided then is refused.
* Functions call each other, with keyword and default arguments, tuples as results, and functions
  as arguments; calling itself is refused, so that the stack is bounded. An argument that is a
  constant, `null`, a constant object or a function makes a version of the callee for it; in such
  a version branches on constants are decided, and what is behind a false one is not looked at.
* Module variables and variables of enclosing functions are constants, as they are when compiled.
* A value of type `fn` without parameter types takes 64-bit integers and gives u64; better declare
  `Callable[[ptr[u8], u64], u64]`.
"""
