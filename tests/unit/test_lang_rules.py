"""The rules of the language, and how what breaks them is refused; specialisation by constants."""

import ctypes

import pytest

from ebee.errors import CompileError
from ebee.lang.build import c_function, native
from ebee.lang.compiler import Options, compile_ir
from ebee.lang.errors import SourceError
from ebee.lang.known import Known
from ebee.lang.source import define, source_of
from ebee.lang.target import ARM64
from ebee.lang.unit import Spec, compile_native
from ebee.types import i64, u32

pytestmark = pytest.mark.unit

HEAD = """\
from collections.abc import Callable
from ebee.native import *
from ebee.types import *
import ebee.types

@struct
class Inner:
    kind: const[u32]
    size: const[u32]

@struct
class S:
    head: Inner
    a: u32
    b: be16
    many: array[u8, 8]
    next: const[ptr[u8]]

def plain(x):
    return x

@native
def double(x: u64) -> u64:
    return x * 2

@native
def scaled(x: u64, by: u64 = u64(3), plus: u64 = u64(1)) -> u64:
    return x * by + plus

@native
def nothing() -> None:
    pass

"""


def functions(text):
    return define(HEAD + text)


def refused(body, head="def f(a: u64, b: i64, p: ptr[S]) -> u64:"):
    """The error of a function with this body."""
    text = f"@native\n{head}\n" + "".join(f"    {line}\n" for line in body.split("\n"))
    with pytest.raises(SourceError) as caught:
        compile_native([functions(text)["f"]])
    return caught.value


REFUSALS = [
    ("return a + b", "u64 and i64 do not mix", "u64(...) or i64(...)"),
    ("return a << b", "the shift count is `i64`, which may be negative", "u32(n)"),
    ("return a << -1", "a shift by a negative count", ""),
    ("n = 0\nwhile a > n:\n    n = n + 1\nreturn n", "plain int that may leave 64 bits", "u64(0)"),
    ("return u64(int(a) * 8)", "plain int that may leave 64 bits", "u64(...)"),
    ("return u64(5 // int(a))", "may be divided by zero", "u64(x) // 0 is 0"),
    ("x = u32(1)\nx = a\nreturn x", "`x` is a `u32` and cannot become a `u64`", "u32(...)"),
    ("x = 1\nx = a\nreturn x", "`x` is a `int` and cannot become a `u64`", "u64(...)"),
    ("if a:\n    x = a\nreturn x", "`x` may not have a value here", "every path"),
    ("for i in range(a):\n    pass\nreturn i", "`i` may not have a value here", "every path"),
    ("return x\nx = 1", "`x` may not have a value here", ""),
    ("x: u32 = a\nreturn x", "the value is a `u64`, not a `u32`", "x = u32(...)"),
    ("x: str = a\nreturn x", "`str` is no static type", ""),
    ("return u64((a, p) in ((1, 2),))", "not a `ptr[S]` and a `int`", "joined by `and`"),
    ("return u64(a in ((1, 2),))", "not a `u64` and a `tuple[int, int]`", "joined by `and`"),
    ("return u64((a, 1) < (1, 2))", "cannot be compared", ""),
    ("return a if a else p.head", "`Inner` does not become `u64`", ""),
    ("x = a if b else u32(1)\nreturn x", "joins values of different types: u32 and u64", "convert"),
    ("x = a or u32(1)\nreturn x", "`and`/`or` joins values of different types", "x != 0"),
    ("return min(a, 5)", "min of `u64` and `int`", "one integer type"),
    ("return p.many[8]", "index 8 of an array of 8", ""),
    ("return p.many[-1]", "index -1 of an array of 8", ""),
    ("return p.many[a]", "may be outside the array of 8", "i % 8"),
    ("if a <= 8:\n    return p.many[a]\nreturn 0", "it is 0..8", "i % 8"),
    ("p.head.kind = 3\nreturn 0", "`p.head.kind` is const", ""),
    ("p.head.kind += 3\nreturn 0", "`p.head.kind` is const", ""),
    ("return p.nope", "S has no member `nope`", "head, a, b, many, next"),
    ("return a.nope", "`u64` has no member `nope`", ""),
    ("s = S(nope=1)\nreturn 0", "S has no member `nope`", "head, a"),
    ("s = S(1)\nreturn 0", "S takes its members by name", "S(name=value)"),
    ("s = S()\np.head = s\nreturn 0", "`S` is stored where `Inner` is held", ""),
    ("return p == 0", "`ptr[S]` and `int` cannot be compared", "null"),
    ("return p.head == p.head", "`Inner` and `Inner` cannot be compared", ""),
    ("return u64(p is null)", "`is` compares objects", "use =="),
    ("if p.head:\n    return 1\nreturn 0", "of type `Inner` is no condition", "member"),
    ("return 1.5", "1.5` is a float", "scale it"),
    ("return 'x'", "is a str of Python", ""),
    ("return None", "the function gives a `u64`", "return a value"),
    ("return a / 2", "`/` gives a fraction", "use //"),
    ("return a ** b", "`**` of values that are not constant", "1 << n"),
    ("return plain(a)", "`plain` is a plain function of Python", "mark it @native"),
    ("return print(a)", "`print` cannot be called here", ""),
    ("return double(a, b)", "double: too many positional arguments", "its parameters: (x"),
    ("return double()", "double: missing a required argument", ""),
    ("return double(p.head)", "`Inner` does not become `u64`", ""),
    ("return double(*[a])", "`*` in a call", "one by one"),
    ("return double(**{})", "`**` in a call", "one by one"),
    ("x = nothing()\nreturn a", "the call gives no value", ""),
    ("return nothing()", "does not become `u64`", ""),
    ("return f(a, b, p)", "`f` calls itself", "loop"),
    ("return there", "there is no `there`", ""),
    ("return ebee", "`ebee` is a module", ""),
    ("return ebee.types.nope", "that is known at compile time", ""),
    ("assert a > 3\nreturn a", "not known when compiling", "if not"),
    ("assert sizeof(S) == 3, 'size'\nreturn a", "assertion failed: 'size'", ""),
    ("if a:\n    return 1", "`f` may end without giving a `u64`", "every path"),
    ("for i in range(0, 5, a):\n    pass\nreturn a", "step of a range must be a constant", "while"),
    ("for i in range(0, 5, 0):\n    pass\nreturn a", "the step of a range is 0", ""),
    ("for i in a:\n    pass\nreturn a", "a loop over a `u64`", "range(...)"),
    ("x, y = a\nreturn a", "a `u64` cannot be unpacked", ""),
    ("x, y = a, a, a\nreturn a", "3 values for 2 variables", ""),
    ("x = cast(ptr[u8], a)\nreturn a", "only a pointer can become a pointer", ""),
    ("return p.next[0][0]", "`u8` has no elements", ""),
    ("return p.head.ref", "`.ref` alone is no value", "p.ref.member"),
    ("return atomic_add(p.ref.many, 1)", "atomics work on 32- and 64-bit integers", ""),
    ("return atomic_add(p.ref.b, 1)", "not on `be16`", ""),
    ("return u64(atomic_cas(p.ref.a, b, 1))", "may be no `u32`", "u32(...)"),
    ("memcpy(p, a, 1)\nreturn a", "`u64` is no pointer", ""),
    ("memcpy(p, p)\nreturn a", "`memcpy` takes 3 arguments, not 2", ""),
    ("s = S()\nmemcpy(s, p, 1)\nreturn a", "`S` is no pointer", ".ptr"),
    ("q = null\nreturn q[0]", "`null` points to nothing", "p: ptr[T] = null"),
    ("q = p\nq = byte_offset(p, 1)\nreturn 0", "cannot become a `ptr[u8]`", "cast(ptr[S]"),
    ("match p.head:\n    case 1:\n        return 1\nreturn 2", "matched with a `int`", ""),
    ("return a[0]", "`u64` has no elements", ""),
    ("memcpy(p, p, b)\nreturn a", "the length is `i64`, which may be negative", "u64(n)"),
    ("return u64(memeq(p, p, -3))", "the length is `int`, which may be negative", ""),
    ("q = cast(ptr[int], p)\nreturn a", "a pointer to `int`, which has no size", "ptr[i64]"),
    ("q = cast(ptr['S'], p)\nreturn a", "a target named by a string", "cast"),
    ("return u64(a in (1, 2) == True)", "`in` among other comparisons", "`and`"),
    ("return u64(a in b)", "`in` of a `i64`", "x in (1, 2, 3)"),
    ("x = a, a\nreturn x[a]", "the index of a tuple must be a constant", ""),
    ("return a + p", "pointer on the right", "p + n"),
    ("return p.head.at(1)", "has no method `at`", ""),
]  # fmt: skip


@pytest.mark.parametrize(("body", "message", "way_out"), REFUSALS, ids=lambda v: v[:30])
def test_what_breaks_a_rule_is_refused(body, message, way_out):
    error = refused(body)
    assert message in error.message
    assert way_out in error.way_out


@pytest.mark.parametrize(
    ("head", "message"),
    [
        ("def f(a) -> u64:", "the parameter `a` has no type"),
        ("def f(a: str) -> u64:", "`str` is no static type"),
        ("def f(a: u64) -> str:", "`str` is no static type"),
        ("def f(*a: u64) -> u64:", "a variable number of parameters"),
        ("def f(a: 'nope') -> u64:", "an annotation names nothing"),
        ("def f(a: 'u64.there') -> u64:", "an annotation names nothing"),
        ("def f(a: u64) -> fn:", "a result of type `fn`"),
        ("def f(a: u64):", "no result type is declared"),
        ("def f(a: u64) -> bool:", "the result is a `int`, not a `bool`"),
    ],
)
def test_signatures_are_checked(head, message):
    assert message in refused("return 1", head).message


def test_other_decorators_are_refused():
    text = "def other(f):\n    return f\n\n@native\n@other\ndef f(a: u64) -> u64:\n    return a\n"
    with pytest.raises(SourceError, match="the decorator `other`"):
        compile_native([functions(text)["f"]])


def test_the_address_of_a_local_struct_does_not_get_out():
    head = "def f(p: ptr[ptr[S]]) -> ptr[S]:"
    assert "local struct is returned" in refused("s = S()\nreturn s.ptr", head).message
    assert (
        "local struct is returned" in refused("s = S()\nreturn cast(ptr[S], s.ref.a)", head).message
    )
    assert "local struct is stored" in refused("s = S()\np[0] = s.ptr\nreturn p[0]", head).message
    body = "q: ptr[S] = null\nfor i in range(3):\n    s = S(a=i)\n    q = s.ptr\nreturn null"
    assert "may outlive this struct" in refused(body, head).message


def test_lambdas_and_functions_without_source_are_refused():
    with pytest.raises(CompileError, match="a lambda cannot be compiled"):
        source_of(lambda: 1)
    space = {}
    exec("def f(): pass", space)
    with pytest.raises(
        CompileError, match=r"is not available\nway out: put the function into a file"
    ):
        source_of(space["f"])
    with pytest.raises(CompileError, match="is not a Python function"):
        source_of(len)


def test_a_file_that_changed_since_its_import_is_noticed(tmp_path):
    import importlib.util
    import linecache

    path = tmp_path / "changing.py"
    path.write_text("\n\n\ndef f(): pass\n")
    spec = importlib.util.spec_from_file_location("changing", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    path.write_text("def other(): pass\n")
    linecache.checkcache(str(path))
    with pytest.raises(CompileError, match="the file changed since the import"):
        source_of(module.f)


def test_columns_count_characters_also_behind_tabs_and_wide_letters():
    error = refused("ä, ö = a, 'ü' + plain(a)\nreturn a")
    there = "    ä, ö = a, 'ü' + plain(a)"
    assert error.column == there.index("'ü'") + 1


# --- what works ----------------------------------------------------------------------------------


def run(text, *arguments, name="f", **options):
    """Compiled and under CPython the same; gives the result."""
    f = functions(text)[name]
    module = compile_native([f])
    with native(module, options=Options(**options), cached=False) as code:
        got = c_function(code, f"source.{name}", module.exports[f"source.{name}"])(*arguments)
    assert got == f(*arguments)
    return got


def test_an_index_is_inside_after_a_comparison():
    assert run("""
@native
def f(a: u64, b: i32) -> u64:
    s = S(a=7)
    total = u64(0)
    for i in range(8):
        s.many[i] = i * i
    for x in s.many:
        total += x
    if a < 8:
        total += s.many[a]
    if 0 <= b < 8 and s.many[b] == 9:
        total += 1000
    while a < 8:
        total += s.many[a]
        a += 1
    return total + s.many[b & 7] + s.many[a % 8]
""", 5, 3) == 140 + 25 + 1000 + 25 + 36 + 49 + 9  # fmt: skip


def test_the_loop_variable_keeps_its_last_value():
    text = "@native\ndef f(a: u64) -> u64:\n"
    text += "    for i in range(3, 20, 4):\n        i = i * 2\n    return i\n"
    assert run(text, 0) == 38


def test_null_takes_the_type_of_the_variable():
    assert run("""
@native
def f(a: u64) -> u64:
    s = S(a=5)
    p: ptr[S] = null
    if a > 3:
        p = s.ptr
    return p.a if p else 77
""", 2) == 77  # fmt: skip


def test_unions_and_network_order_share_bytes():
    assert run("""
@union
class U:
    word: be32
    bytes: array[u8, 4]

@native
def f(a: u32) -> u32:
    u = U(word=a)
    u.bytes[0] = u.bytes[3]
    return u.word
""", 0x11223344) == 0x44223344  # fmt: skip


def test_functions_know_each_other_and_are_compiled_once_per_set_of_constants():
    space = functions("""
@native
def inner(x: u64, by: u64, flag: bool) -> u64:
    if flag:
        return x * by
    return x + by

@native
def f(x: u64, y: u64) -> u64:
    a = inner(x, 3, True) + inner(y, 3, True) + inner(x, y, False) + inner(x, 4, False)
    return a + scaled(x) + scaled(x, u64(5)) + scaled(x, plus=u64(2))
""")
    module = compile_native([space["f"]])
    names = [n.removeprefix("source.") for n in module.functions]
    assert names.count("inner$$3$1") == 1
    assert {"inner$$$0", "inner$$4$0", "scaled$$3$1", "scaled$$5$1", "scaled$$3$2"} < set(names)
    with native(module, cached=False) as code:
        f = c_function(code, "source.f", module.exports["source.f"])
        assert f(10, 7) == 30 + 21 + 17 + 14 + 31 + 51 + 32


def test_functions_are_passed_to_functions():
    space = functions("""
Visit = Callable[[u64, u64], u64]

@native
def add(x: u64, y: u64) -> u64:
    return x + y

@native
def fold(n: u64, visit: Visit) -> u64:
    total = u64(0)
    for i in range(n):
        total = visit(total, i)
    return total

@native
def f(n: u64) -> u64:
    return fold(n, add)

@native
def raw(n: u64, visit: fn) -> u64:
    return visit(n, n + 1, -1)
""")
    module = compile_native([space["f"], space["fold"], space["raw"]])
    assert module.exports["source.fold"].llvm == "i64 (i64, ptr)"
    with native(module, cached=False) as code:
        assert c_function(code, "source.f", module.exports["source.f"])(5) == 10
        kind = ctypes.CFUNCTYPE(ctypes.c_uint64, ctypes.c_uint64, ctypes.c_uint64)
        callback = kind(lambda x, y: x * 2 + y)
        fold = c_function(code, "source.fold", module.exports["source.fold"])
        assert fold(4, ctypes.cast(callback, ctypes.c_void_p)) == 11
        three = ctypes.CFUNCTYPE(ctypes.c_uint64, *[ctypes.c_uint64] * 3)(
            lambda a, b, c: a + b + (c > 1)
        )
        raw = c_function(code, "source.raw", module.exports["source.raw"])
        assert raw(3, ctypes.cast(three, ctypes.c_void_p)) == 8


LOOKUP = """
@native
def f(p: ptr[S], i: u64) -> u64:
    if p.head.kind == 3:
        return u64(p.next[i]) * p.head.size
    elif p.head.kind == 4:
        return nowhere(p)
    return p.a
"""


def test_constant_objects_fold_their_const_members_and_prune_branches():
    space = functions(LOOKUP)
    known = Known.of(space["S"], "object", head={"kind": 3, "size": 10}, next="elements")
    module = compile_native([Spec(space["f"], "look", {"p": known})])
    text = module.ir
    assert "nowhere" not in text
    assert "icmp" not in text
    assert module.exports["look"].llvm == "i64 (i64)"
    buffer = ctypes.create_string_buffer(bytes(range(16)), 16)
    address = ctypes.addressof(buffer)
    with native(module, {"elements": address, "object": 64}, cached=False) as code:
        assert c_function(code, "look", module.exports["look"])(7) == 70
    other = Known.of(space["S"], "object", head={"kind": 5})
    assert "load i32" in compile_native([Spec(space["f"], bind={"p": other})]).ir


def test_constant_objects_may_be_at_addresses_and_hold_each_other():
    space = functions(LOOKUP)
    known = Known.of(space["S"], 4096, head={"kind": 3, "size": 2}, next=8192)
    assert "i64 8192 to ptr" in compile_native([Spec(space["f"], bind={"p": known})]).ir
    inner = Known.of(space["S"], "inner", head={"kind": 9})
    outer = Known.of(space["S"], "outer", next=inner)
    text = """
@native
def f(p: ptr[S]) -> u32:
    return cast(ptr[S], p.next).head.kind
"""
    f = functions(text)["f"]
    assert "ret i32 9" in compile_native([Spec(f, bind={"p": outer})]).ir


def test_only_const_members_can_be_known():
    space = functions("")
    with pytest.raises(TypeError, match=r"S\.a is not const"):
        Known.of(space["S"], "object", a=3)
    with pytest.raises(TypeError, match="S has no member 'nope'"):
        Known.of(space["S"], "object", nope=3)


@pytest.mark.parametrize(
    ("bind", "message"),
    [
        ({"nope": 1}, "no parameter 'nope'"),
        ({"p": "x"}, "'p' is a ptr"),
        ({"i": Known("x")}, "'i' is a u64"),
    ],
)
def test_what_cannot_be_bound_is_refused(bind, message):
    with pytest.raises(CompileError, match=message):
        compile_native([Spec(functions(LOOKUP)["f"], bind=bind)])


def test_two_exports_need_two_names_but_may_be_one_function():
    space = functions("")
    with pytest.raises(CompileError, match="two functions are called @x"):
        compile_native([Spec(space["double"], "x"), Spec(space["scaled"], "x")])
    module = compile_native([Spec(space["double"], "x"), Spec(space["double"], "y")])
    with native(module, cached=False) as code:
        assert c_function(code, "y", module.exports["y"])(4) == 8


def test_functions_outside_are_called_by_their_symbol():
    space = functions("@native\ndef f(p: ptr[u8], a: u32) -> u64:\n    return u64(byte(p, a)) + 1\n"
                      "def byte(p: ptr[u8], at: int) -> i32:\n    return i32(p[at])\n")  # fmt: skip
    module = compile_native([space["f"]], external={space["byte"]: "outside"})
    assert 'declare i32 @"outside"(ptr, i64)' in module.ir
    kind = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_uint64)
    outside = kind(lambda p, at: -int(at))
    address = ctypes.cast(outside, ctypes.c_void_p).value
    with native(module, {"outside": address}, cached=False) as code:
        assert c_function(code, "source.f", module.exports["source.f"])(0, 7) == (1 - 7) % 2**64


def test_modules_merge_into_one_text():
    space = functions("")
    one = compile_native([Spec(space["double"], "x")], linkage="internal")
    text = 'define i64 @go(i64 %a) {\n  %r = call i64 @"x"(i64 %a)\n  ret i64 %r\n}'
    from ebee.lang.ir import Module

    whole = one.merge(Module(functions={"go": text}, declarations={"x": "declare i64 @x(i64)"}))
    assert "declare i64 @x" not in whole.ir
    assert b"@x" not in compile_ir([whole.ir], Options(keep=("go",)), emit="ir")
    with pytest.raises(CompileError, match="define @x differently"):
        one.merge(Module(functions={"x": "define i64 @x() { ret i64 0 }"}))


def test_the_clock_is_the_hosts():
    import time

    f = functions("@native\ndef f(clock: u32) -> u64:\n    return host_clock(clock)\n")["f"]
    module = compile_native([f])
    with native(module, cached=False) as code:
        clock = c_function(code, "source.f", module.exports["source.f"])
        before = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
        assert before <= clock(time.CLOCK_MONOTONIC) <= time.clock_gettime_ns(time.CLOCK_MONOTONIC)
        assert clock(99) == 0


def test_everything_also_lowers_for_arm64():
    f = functions(
        "@native\ndef f(p: ptr[u32]) -> u32:\n    cpu_relax()\n    return atomic_add(p, 1)\n"
    )["f"]
    text = compile_native([f], target=ARM64).ir
    assert b"yield" in compile_ir([text], Options(target=ARM64), emit="assembly")


def test_methods_and_properties_in_the_arguments_of_methods():
    """Each has its own `self`, however deep; in branches, loops and default values too."""
    space = define(
        HEAD.replace("    next: const[ptr[u8]]\n", """    next: const[ptr[u8]]

    @property
    def size(self) -> u32:
        return self.a + 1

    def more(self, n: u32, m: u32 = u32(5)) -> u32:
        return self.a * n + m

    def turned(self, n: u32) -> u32:
        return self.more(m=self.more(n), n=self.size)
""") + """
@native
def f(x: u32, y: u32) -> u32:
    one, other = S(a=x), S(a=y)
    two = S(a=one.more(one.size))
    total = one.more(20 + other.size, one.turned(two.more(other.more(one.size))))
    for i in range(one.more(other.size) & 3):
        total += two.more(one.size if i & 1 else other.size, u32(i))
    return total + min(one.more(one.size), other.turned(one.size))
""")  # fmt: skip
    module = compile_native([space["f"]])
    with native(module, cached=False) as code:
        f = c_function(code, "source.f", module.exports["source.f"])
        for x, y in ((0, 0), (1, 2), (7, 3), (100, 9)):
            assert f(x, y) == space["f"](u32(x), u32(y))


def test_tuples_are_compared_by_their_elements():
    space = functions("""
PAIRS = ((1, 2), (3, 4), (5,))

@native
def f(a: u32, b: i64) -> u32:
    found = u32(0)
    if (a, b) in ((1, 2), (3, -4), (True, False)):
        found |= 1
    if (a, b) not in PAIRS:
        found |= 2
    if (a, b) == (b, a) and (a, b) != (1, 2, 3):
        found |= 4
    if (a, (b, 5)) == (3, (4, 5)) or ((a, b), 1) in {((5, 6), 1)}:
        found |= 8
    return found
""")
    module = compile_native([space["f"]])
    with native(module, cached=False) as code:
        f = c_function(code, "source.f", module.exports["source.f"])
        for a in range(7):
            for b in range(-5, 7):
                assert f(a, b) == space["f"](u32(a), i64(b)), (a, b)


def test_text_is_no_parameter_and_says_what_is():
    error = refused("return 1", "def f(a: str) -> u64:")
    assert "array[char, 16] of a @struct; a function is given that struct" in error.way_out
