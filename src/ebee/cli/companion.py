"""A program's companion: a Python module beside its source that knows what its maps mean.

For `firewall.c` it is `firewall_rules.py`. All of its parts are optional:

    class RuleFile:                   # --config: rules that may change while the program runs
        def __init__(self, path): ...
        def update(self, maps): ...   # apply if new or changed; what changed, or None
    def tables(maps, top): ...        # (title, columns, rows) to show at the end
    def event_line(event): ...        # one line of text for an event

Without one, `--config` is refused, maps are shown as they are, and events as their members.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from types import ModuleType
from typing import TYPE_CHECKING, Any

from ebee.cli import report
from ebee.errors import ConfigError, EbeeError

if TYPE_CHECKING:
    from ebee.obj.handles import Object

Table = tuple[str, tuple[str, ...], list[tuple[Any, ...]]]

SHOWN = ("hash", "lru_hash", "percpu_hash", "lru_percpu_hash", "percpu_array", "array", "lpm_trie")


class Companion:
    """What a companion module offers, with defaults for what it does not."""

    def __init__(self, module: ModuleType | None, config: str | None):
        self.module: Any = module
        self.config = config
        self.rules: Any = None
        self._complaint = ""
        self.renew()

    @classmethod
    def of(cls, source: str, config: str | None) -> Companion:
        """The companion of a source file; ConfigError when rules are given that nobody reads."""
        folder, name = os.path.split(source)
        path = os.path.join(folder, f"{name.partition('.')[0]}_rules.py")
        module = _load(path) if os.path.isfile(path) else None
        rule_file = getattr(module, "RuleFile", None)
        if config is not None and rule_file is None:
            raise ConfigError(f"--config {config}: there is no {path} with a RuleFile to read it")
        return cls(module, config)

    def renew(self) -> None:
        """Forget what has been applied: the next update applies the rules to whatever maps."""
        if self.config is not None:
            with self._blamed():
                self.rules = self.module.RuleFile(self.config)

    def update(self, maps: Mapping[str, Any]) -> Any:
        """Apply the rules if they are new or have changed: what changed, else None."""
        with self._blamed():
            return self.rules.update(maps) if self.rules is not None else None

    def follow(self, maps: Mapping[str, Any]) -> None:
        """The same while the program runs: rules that cannot be taken over are complained about,
        once, and those in force stay."""
        try:
            changes, complaint = self.update(maps), ""
        except EbeeError as error:
            changes, complaint = None, str(error)
        if complaint and complaint != self._complaint:
            report.warn(f"{complaint}\nthe rules in force stay as they are")
        elif changes is not None:
            report.warn(f"the rules have changed: {report.compact(changes).strip('{}')}")
        if complaint or changes is not None:
            self._complaint = complaint

    def event_line(self, event: Any) -> str:
        """One line for an event."""
        if hasattr(self.module, "event_line") and not isinstance(event, bytes):
            with self._blamed():
                return str(self.module.event_line(event))
        return report.compact(event)

    def tables(self, loaded: Object, top: int) -> list[Table]:
        """What to show of the maps."""
        if hasattr(self.module, "tables"):
            with self._blamed():
                return list(self.module.tables(loaded.maps, top))
        return [
            (f"Map {name}: {title}", ("key", "value"), rows)
            for name, m in loaded.maps.items()
            if loaded.spec.maps[name].type in SHOWN and loaded.spec.maps[name].data is None
            for rows, title in [_largest(m, top)]
            if rows
        ]

    def _blamed(self) -> AbstractContextManager[None]:
        return _blamed(str(getattr(self.module, "__file__", "")))


@contextmanager
def _blamed(path: str) -> Iterator[None]:
    """A companion that fails is named with its line; errors of ebee's are passed on."""
    try:
        yield
    except EbeeError:
        raise
    except Exception as error:
        from traceback import extract_tb

        frames = [f for f in extract_tb(error.__traceback__) if f.filename == path]
        line = f", line {frames[-1].lineno}" if frames else ""
        raise ConfigError(f"{path}{line}: {type(error).__name__}: {error}") from error


def _load(path: str) -> ModuleType:
    name = os.path.splitext(os.path.basename(path))[0]
    found = importlib.util.spec_from_file_location(name, path)
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    sys.modules[name] = module  # where dataclasses look for their module
    with _blamed(path):
        found.loader.exec_module(module)
    return module


def _weight(value: Any) -> float:
    """How large a value is: its first number, or the sum of a per-CPU one."""
    if isinstance(value, int | float):
        return float(value)
    if isinstance(value, list | tuple):
        return sum(map(_weight, value))
    if isinstance(value, bytes | str):
        return 0.0
    members = value.values() if hasattr(value, "values") else ()
    return next((_weight(m) for m in members), 0.0)


def _largest(m: Any, top: int) -> tuple[list[tuple[Any, ...]], str]:
    """The elements with the largest values that are not zero, and how many of how many they are."""
    found = []
    for key, value in m.items():
        try:
            total = value.sum() if m.per_cpu else value
        except TypeError:  # no numbers
            total = value
        if _weight(total):
            found.append((key, total))
    found.sort(key=lambda kv: _weight(kv[1]), reverse=True)
    rows = [(_shown(k), _shown(v)) for k, v in found[:top]]
    return rows, f"the {len(rows)} largest of {len(found):,}" if len(found) > top else m.type


def _shown(value: Any) -> Any:
    return value if isinstance(value, int) else report.compact(value)
