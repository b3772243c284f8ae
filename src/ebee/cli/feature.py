"""`ebee feature`: what the running kernel offers programs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import click

from ebee.cli import report
from ebee.errors import ConfigError

YES = {True: "yes", False: "no", None: "?"}


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME...]")
@click.option("--helpers", "helpers_of", metavar="TYPE", help="Helpers for this type of program.")
@click.option("--kfuncs", "kfuncs_of", metavar="TYPE",
              help="Kernel functions for this type; `all`: with declarations.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="One JSON document; its keys stay.")
def feature(
    names: tuple[str, ...], helpers_of: str | None, kfuncs_of: str | None, as_json: bool
) -> None:
    """Show what the running kernel offers: types of programs and maps, helpers, kernel functions,
    instructions, BTF, links, configuration, limits. Each is tried; nothing stays. Needs root.

    With NAMEs only these, wherever they are found (exit code 1 when one is not there):

    \b
    ebee feature xdp ringbuf bpf_loop bpf_task_acquire BPF_LSM

    As bpftool's: `ebee feature probe [kernel]`, and `ebee feature list_builtins GROUP`, the words
    that ebee knows: prog_types, map_types, attach_types, link_types, helpers.
    """
    from ebee.linux import inventory

    if names[:1] == ("list_builtins",):
        _show_builtins(names[1:], as_json)
        return
    if names[:1] == ("probe",):
        names = names[2:] if names[1:2] == ("kernel",) else names[1:]
    if helpers_of is not None:
        found: Any = inventory.helpers([_type(helpers_of)])
        _show_list(found[helpers_of], f"Helpers for {helpers_of} programs", as_json)
    elif kfuncs_of is not None:
        _show_kfuncs(kfuncs_of, as_json)
    elif names:
        _ask(names, as_json)
    elif as_json:
        report.print_json(inventory.document())
    else:
        _show(inventory.document())


def _show_builtins(words: tuple[str, ...], as_json: bool) -> None:
    from ebee.cli.source import nearest
    from ebee.linux import uapi

    groups = {
        "prog_types": uapi.PROG_TYPES, "map_types": uapi.MAP_TYPES, "link_types": uapi.LINK_TYPES,
        "attach_types": uapi.ATTACH_TYPES, "helpers": {f"bpf_{name}": 0 for name in uapi.HELPERS},
    }  # fmt: skip
    if len(words) != 1 or words[0] not in groups:
        near = nearest(words[0], groups) if words else ""
        raise ConfigError(f"list_builtins takes one of {', '.join(groups)}.{near}")
    names = [name for name in groups[words[0]] if not name.endswith("_deprecated")]
    if as_json:
        report.print_json(names)
    else:
        click.echo("\n".join(names))


def _type(name: str) -> str:
    from ebee.cli.source import nearest
    from ebee.linux import inventory

    known = inventory.helper_types()
    if name not in known:
        raise ConfigError(f"there is no program type {name!r} to ask about.{nearest(name, known)}"
                          f" There are: {', '.join(known)}")  # fmt: skip
    return name


def _show_list(found: list[str] | None, title: str, as_json: bool) -> None:
    if as_json:
        report.print_json(found)
    elif found is None:
        click.echo("this kernel has no such programs, or it takes more privileges to find out")
    else:
        report.show(report.heading(f"{title}: {len(found)}"))
        click.echo("\n".join(found))


def _show_kfuncs(type: str, as_json: bool) -> None:
    from ebee.linux import inventory

    declared = inventory.kfuncs()
    if type == "all":
        if as_json:
            report.print_json(declared)
        else:
            _show_list([f"{text};" for text in declared.values()], "Kernel functions", False)
        return
    answers = inventory.kfuncs_of(_type(type), declared)
    allowed = [answer.name for answer in answers if answer.ok]
    _show_list(allowed, f"Kernel functions for {type} programs", as_json)


# -- everything ------------------------------------------------------------------------------------


def _show(found: Mapping[str, Any]) -> None:
    kernel = found["kernel"]
    report.show_fields(f"Linux {kernel['release']}", {"machine": kernel["machine"]})
    report.show("")
    report.show_fields("Limits", found["limits"])
    report.show("")
    report.show_fields("Parameters", {name: str(v) for name, v in found["parameters"].items()})
    for title, key in (("Program types", "program_types"), ("Map types", "map_types"),
                       ("Features", "features")):  # fmt: skip
        _show_answers(title, found[key])
    if found["config"] is not None:
        there = [f"{n}={v}" for n, v in found["config"].items() if v]
        lacking = [n for n, v in found["config"].items() if not v]
        report.show("")
        report.show_fields(
            "Configuration", {"set": ", ".join(there), "not set": ", ".join(lacking)}
        )
    counts = [(type, len(names) if names is not None else None)
              for type, names in found["helpers"].items()]  # fmt: skip
    report.show("", report.table("Helpers", ("program type", "helpers"), counts))
    known = found["kfuncs"]
    click.echo(
        f"\n{len(known)} kernel functions for programs" if known else "\nno kernel functions"
    )
    click.echo("more: --helpers TYPE, --kfuncs TYPE, --json")


def _show_answers(title: str, answers: Mapping[str, Mapping[str, Any]]) -> None:
    there = [name for name, answer in answers.items() if answer["available"]]
    report.show("")
    report.show_fields(f"{title}: {len(there)} of {len(answers)}", {"yes": ", ".join(there)})
    for name, answer in answers.items():
        if not answer["available"]:
            click.echo(f"{YES[answer['available']]:<3}  {name}: {answer['reason']}")


# -- single ones -----------------------------------------------------------------------------------


def _ask(names: Iterable[str], as_json: bool) -> None:
    """Where each name is found, and whether it is there."""
    from ebee.linux import inventory

    made = inventory.document()
    rows = [row for name in names for row in _find(made, name)]
    if as_json:
        report.print_json(rows)
    else:
        cells = [[r["name"], r["kind"], YES[r["available"]], r["detail"]] for r in rows]
        report.show(report.table("Features", ("name", "is a", "there", ""), cells))
    raise click.exceptions.Exit(int(not all(row["available"] for row in rows)))


def _find(made: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    def row(kind: str, available: bool | None, detail: str = "") -> dict[str, Any]:
        return {"name": name, "kind": kind, "available": available, "detail": detail}

    rows = []
    for kind, key in (("program type", "program_types"), ("map type", "map_types"),
                      ("feature", "features")):  # fmt: skip
        answer = made[key].get(name)
        if answer:
            rows.append(row(kind, answer["available"], answer.get("reason") or ""))
    helper = name if name.startswith("bpf_") else f"bpf_{name}"
    types = [type for type, known in made["helpers"].items() if known and helper in known]
    if types or _is_helper(helper):
        rows.append(row("helper", bool(types), f"for {', '.join(types)}" if types else ""))
    if made["kfuncs"] and name in made["kfuncs"]:
        rows.append(row("kernel function", True, made["kfuncs"][name]))
    option = name.removeprefix("CONFIG_")
    if made["config"] is not None and option in made["config"]:
        value = made["config"][option]
        rows.append(row("option of the kernel", value is not None, value or "not set"))
    if not rows:
        from ebee.cli.source import nearest

        known = [*made["program_types"], *made["map_types"], *made["features"],
                 *(made["kfuncs"] or ()), *_helper_names()]  # fmt: skip
        raise ConfigError(f"ebee knows of no feature {name!r}.{nearest(name, known)}")
    return rows


def _helper_names() -> list[str]:
    from ebee.linux import uapi

    return [f"bpf_{name}" for name in uapi.HELPERS]


def _is_helper(name: str) -> bool:
    return name in _helper_names()
