"""The only place that knows numba.

A kernel is written once, as loops over arrays that are also plain Python, and `@kernel` compiles it
when the extra `fast` is installed. Without it callers use their numpy form; both must agree to the
last bit, and a test compares them. Nothing is imported before the first call, so that `--help` and
numpy-only installs never pay for it, and a read-only file system only costs the on-disk cache.
This module must not hold any kernel itself.
"""

from __future__ import annotations

import importlib
import importlib.util
from typing import TYPE_CHECKING, Generic, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Kernel", "is_available", "kernel"]

P = ParamSpec("P")
R = TypeVar("R")


def is_available() -> bool:
    """Whether the extra `fast` is installed."""
    return importlib.util.find_spec("numba") is not None


class Kernel(Generic[P, R]):
    """A loop over arrays that is compiled on first use."""

    __slots__ = ("_compiled", "source")

    def __init__(self, source: Callable[P, R]) -> None:
        self.source = source
        self._compiled: Callable[P, R] | None = None

    @property
    def compiled(self) -> Callable[P, R]:
        """The compiled function; hold on to it in a loop, it is faster than calling the kernel."""
        if self._compiled is None:
            self._compiled = _compile(self.source)
        return self._compiled

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call the compiled function."""
        return self.compiled(*args, **kwargs)


def kernel(source: Callable[P, R]) -> Kernel[P, R]:
    """Mark a function as a kernel. It may use numbers, arrays and loops, nothing else."""
    return Kernel(source)


def _compile(source: Callable[P, R]) -> Callable[P, R]:
    numba = importlib.import_module("numba")
    try:
        # cache=True keeps the 3 s of compilation on disk, beside the source or in the user's cache.
        compiled: Callable[P, R] = numba.njit(cache=True, nogil=True)(source)
    except RuntimeError:  # numba: "no locator available", i.e. no writable place for the cache
        compiled = numba.njit(nogil=True)(source)
    return compiled
