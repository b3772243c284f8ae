"""Events of a loaded object, as `ebee run` reads them."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ebee.errors import MachineError
from ebee.obj.handles import BUFFERS

if TYPE_CHECKING:
    from ebee.obj.handles import Object


class EventReader:
    """The events of one buffer, of which only those that are shown are decoded."""

    def __init__(self, loaded: Object, name: str):
        self.name = name
        self.events = loaded.events(name)

    @classmethod
    def all(cls, loaded: Object) -> list[EventReader]:
        """A reader for each buffer of the object."""
        found = []
        for name, m in loaded.spec.maps.items():
            if m.type in BUFFERS:
                with suppress(MachineError):  # which has no such buffers
                    found.append(cls(loaded, name))
        return found

    def read(self, most: int | None = None) -> tuple[list[Any], int]:
        """The first `most` (None: all) of the events that are there, and how many there were."""
        if most is None:
            found = self.events.read()
            return found, len(found)
        return self.events.skim(most)

    def wait(self, timeout: float) -> bool:
        """Wait for an event; whether there is one."""
        return self.events.wait(timeout)
