"""C source -> ObjectSpec: clang from a wheel or the system, with ebee's own headers."""

from ebee.clang.compiler import Compiled, Options, build, compile
from ebee.clang.toolchain import Toolchain, find

__all__ = ["Compiled", "Options", "Toolchain", "build", "compile", "find"]
