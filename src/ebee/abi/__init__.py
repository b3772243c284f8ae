"""Layouts that compiled code, machine and maps share, as data: one struct per file."""
