"""What the ports share: the programs of the test's file, loaded; what a kernel lacks is skipped."""

import os
import re
import sys
from contextlib import ExitStack
from functools import cache

import pytest

from ebee import linux, maps
from ebee.btf import Btf, Func
from ebee.lang.bpf import build
from ebee.linux.errors import older_than


class Port(pytest.Module):
    """A file of which nothing is run, not even its imports, where the kernel is too old for it."""

    def collect(self):
        since = re.search(r'^SINCE = "(.*)"', self.path.read_text(), re.MULTILINE)
        if sys.platform == "linux" and older_than(since[1]):
            pytest.skip(f"requires Linux >= {since[1]}", allow_module_level=True)
        return super().collect()


def pytest_pycollect_makemodule(module_path, parent):
    return Port.from_parent(parent, path=module_path)


@cache
def compiled(module):
    return build.compile(module)


@cache
def has_function(name):
    """Whether programs find this function in the kernel's types."""
    return any(isinstance(t, Func) for t in Btf.vmlinux().find_all(name))


@pytest.fixture
def needs_all(needs):
    """Skip where the kernel lacks a hook, map or function that some programs of a spec need."""

    def check(spec, programs):
        for name in programs:
            needs(spec.programs[name].hook)
        for m in spec.maps.values():
            since = maps.by_name(m.type).since
            if older_than(since):
                pytest.skip(f"{m.type} requires Linux >= {since}")
        for name, extern in spec.externs.items():
            if extern.kind == "kfunc" and not extern.weak and not has_function(name):
                pytest.skip(f"this kernel has no {name}()")

    return check


@pytest.fixture
def port(request, needs_all):
    """Load the programs of the test's file: all of them or those named, with these values of
    variables; until the test ends."""
    with ExitStack() as stack:

        def load(*programs, targets=None, **variables):
            spec = compiled(request.module).copy()
            for name, value in variables.items():
                spec.variables[name] = value
            needs_all(spec, programs or spec.programs)
            loaded = linux.load(spec, programs=programs or None, targets=targets)
            return stack.enter_context(loaded)

        yield load


@pytest.fixture
def me():
    """The process of the test."""
    return os.getpid()
