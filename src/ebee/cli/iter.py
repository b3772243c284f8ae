"""`ebee iter`: programs that walk the kernel's objects, and are read as text."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ebee.cli import report
from ebee.cli.source import nearest, pick, read_spec
from ebee.errors import ConfigError

if TYPE_CHECKING:
    from ebee.btf import Btf
    from ebee.linux.attach.iterators import IteratorLink
    from ebee.obj.spec import ObjectSpec, ProgramSpec

PREFIX, CONTEXT = "bpf_iter_", "bpf_iter__"
TASK = ("pid", "tid")
TAKES = {"task": TASK, "task_file": TASK, "task_vma": TASK, "cgroup": ("cgroup", "order"),
         "bpf_map_elem": ("map",), "bpf_sk_storage_map": ("map",), "sockmap": ("map",)}  # fmt: skip
"""What a walk over these targets may be told (the `attach_target` of the kernel's bpf_iter_reg)."""


def walk_options(command: Any) -> Any:
    """The options that say what is walked."""
    for option in (
        click.option("--order", metavar="ORDER", help="Of cgroups: self, descendants, "
                     "descendants_post, ancestors."),
        click.option("--cgroup", metavar="DIR", help="Begin at this control group."),
        click.option("--tid", type=click.IntRange(1), help="Only this thread."),
        click.option("--pid", type=click.IntRange(1), help="Only this process."),
        click.option("--map", "map_", metavar="MAP",
                     help="Whose elements: `id:N`, `name:NAME`, a pin's path, or one of FILE's."),
        click.option("--prog", metavar="NAME", help="Only this program of FILE."),
    ):  # fmt: skip
        command = option(command)
    return command


@click.group()
def iter() -> None:
    """Iterators: what can be walked, a walk's text, pins to read like files."""


@iter.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def list_(as_json: bool) -> None:
    """List the targets of this kernel: what SEC("iter/TARGET") may name, the objects that a program
    gets, and what a walk can be told."""
    from ebee.linux.kernel_btf import KernelBtf

    kernel = KernelBtf()
    found = list(_targets(kernel.vmlinux, ""))
    for module in kernel.modules:
        found += _targets(module.btf, module.name)
    kernel.close()
    found.sort(key=lambda target: target["name"])
    if as_json:
        report.print_json(found)
        return
    rows = [
        (t["name"], ", ".join(t["objects"]), ", ".join(f"--{word}" for word in t["takes"]),
         t["module"])
        for t in found
    ]  # fmt: skip
    columns = ("target", "objects", "takes", "module")
    used = [i for i in range(len(columns)) if any(row[i] for row in rows)]
    cells = [[row[i] for i in used] for row in rows]
    report.show(report.table(report.plural(len(rows), "target"), [columns[i] for i in used], cells))


def _targets(btf: Btf, module: str) -> Iterator[dict[str, Any]]:
    """Each target is declared by a function `bpf_iter_X(struct bpf_iter_meta *meta, objects...)`
    and the struct of its context, `bpf_iter__X`."""
    from ebee.btf import Func, FuncProto, Struct

    for name, number in btf.names():
        target = name.removeprefix(PREFIX)
        if target == name or number < btf.start_id or btf.kind(number) is not Func:
            continue
        function = btf.type(number)
        assert isinstance(function, Func)
        made = btf.type(function.type)
        if not isinstance(made, FuncProto) or btf.get(CONTEXT + target, Struct) is None:
            continue
        objects = [p.name for p in made.params if p.name != "meta"]
        takes = TAKES.get(target, ())
        yield {"name": target, "objects": objects, "takes": list(takes), "module": module}


@iter.command()
@click.argument("file")
@walk_options
def run(file: str, **options: Any) -> None:
    """Load FILE (an object, or source), walk with its iterators, and print what they write.

    \b
    ebee iter run tasks.c --pid 1
    ebee iter run dump.o --prog elements --map name:flows
    """
    with _attached(file, options) as links:
        for link in links.values():
            _copy(link)


@iter.command()
@click.argument("words", nargs=-1, required=True, metavar="LINK")
def read(words: tuple[str, ...]) -> None:
    """Walk once with an iterator that is attached, and print what it writes.

    LINK is a number (`ebee link show`), `id N`, `pinned PATH` or a pin's path.
    """
    from ebee.cli.link_show import open_link
    from ebee.linux.attach.iterators import IteratorLink

    with open_link(words) as held:
        info = held.info()
        if info.type != "iter":
            raise ConfigError(f"link {info.id} is no iterator, but of type {info.type}")
        _copy(IteratorLink(held.fd, f"{info.target_name} by link {info.id}"))


@iter.command()
@click.argument("file")
@click.argument("path")
@click.argument("words", nargs=-1, metavar="[map MAP]")
@walk_options
def pin(file: str, path: str, words: tuple[str, ...], **options: Any) -> None:
    """Load FILE, attach its iterator, and pin it under PATH in a BPF file system: who reads that
    file (`cat PATH`, `ebee iter read PATH`) walks.

    \b
    ebee iter pin tasks.o /sys/fs/bpf/tasks
    """
    if words:
        if words[0] != "map" or len(words) < 2 or options["map_"]:
            raise ConfigError(f"one `map MAP` may stand there, not {' '.join(words)!r}")
        options["map_"] = words[1:]
    with _attached(file, options) as links:
        if len(links) > 1:
            names = ", ".join(links)
            raise ConfigError(f"{file} has several iterators, say which with --prog: {names}")
        for link in links.values():
            link.pin(path)


@contextmanager
def _attached(file: str, options: dict[str, Any]) -> Iterator[dict[str, IteratorLink]]:
    """The iterators of a file, loaded and attached until this ends."""
    from ebee.linux import backend
    from ebee.linux.attach.iterators import ORDERS

    spec = read_spec(file)
    chosen = _iterators(spec, options.pop("prog"))
    which, order = options.pop("map_"), options.pop("order")
    given = {name: value for name, value in options.items() if value is not None}
    if order is not None:
        if order not in ORDERS:
            raise ConfigError(f"{order!r} is no order.{nearest(order, ORDERS)}")
        if "cgroup" not in given:
            raise ConfigError("--order is for a walk from a control group: --cgroup")
        given["order"] = order
    for program in chosen.values():
        _check(program, {*given, *(["map"] if which else [])})
    for word, what in (("pid", "process"), ("tid", "thread")):
        # The kernel takes any number, and then walks nothing.
        if word in given and not Path("/proc", str(given[word])).exists():
            raise ConfigError(f"there is no {what} {given[word]}")
    with ExitStack() as held:
        made = held.enter_context(backend.load(spec, programs=list(chosen)))
        if which:
            given["map"] = _map(which, made.maps, held)
        yield {name: made.programs[name].attach(**given) for name in chosen}  # type: ignore[misc]


def _iterators(spec: ObjectSpec, name: str | None) -> dict[str, ProgramSpec]:
    """The programs that walk: all that are loaded by default, or the one that is named."""
    if name is not None:
        program = pick("program", spec.programs, name, spec.name)
        if program.hook != "iter":
            raise ConfigError(f"program {name} is no iterator, but in section {program.section!r}")
        return {name: program}
    found = {n: p for n, p in spec.programs.items() if p.hook == "iter" and p.autoload}
    if not found:
        raise ConfigError(f'{spec.name} has no iterator: a program in SEC("iter/TARGET")')
    return found


def _check(program: ProgramSpec, given: set[str]) -> None:
    """Refuse what this target does not take, before anything is loaded."""
    takes = TAKES.get(program.attach_to or "", ())
    for word in sorted(given.difference(takes)):
        known = ", ".join(f"--{name}" for name in takes) or "nothing"
        what = f"program {program.name} walks {program.attach_to}, which takes {known}"
        raise ConfigError(f"--{word}: {what}")


def _map(which: str | Sequence[str], own: Any, held: ExitStack) -> Any:
    """The map to walk: one of the object's, or one of the kernel's."""
    from ebee.cli import named

    words = [which] if isinstance(which, str) else list(which)
    if len(words) == 1 and words[0] in own:
        return own[words[0]]
    found, rest = named.map_(words)
    held.enter_context(found)
    if rest:
        raise ConfigError(f"what is {' '.join(rest)!r} behind the map?")
    return found


def _copy(link: IteratorLink) -> None:
    """One walk to standard output, as it comes: text, or whatever the program writes."""
    from ebee.linux.errors import refused

    sys.stdout.flush()
    with link.open() as file:
        while True:
            try:
                part = file.read1()
            except OSError as error:
                raise refused(error, f"walk {link.target}") from None
            if not part:
                return
            click.echo(part, nl=False)
