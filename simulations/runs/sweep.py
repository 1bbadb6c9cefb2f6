"""Runs many independent tasks on any `concurrent.futures.Executor`, in order, with progress.

Results come back in the order of the tasks, so nothing that is written depends on how many workers
there were. A sweep beyond one machine needs no code here: pass Dask's `Client.get_executor()`.
This module must not know what a task does.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TypeVar

from gpu_fleet.errors import InputError
from service_runtime import interrupts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from concurrent.futures import Executor

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
        with interrupts.held_back():
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
    with interrupts.remembered() as interrupted:
        for task in tasks:
            results.append(run(task))
            if interrupted():
                raise KeyboardInterrupt
            done()
    return results


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
