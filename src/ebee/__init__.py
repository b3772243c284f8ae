"""ebee: a complete eBPF system in Python.

The public names are imported on first use (PEP 562), so that `import ebee` costs next to nothing.
"""

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_PUBLIC = {
    "EbeeError": "ebee.errors",
}

if TYPE_CHECKING:
    from ebee.errors import EbeeError as EbeeError

__all__ = ["EbeeError", "__version__"]


def __getattr__(name: str) -> Any:
    module = _PUBLIC.get(name)
    if module is None:
        raise AttributeError(f"module 'ebee' has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(module), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_PUBLIC})
