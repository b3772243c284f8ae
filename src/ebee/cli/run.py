"""`ebee run`: a program over a packet capture, on the machine or in the kernel, or live on an
interface."""

from __future__ import annotations

import os
import sys
from contextlib import closing
from typing import TYPE_CHECKING, Any

import click

from ebee import cli
from ebee.cli import engines, report, summary
from ebee.cli.source import choose_program, read_spec, set_variables
from ebee.errors import ConfigError, EbeeError

if TYPE_CHECKING:
    from ebee.cli.session import Session
    from ebee.hooks import Hook
    from ebee.obj.spec import ObjectSpec, ProgramSpec

PACKETS = ("xdp_md", "__sk_buff")
"""Contexts of programs that are run on packets."""

ONLY = {
    "pcap": ("out", "limit", "speed"),
    "dev": ("mode", "count"),
    "machine": ("engine", "trust", "cpus", "seed"),
}
"""Options that make sense only with a source, or on a backend."""


@click.command(context_settings={"allow_extra_args": True})
@click.argument("file")
@click.option("--pcap", metavar="IN", help="Run over the packets of a capture (- for a pipe).")
@click.option("--dev", metavar="IF", help="Attach to a network interface of this machine.")
@click.option("--cgroup", metavar="PATH", help="Attach to a control group.")
@click.option(
    "--on",
    type=click.Choice(["machine", "linux"]),
    help="Where to run: user space (default for captures) or the kernel.",
)
@click.option("--prog", metavar="NAME", help="Which program, where FILE has several.")
@click.option("--config", metavar="TOML", help="Rules for the program; taken over when changed.")
@click.option(
    "--set",
    "assignments",
    multiple=True,
    metavar="VAR=N",
    help="Set a global variable before loading.",
)
@click.option(
    "--out",
    metavar="OUT",
    help="Write the packets as the program left them to a "
    "capture; a pcapng also has the verdicts, as comments.",
)
@click.option("--limit", type=click.IntRange(1), metavar="N", help="Stop after N packets.")
@click.option(
    "--engine",
    type=click.Choice(engines.ENGINES),
    help="How the machine runs it: compiled (default, where it can be) or interpreted.",
)
@click.option(
    "--trust",
    is_flag=True,
    default=None,
    help="Compile without checks of memory accesses: for what a kernel's verifier has accepted.",
)
@click.option("--cpus", type=click.IntRange(1, 256), metavar="N", help="CPUs of the machine (1).")
@click.option("--seed", type=int, metavar="N", help="Make the machine's random numbers repeatable.")
@click.option(
    "--mode",
    type=click.Choice(["auto", "native", "generic"]),
    help="How --dev attaches an XDP program (auto).",
)
@click.option(
    "--count",
    is_flag=True,
    default=None,
    help="Have --dev count packets by verdict, by instructions put around the program.",
)
@click.option("--duration", type=click.FloatRange(0), metavar="S", help="Detach after S seconds.")
@click.option(
    "--top",
    type=click.IntRange(0),
    default=10,
    metavar="N",
    help="Entries shown of each map, and of events (10).",
)
@click.option(
    "--live/--plain",
    "view",
    default=None,
    help="Show what happens on the full screen (the default for --dev on a terminal), or in lines.",
)
@click.option(
    "--speed",
    type=click.FloatRange(0, min_open=True),
    metavar="X",
    help="Replay a capture as slowly as it was recorded, times X (with --live: 1).",
)
@click.option("--reload", is_flag=True, help="Compile again and replace when the source changes.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of tables.")
def run(file: str, **options: Any) -> None:
    """Run the program in FILE (Python, C, or an object) over a capture, or attach it.

    \b
    ebee run firewall.py --pcap web.pcapng --config firewall.toml
    ebee run firewall.py --pcap web.pcapng --on linux    the kernel decides (as root)
    ebee run firewall.py --pcap web.pcapng --live        watch it, as slowly as it was recorded
    ebee run firewall.py --dev veth0                     live, until Ctrl-C or q
    ebee run firewall.py --dev veth0 --reload            edit the program while it runs
    ebee run exec_snooper.py                             attach where its hooks say
    """  # fmt: skip
    if rest := click.get_current_context().args:
        what = rest[0]
        raise ConfigError(f"{what}: say what that is: --pcap {what} for a capture, --dev {what} for"
                          " an interface, --config for rules")  # fmt: skip
    where, source = check_options(options)
    view = wants_view(options)
    if view:
        options["count"] = source == "dev"
        if options["pcap"] and options["speed"] is None:
            options["speed"] = 1.0

    def read(path: str) -> ObjectSpec:
        spec = read_spec(path)
        if spec.endian != sys.byteorder:
            raise ConfigError(f"{path} is for {spec.endian}-endian machines, this one is not")
        set_variables(spec, options["assignments"])
        return spec

    spec = read(file)
    names = choose(spec, options["prog"], where, source)
    from ebee.cli.places import place
    from ebee.cli.session import Session

    with closing(place(where, options)) as there:
        session = Session(file, spec, names, there, options, read)
        if view:
            from ebee.cli.view import show

            show(session)
            complete = True
        else:
            complete = run_plainly(session)
    if not complete:
        raise click.exceptions.Exit(cli.INTERRUPTED)


def run_plainly(session: Session) -> bool:
    """Run with lines for output; whether it came to its end."""
    try:
        if not session.options["pcap"]:
            session.live()
            summary.finish(session)
            return True
        while True:
            complete = session.replay()
            summary.finish(session)
            if not complete or session.sources is None:
                return complete
            with session.control.on_signals():
                report.warn(f"waiting for changes of {report.path(session.file)}; Ctrl-C ends")
                again = session.await_change()
            if not again:
                return True
    except EbeeError:  # a capture that is cut off, say: what came before it counts
        if session.total and session.state == "finished":
            summary.finish(session)
        raise


def wants_view(options: dict[str, Any]) -> bool:
    """Whether to show things on the full screen; ConfigError where that is asked for and cannot
    be done."""
    from importlib.util import find_spec

    asked, possible = options["view"], report.is_terminal() and sys.stdin.isatty()
    plain = options["as_json"] or options["out"] == "-" or os.environ.get("TERM") == "dumb"
    wanted = asked if asked is not None else not options["pcap"] and possible and not plain
    if not wanted:
        return False
    if asked and (plain or not possible):
        raise ConfigError("--live needs a terminal for itself; without one, leave it out")
    if find_spec("textual") is None:
        lack = "the full-screen view needs textual: pip install 'ebee[view]'"
        if asked:
            raise ConfigError(f"--live: {lack}")
        report.warn(f"{lack}; until then, here are plain lines")
        return False
    return True


def check_options(options: dict[str, Any]) -> tuple[str, str]:
    """Where to run, "machine" or "linux", and on what: "pcap", "dev", "cgroup", or the programs'
    own "hooks". ConfigError for options that contradict each other."""
    given = [name for name in SOURCES if options[name] is not None]
    if len(given) > 1:
        raise ConfigError(f"--{given[0]} and --{given[1]} are two things to run on; choose one")
    source = given[0] if given else "hooks"
    where = str(options["on"] or ("machine" if source == "pcap" else "linux"))
    if where == "machine" and source != "pcap":
        what = {"dev": "an interface", "cgroup": "a control group"}.get(source)
        raise ConfigError(f"--{source} is {what} of the kernel; on the machine, use --pcap"
                          if what else SAY_WHAT)  # fmt: skip
    for needed, names in ONLY.items():
        for name in names:
            if options[name] is not None and needed not in (source, where):
                way = f"--{needed}" if needed in SOURCES else f"--on {needed}"
                raise ConfigError(f"--{name} goes with {way}")
    if options["duration"] is not None and source == "pcap":
        raise ConfigError("--duration goes with --dev")
    if options["engine"] == "interpreter" and options["trust"]:
        raise ConfigError("--trust is about compiled code; the interpreter always checks")
    if options["out"] == "-" and options["as_json"]:
        raise ConfigError("--out - and --json both want standard output; give one a file")
    return where, source


SOURCES = ("pcap", "dev", "cgroup")
SAY_WHAT = "say what to run on: --pcap IN for a capture, or --dev IF for live packets"


def choose(spec: ObjectSpec, name: str | None, where: str, source: str) -> list[str]:
    """The programs to run: one, or all of those that attach by themselves or to a control group."""
    fit = [p.name for p in spec.programs.values() if _unfit(p, where, source) is None]
    if source in ("hooks", "cgroup") and name is None and fit:
        return fit
    if source == "hooks" and name is None:
        cgroup = any("cgroup" in p.hook for p in spec.programs.values())
        raise ConfigError(SAY_WHAT + ", --cgroup PATH for a control group" * cgroup)
    program = choose_program(spec, name, hooks_for(where, source))
    reason = _unfit(program, where, source)
    if reason:
        kinds = ", ".join(hooks_for(where, source))
        raise ConfigError(
            f"program {program.name} is of the kind {program.hook}: {reason}"
            f" (what can be run here: {kinds})"
        )
    return [program.name]


def hooks_for(where: str, source: str) -> list[str]:
    """The hooks whose programs can be run there."""
    from ebee.hooks import all_hooks

    return [h.name for h in all_hooks() if _hook_unfit(h, where, source) is None]


def _unfit(program: ProgramSpec, where: str, source: str) -> str | None:
    """Why a program cannot be run there."""
    from ebee import hooks

    hook = hooks.by_name(program.hook)
    if hook is None:
        return f"there is no hook {program.hook!r}"
    if source == "hooks":
        try:
            from ebee.linux.attach import automatic
        except ImportError:
            return "there is no Linux here"
        return None if automatic(program) else "its section does not say where to attach it"
    return _hook_unfit(hook, where, source)


def _hook_unfit(hook: Hook, where: str, source: str) -> str | None:
    """Why programs of a hook cannot be run there."""
    if source == "cgroup":
        return None if hook.attach == "cgroup" else "they are not attached to control groups"
    if source == "hooks":
        return None
    if hook.context not in PACKETS:
        return "they are not run on packets"
    if where == "machine" and hook.block is None:
        return "the machine does not run them yet"
    if source == "dev" and hook.attach not in ("netdev", "tc"):
        return "they are not attached to an interface"
    return None
