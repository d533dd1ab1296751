"""Parallel map over processes that end with their parent process."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import active_children, get_context, parent_process
from multiprocessing.connection import wait
from threading import Thread
from typing import Any

from alfa_md.errors import UserError
from alfa_md.system.interruption import without_ctrl_c

_function: Callable[[Any], Any] | None = None  # set in worker processes


def map_in_processes(function: Callable[[Any], Any], inputs: Sequence[Any], workers: int) -> Iterator[Any]:
    """Results of `function` over `inputs`, as they complete; with one worker in this process, in order.

    `function` is pickled once per worker. Its exceptions are raised here and end the workers. Raises UserError if a
    worker is killed.
    """
    if workers == 1 or len(inputs) < 2:
        yield from map(function, inputs)
        return
    # Spawned, because forking a process with threads (tf.data, PyTorch) may deadlock.
    pool = ProcessPoolExecutor(min(workers, len(inputs)), get_context("spawn"), _begin, (function,))
    try:
        with without_ctrl_c():  # the first submission starts the workers
            calls = [pool.submit(_call, value) for value in inputs]
        for future in as_completed(calls):
            yield future.result()
    except BrokenProcessPool as error:
        raise UserError("a worker process was killed, perhaps for want of memory; use fewer --workers") from error
    except BaseException:
        for child in active_children():
            child.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _begin(function: Callable[[Any], Any]) -> None:
    global _function
    _function = function
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """End this worker when its parent ends; it would wait for work forever."""
    wait([parent_process().sentinel])
    os._exit(1)


def _call(value: Any) -> Any:
    return _function(value)
