"""Events of a loaded object: the records of its ring buffers, typed where BTF says how."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ebee.errors import BtfError

if TYPE_CHECKING:
    from ebee.obj.handles import Object
    from ebee.obj.spec import MapSpec, ObjectSpec


def event_type(spec: ObjectSpec, ring: MapSpec) -> int:
    """BTF id of a ring buffer's records, 0 when the object does not tell.

    It is the map's declared value type, or what a global pointer `<map>_type` or `event_type`
    points to: the usual way to keep a type in BTF that only a ring buffer carries.
    """
    if ring.value_btf_id or spec.btf is None:
        return ring.value_btf_id
    from ebee.btf import Ptr

    for name in (f"{ring.name}_type", f"{ring.name.removesuffix('s')}_type", "event_type"):
        variable = spec.variables.get(name)
        if variable is not None and variable.btf_id:
            found = spec.btf.resolve(variable.btf_id)
            if isinstance(found, Ptr):
                return found.type
    return 0


class EventReader:
    """The records of one ring buffer, decoded."""

    def __init__(self, loaded: Object, name: str):
        self.name = name
        self.ring: Any = loaded.ring_buffer(name)  # type: ignore[attr-defined]
        spec = loaded.spec
        self.codec = None
        found = event_type(spec, spec.maps[name])
        if found and spec.btf is not None:
            from ebee.btf.codec import Codec

            self.codec = Codec(spec.btf, found)

    @classmethod
    def all(cls, loaded: Object) -> list[EventReader]:
        """A reader for each ring buffer of the object."""
        return [cls(loaded, n) for n, m in loaded.spec.maps.items() if m.type == "ringbuf"]

    def read(self, most: int | None = None) -> tuple[list[Any], int]:
        """The first `most` (None: all) of the records that are there, and how many there were;
        bytes where the type is not known or does not fit. The others are not even copied."""
        found: list[Any] = []
        count = 0
        for record in self.ring.drain():
            count += 1
            if most is None or len(found) < most:
                found.append(self._decode(bytes(record)))
        return found, count

    def _decode(self, record: bytes) -> Any:
        if self.codec is None:
            return record
        try:
            return self.codec.decode_from(record)
        except BtfError:
            return record
