"""Restricted Python to LLVM IR and machine code: one front end, for the host and for BPF."""
