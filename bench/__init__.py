"""Ratios to other engines, measured in one run: `python -m bench`. See docs/benchmarks.md."""
