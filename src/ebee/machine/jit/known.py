"""Maps as constant objects: what compiled code folds of them, and the symbols it refers to."""

from ebee.lang.known import Known
from ebee.machine.map_state import MapState
from ebee.types import PtrType, fields


def known_map(name: str, m: MapState) -> tuple[Known, dict[str, int]]:
    """A map as a constant object, and the addresses of its symbols."""
    addresses = {name: m.address}
    pointers = {}
    for member, field in fields(m.ops.State).items():
        if isinstance(field.type, PtrType) or getattr(field.type, "__origin__", None):
            pointers[member] = f"{name}.{member}"
            addresses[pointers[member]] = int(getattr(m.state, member))
    return Known.read(m.state, name, pointers), addresses
