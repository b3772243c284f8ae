"""The errors of ebee: every failure that bad input or a missing means can cause is one of these.

An error's text is for the person at the keyboard: what was being done, to what, why it failed,
and where known what to do. The first line stands alone; detail follows on further lines.
"""


class EbeeError(Exception):
    """The base of all errors that ebee raises on purpose."""

    @property
    def summary(self) -> str:
        """The first line of the message."""
        return str(self).split("\n", 1)[0]


class AsmError(EbeeError):
    """Assembly text or instruction bytes that are no valid eBPF."""


class BtfError(EbeeError):
    """BTF that is damaged, or a type that is not there."""


class ObjectError(EbeeError):
    """An object file that is damaged, foreign, or asks for something unknown."""


class UnknownNameError(ObjectError, KeyError):
    """An object has no map, program, ... of that name; a KeyError, for it is asked like a dict."""

    __str__ = Exception.__str__  # KeyError's puts quotes around the message


class CompileError(EbeeError):
    """Source that does not compile; carries the compiler's own diagnostics."""


class CaptureError(EbeeError):
    """A packet capture that is damaged or of an unknown format."""


class MachineError(EbeeError):
    """The user-space machine cannot do what was asked (set-up, not a program's own fault)."""


class KernelError(EbeeError):
    """The kernel refused a request; `errno` is its error number, 0 when there is none."""

    def __init__(self, message: str, errno: int = 0):
        super().__init__(message)
        self.errno = errno


class VerifierError(KernelError):
    """The kernel's verifier rejected a program; `log` is its whole log."""

    def __init__(self, message: str, errno: int = 0, log: str = ""):
        super().__init__(message, errno)
        self.log = log


class ConfigError(EbeeError):
    """A configuration file or option that makes no sense."""
