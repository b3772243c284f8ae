"""BPF mode: Python functions to standard BPF objects, through the same front end.

    programs, maps, variables, packets      what people write: hooks, maps, globals, headers
    unit, debug, build                      a module being compiled; its debug metadata; the object
    nodes, map_calls, helper_calls, text, scopes    what means something else, or more, in BPF

Beyond the language that `ebee.lang` describes:

* A pointer from a lookup, a parser or a function that may give None must be tested before it is
  used. `if p is None: return`, `if p:`, `p is not None and p.x` and their like do.
* Maps, `Const` and `Global` variables of the module are what they say, not constants.
* Functions are inlined into their callers; `@func(inline=False)` makes a subprogram, with at most
  five arguments, none of them a tuple.
* Loops are `for` loops over a range of bounded length.
* Version 3 of eBPF: signed division is done with unsigned ones.
"""
