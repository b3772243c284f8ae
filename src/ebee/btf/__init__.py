"""BTF: the types of kernels, modules and BPF objects.

`Btf` reads (lazily), `BtfBuilder` writes; `ebee.btf.codec` turns bytes into Python values and
back, `ebee.btf.ext` handles .BTF.ext, `ebee.btf.printer` prints C, `ebee.btf.core` relocates.
"""

from ebee.btf.builder import BtfBuilder as BtfBuilder
from ebee.btf.reader import Btf as Btf
from ebee.btf.types import *  # noqa: F403
