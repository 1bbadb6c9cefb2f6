"""Runs many independent tasks on any `concurrent.futures.Executor`, in order, with progress.

Results come back in the order of the tasks, so nothing that is written depends on how many workers
there were. A sweep beyond one machine needs no code here: pass Dask's `Client.get_executor()`.
This module must not know what a task does.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TypeVar

from gpu_fleet.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from concurrent.futures import Executor
    from types import FrameType

    from simulations.runs.progress import Progress

__all__ = ["sweep", "workers"]

Task = TypeVar("Task")
Result = TypeVar("Result")

_MOST_WORKERS = 256
_MOST_CHUNKS = 32
"""Enough to keep a laptop's cores evenly busy, few enough to send a large fleet 32 times only."""


@contextmanager
def workers(count: int) -> Iterator[Executor | None]:
    """An executor with this many processes, or None for one: then tasks run in this process.

    On an interrupt the processes are ended at once; nothing that they had begun is kept.
    """
    if not 1 <= count <= _MOST_WORKERS:
        raise InputError(
            f"{count} is not possible",
            remedy=f"give 1 to {_MOST_WORKERS}; the number of cores is a good choice",
            field="--workers",
        )
    if count == 1:
        yield None
        return
    pool = ProcessPoolExecutor(
        count, mp_context=multiprocessing.get_context("spawn"), initializer=_leave_interrupts_alone
    )
    try:
        yield pool
    except BaseException:
        _end(pool)
        raise
    pool.shutdown()


def sweep(
    run: Callable[[Task], Result],
    tasks: Sequence[Task],
    executor: Executor | None,
    progress: Progress,
) -> list[Result]:
    """`run` every task and return the results in the order of the tasks."""
    with progress.over(len(tasks)) as done:
        if executor is None:
            return _one_by_one(run, tasks, done)
        chunks = _chunks(tasks)
        with _interrupts_held_back():
            futures = {executor.submit(_run_all, run, chunk): len(chunk) for chunk in chunks}
        for future in as_completed(futures):
            future.result()
            for _ in range(futures[future]):
                done()
        return [result for future in futures for result in future.result()]


def _chunks(tasks: Sequence[Task]) -> list[Sequence[Task]]:
    """Tasks in chunks: tasks of a sweep share a fleet and a workload, which are then sent once."""
    size = -(-len(tasks) // _MOST_CHUNKS)
    return [tasks[start : start + size] for start in range(0, len(tasks), max(1, size))]


def _run_all(run: Callable[[Task], Result], tasks: Sequence[Task]) -> list[Result]:
    return [run(task) for task in tasks]


def _one_by_one(
    run: Callable[[Task], Result], tasks: Sequence[Task], done: Callable[[], None]
) -> list[Result]:
    results = []
    with _interrupts_remembered() as interrupted:
        for task in tasks:
            results.append(run(task))
            if interrupted():
                raise KeyboardInterrupt
            done()
    return results


@contextmanager
def _interrupts_remembered() -> Iterator[Callable[[], bool]]:
    """Ctrl-C interrupts as ever, and is remembered too.

    Python drops an exception that is raised while C calls back into it, as a compiler does; then
    the run would go on and print a trace of it. Yields what tells whether there was a Ctrl-C.
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    seen = threading.Event()

    def note(number: int, frame: FrameType | None) -> None:
        seen.set()
        signal.default_int_handler(number, frame)

    def unraisable(dropped: sys.UnraisableHookArgs) -> None:
        if dropped.exc_type is not KeyboardInterrupt:
            hook(dropped)

    hook, sys.unraisablehook = sys.unraisablehook, unraisable
    before = signal.signal(signal.SIGINT, note)
    try:
        yield seen.is_set
    finally:
        signal.signal(signal.SIGINT, before)
        sys.unraisablehook = hook


@contextmanager
def _interrupts_held_back() -> Iterator[None]:
    """Ctrl-C waits until the block is left.

    A pool starts its processes when it is given work. They inherit the mask, so a Ctrl-C while they
    import, before they can leave interrupts alone, makes them print no traceback. The mask holds
    for this thread only; a Ctrl-C that another thread receives still runs our handler here, in the
    middle of starting a process, so the handler only takes note.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    seen = threading.Event()
    handler = signal.signal(signal.SIGINT, lambda _number, _frame: seen.set())
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        signal.signal(signal.SIGINT, handler)
    if seen.is_set():
        raise KeyboardInterrupt


def _leave_interrupts_alone() -> None:
    """Ctrl-C reaches the whole process group; only the parent answers it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _end(pool: ProcessPoolExecutor) -> None:
    processes = list((pool._processes or {}).values())  # noqa: SLF001 - terminate_workers is 3.14's
    tasks = pool._call_queue  # type: ignore[attr-defined]  # noqa: SLF001
    for process in processes:
        process.terminate()
    # A task larger than a pipe may be on its way to a worker that is gone, and the interpreter
    # waits for its sender (cpython gh-94777): somebody must take it out of the pipe.
    drain = threading.Thread(target=_drain, args=(tasks._reader.fileno(),), daemon=True)  # noqa: SLF001
    drain.start()
    pool.shutdown(wait=False, cancel_futures=True)


def _drain(descriptor: int) -> None:
    """Read and drop until the other end is closed."""
    with suppress(OSError):
        while os.read(descriptor, 1 << 16):
            pass
