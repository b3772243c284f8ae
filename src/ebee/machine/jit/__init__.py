"""The JIT: bytecode to LLVM IR to host code, with map operations and helpers compiled along."""
