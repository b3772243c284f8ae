"""What a program's parameters and result may be, by its hook.

    context     its context, and nothing else                       @xdp, @cgroup_sock, ...
    record      a @struct of what it is given, or Record             @tracepoint, @syscall
    slots       arguments, each in 8 bytes of the context            @fentry, @lsm, @iterator, ...
    registers   arguments as functions of the machine have them      @kprobe, @uprobe
    syscall     those of a system call                               @ksyscall
    usdt        those of a marker, wherever its note says            @usdt
    free        those of the function that it replaces               @freplace

Where there are arguments, the context may come first. The parameter `result` is the function's
result where the hook has one.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ebee.errors import EbeeError
from ebee.lang.bpf import formats, results
from ebee.lang.bpf.contexts import BY_STRUCT, Context
from ebee.lang.bpf.struct_ops import complete, operation_of
from ebee.lang.errors import Refusal, at
from ebee.lang.unit import signature_of
from ebee.lang.values import NONE, is_int, is_integer, is_ptr, is_struct, name_of

if TYPE_CHECKING:
    from ebee.hooks import Hook
    from ebee.lang.bpf.programs import Program
    from ebee.lang.source import Source

SLOTS, REGISTERS, RECORD, FREE, CONTEXT = "slots", "registers", "record", "free", "context"
SYSCALL, USDT = "syscall", "usdt"

WHOLE = (CONTEXT, RECORD)
"""Forms whose programs have one parameter, the context."""

FORMS = {
    **dict.fromkeys((
        "fentry", "fexit", "fmod_ret", "fsession", "fentry.multi", "fexit.multi", "fsession.multi",
        "tp_btf", "raw_tracepoint", "raw_tracepoint_writable", "lsm", "lsm_cgroup", "iter",
        "struct_ops",
    ), SLOTS),
    **dict.fromkeys((
        "kprobe", "kprobe.multi", "kprobe.session", "uprobe", "uprobe.multi", "uprobe.session",
    ), REGISTERS),
    "ksyscall": SYSCALL, "usdt": USDT, "tracepoint": RECORD, "syscall": RECORD, "freplace": FREE,
}  # fmt: skip
"""Hook -> form of its programs' parameters, where that is not only the context."""

RESULT = "result"
"""The parameter that is the result of the function."""

WITH_RESULT = ("fexit", "fmod_ret", "fsession", "fexit.multi", "fsession.multi", "kprobe.session",
               "uprobe.session")  # fmt: skip
"""Hooks that have it, besides sections that run on return."""


def form_of(hook: Hook) -> str:
    """The form of the parameters of a hook's programs."""
    return FORMS.get(hook.name, CONTEXT)


def context_of(hook: Hook) -> str:
    """The name of the class of a hook's context."""
    if hook.name == "lirc_mode2":
        return "LircContext"
    return BY_STRUCT.get(hook.context or "", "TraceContext")


def shown(hook: Hook, name: str) -> str:
    """How a program of a hook begins."""
    own = results.RESULTS.get(hook.name)
    result = own.__name__ if own else "None" if hook.name in results.NOTHING else "int"
    given = {
        CONTEXT: f"ctx: {context_of(hook)}", RECORD: "ctx: a @struct of the record",
        FREE: "those of the function it replaces",
    }.get(form_of(hook), "first: u64, second: ptr[u8]")  # fmt: skip
    return f"def {name}({given}) -> {result}:"


def check(program: Program, source: Source) -> None:
    """Refuse a program whose parameters or result are not its hook's; complete those without
    types."""
    hook, tree = program.hook, source.tree
    form, way_out = form_of(hook), shown(hook, source.name)
    parameters = list(inspect.signature(source.function).parameters.values())
    if form in WHOLE and len(parameters) != 1:
        message = f"a program takes one argument, its context, not {len(parameters)}"
        raise at(source, tree, Refusal(message, way_out))
    if form in WHOLE and parameters[0].annotation is inspect.Parameter.empty:
        raise at(source, tree.args.args[0], Refusal("the context has no type", way_out))
    if tree.returns is None:
        message = f"`{source.name}` does not say what it returns"
        raise at(source, tree, Refusal(message, way_out))
    _complete(program, source)
    params, result = signature_of(source.function)
    nodes = [*tree.args.posonlyargs, *tree.args.args, *tree.args.kwonlyargs]
    if form == CONTEXT and not _is_context(params[0][1], hook):
        _no_context(source, nodes[0], hook, params[0][1])
    if form == RECORD and not (is_struct(params[0][1]) and not _any_context(params[0][1])):
        _no_context(source, nodes[0], hook, params[0][1])
    if form not in (*WHOLE, FREE):
        for i, ((name, t), node) in enumerate(zip(params, nodes, strict=True)):
            _check_argument(source, node, program, name, t, first=i == 0)
        _check_known(source, nodes, program, params)
    _check_result(source, hook, result, way_out)
    declared = inspect.signature(source.function, eval_str=True).return_annotation
    results.check(source, hook, program.attach_type, declared)


def _no_context(source: Source, node: ast.arg, hook: Hook, t: Any) -> None:
    message = f"the context of a {hook.name} program is no `{name_of(t)}`"
    raise at(source, node, Refusal(message, shown(hook, source.name)))


def _any_context(t: Any) -> bool:
    return is_struct(t) and issubclass(t, Context)


def _is_context(t: Any, hook: Hook) -> bool:
    return _any_context(t) and t.__name__ == context_of(hook)


def _check_argument(
    source: Source, node: ast.arg, program: Program, name: str, t: Any, first: bool
) -> None:
    hook = program.hook
    if _any_context(t):
        if not _is_context(t, hook):
            _no_context(source, node, hook, t)
        if not first:
            refusal = Refusal("the context comes first", f"def {source.name}(ctx, ...)")
            raise at(source, node, refusal)
        return
    if "+" in program.target and hook.name == "kprobe":
        message = "inside a function its arguments may be anywhere"
        raise at(source, node, Refusal(message, f"def {source.name}(ctx: RegistersContext)"))
    if not (is_integer(t) or is_ptr(t) or is_struct(t)):
        message = f"an argument of type `{name_of(t)}`"
        raise at(source, node, Refusal(message, f"{name}: u64, or {name}: ptr[u8]"))
    returns = program.declared.on_return
    if name == RESULT and form_of(hook) != USDT:
        if not (returns or hook.name in WITH_RESULT):
            if form_of(hook) == SLOTS:
                return  # an argument that happens to be called so
            message = f"{hook.name} programs run before there is a result"
            entry = hook.name.replace(".", "_")
            after = "kretsyscall" if entry == "ksyscall" else entry.replace("probe", "retprobe")
            way_out = f'@{after}("{program.target}")'
            raise at(source, node, Refusal(message, way_out))
    elif returns and form_of(hook) != SLOTS:
        message = f"at the return the arguments are gone: `{name}`"
        raise at(source, node, Refusal(message, "note them at the entry, in a map by thread"))


def _check_known(
    source: Source, nodes: list[ast.arg], program: Program, params: list[tuple[str, Any]]
) -> None:
    """Refuse types of arguments that are not those of the kernel's function."""
    known = form_of(program.hook) == SLOTS or program.hook.name == "kprobe"
    if not known or "+" in program.target or operation_of(source.function) is not None:
        return
    result = RESULT if has_result(program) else ""
    own = [(n, t) for n, t in params if not _any_context(t) and n != result]
    by_name = {a.arg: a for a in nodes}
    for name, wrong in formats.misfits(program, own):
        shown = next(name_of(t) for n, t in own if n == name)
        refusal = Refusal(f"`{name}` is declared as `{shown}`: {wrong}", "leave its type away")
        raise at(source, by_name[name], refusal)


def _check_result(source: Source, hook: Hook, result: Any, way_out: str) -> None:
    node = source.tree.returns or source.tree
    if result is NONE.type and hook.name not in results.NOTHING:
        raise at(source, node, Refusal(f"{hook.name} programs say what happens", way_out))
    if not (result is NONE.type or result in (int, bool) or is_int(result)):
        message = f"a program returns a number, not a `{name_of(result)}`"
        raise at(source, node, Refusal(message, way_out))


def _complete(program: Program, source: Source) -> None:
    """Give parameters the types that the running kernel knows: members of a Record, arguments
    without annotation."""
    form, hints = form_of(program.hook), source.function.__annotations__
    if (operation := operation_of(source.function)) is not None:
        complete(operation, source)
        return
    nodes = {a.arg: a for a in ast.walk(source.tree.args) if isinstance(a, ast.arg)}
    if form == RECORD:
        (name,) = nodes
        if _evaluated(source)[name].annotation is formats.Record:
            if program.hook.name != "tracepoint":
                refusal = Refusal("only tracepoints have a Record", "declare it as a @struct")
                raise at(source, nodes[name], refusal)
            with _blamed(source, nodes[name]):
                hints[name] = formats.record_of(program.target)
    elif form == SLOTS or program.hook.name == "kprobe":
        missing = [n for n in nodes if n not in hints]
        if missing:
            given = _evaluated(source)
            names = [n for n, p in given.items() if not _any_context(p.annotation)]
            result = RESULT if has_result(program) and RESULT in names else ""
            with _blamed(source, nodes[missing[0]]):
                known = formats.arguments_of(program, [n for n in names if n != result], result)
                hints.update({n: t for n, t in known.items() if n in missing})


def _evaluated(source: Source) -> Mapping[str, inspect.Parameter]:
    """The parameters with their annotations as what those name; without, where they name nothing
    (which is said later)."""
    try:
        return inspect.signature(source.function, eval_str=True).parameters
    except Exception:  # evaluating annotations runs any code
        return inspect.signature(source.function).parameters


def has_result(program: Program) -> bool:
    """Whether there is a result when a program runs."""
    return program.declared.on_return or program.hook.name in WITH_RESULT


@contextmanager
def _blamed(source: Source, node: ast.AST) -> Iterator[None]:
    """What cannot be found out is the fault of this node."""
    try:
        yield
    except Refusal as refusal:
        raise at(source, node, refusal) from None
    except EbeeError as error:
        first = str(error).splitlines()[0]
        raise at(source, node, Refusal(first, "declare the type")) from None


__all__ = ["FORMS", "RESULT", "check", "context_of", "form_of", "has_result"]
