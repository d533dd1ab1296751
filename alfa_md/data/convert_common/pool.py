"""One function over many inputs in several processes, which end with the process that began them."""

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import active_children, get_context, parent_process
from multiprocessing.connection import wait
from threading import Thread
from typing import Any

from alfa_md.errors import UserError

_function: Callable[[Any], Any] | None = None  # of this process, if it is a worker


def map_in_processes(function: Callable[[Any], Any], inputs: Sequence[Any], workers: int) -> Iterator[Any]:
    """The results in the order in which they come; with one worker in this process, and in order.

    `function` is pickled once for each worker. What it raises is raised here, and the workers are ended. Raises
    UserError where a worker is killed.
    """
    if workers == 1 or len(inputs) < 2:
        yield from map(function, inputs)
        return
    # Fresh processes: a fork of one with threads (tf.data's, PyTorch's) may hang.
    pool = ProcessPoolExecutor(min(workers, len(inputs)), get_context("spawn"), _begin, (function,))
    try:
        for future in as_completed([pool.submit(_call, value) for value in inputs]):
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
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches every process; the first one decides
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A worker whose parent was killed would wait for work for ever."""
    wait([parent_process().sentinel])
    os._exit(1)


def _call(value: Any) -> Any:
    return _function(value)
