"""Symbols: what lies at an address of the kernel or of a process, and where a name is."""
