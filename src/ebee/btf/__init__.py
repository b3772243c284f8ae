"""BTF: the types of kernels, modules and BPF objects.

btf = Btf.vmlinux()                              # lazily: a type costs what it takes
btf.find("task_struct", Struct).size

types       the kinds of types, as small values; references and remap
reader      Btf: types by id and name, sizes, resolve; split BTF; both byte orders
builder     BtfBuilder: types in, bytes out; copies between BTFs
static      BTF of the static types of ebee.types
dedup       dedup: what is the same becomes one
validate    all that the kernel checks
codec       Codec: bytes to Python values and back
ext         BtfExt: .BTF.ext (functions, lines, CO-RE relocations)
core        Relocator, patch: CO-RE
printer     c, definition, declare: C
view        view: a struct with offsets, sizes and holes
files       BTF in files, ELF, what the kernel publishes, what comes with ebee
target      which of them programs are relocated against
"""

from ebee.btf.builder import BtfBuilder as BtfBuilder
from ebee.btf.reader import Btf as Btf
from ebee.btf.types import *  # noqa: F403
