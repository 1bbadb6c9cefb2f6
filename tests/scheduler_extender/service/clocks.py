"""The clocks of one process, to be stepped from outside while it runs.

A small library, compiled here and loaded before libc, adds to what the process reads: a step of the
wall clock is somebody setting it, a step of the boot clock is a machine that was suspended, which
the monotonic clock does not show. No other process and no clock of the machine is touched.
"""

from __future__ import annotations

import shutil
import struct
import subprocess
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Clocks"]

NS_PER_S = 1_000_000_000
SOURCE = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>

static volatile int64_t *steps; /* nanoseconds: wall, boot */

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("STEPPED_CLOCKS");
    int file = path ? open(path, O_RDONLY) : -1;
    void *map = file < 0 ? MAP_FAILED : mmap(0, 16, PROT_READ, MAP_SHARED, file, 0);
    steps = map == MAP_FAILED ? 0 : map;
}

static int read_clock(clockid_t id, struct timespec *at) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    return real(id, at);
}

int clock_gettime(clockid_t id, struct timespec *at) {
    int failed = read_clock(id, at);
    int wall = id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE;
    if (failed || !steps || !(wall || id == CLOCK_BOOTTIME)) return failed;
    int64_t ns = at->tv_sec * 1000000000LL + at->tv_nsec + steps[wall ? 0 : 1];
    at->tv_sec = ns / 1000000000LL;
    at->tv_nsec = ns % 1000000000LL;
    return 0;
}

int gettimeofday(struct timeval *at, void *zone) {
    struct timespec now;
    (void)zone;
    if (clock_gettime(CLOCK_REALTIME, &now)) return -1;
    at->tv_sec = now.tv_sec;
    at->tv_usec = now.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *at) {
    struct timespec now;
    if (clock_gettime(CLOCK_REALTIME, &now)) return -1;
    if (at) *at = now.tv_sec;
    return now.tv_sec;
}
"""


class Clocks:
    """How far the clocks of a process are off; `environment` is what it has to be started with."""

    def __init__(self, folder: Path) -> None:
        compiler = shutil.which("cc")
        if compiler is None:
            pytest.skip("there is no C compiler (cc) to make clocks that can be stepped")
        source, library = folder / "clocks.c", folder / "clocks.so"
        source.write_text(SOURCE, encoding="utf-8")
        subprocess.run(
            [compiler, "-shared", "-fPIC", "-O1", "-o", str(library), str(source), "-ldl"],
            check=True,
            timeout=60,
        )
        self._file = folder / "steps"
        self.step(wall_s=0, boot_s=0)
        self.environment = {"LD_PRELOAD": str(library), "STEPPED_CLOCKS": str(self._file)}

    def step(self, *, wall_s: float = 0.0, boot_s: float = 0.0) -> None:
        """From now on the clocks are this far from those of the machine."""
        steps = struct.pack("qq", round(wall_s * NS_PER_S), round(boot_s * NS_PER_S))
        with self._file.open("r+b" if self._file.exists() else "wb") as file:
            file.write(steps)
