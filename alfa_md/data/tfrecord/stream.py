"""Thread-safe iteration over an endless tf.data pipeline."""

from collections.abc import Callable
from threading import Lock
from typing import Any

from alfa_md.data.tfrecord.runtime import tensorflow
from alfa_md.errors import UserError
from alfa_md.system.allocator import keep_freed_pages


class Stream:
    """The elements of an endless tf.data pipeline; thread-safe.

    `make_pipeline` is called on the first access with the index of the element, since a pipeline opens every class
    file.
    """

    def __init__(self, make_pipeline: Callable[[int], Any], where: str):
        self._make_pipeline, self._where = make_pipeline, where
        self._iterator = None
        self._lock = Lock()

    def next(self, index: int) -> Any:
        """The next element, whatever the index. Raises UserError if TensorFlow fails to produce it."""
        with self._lock:
            try:
                return next(self._iterator) if self._iterator else self._first(index)
            except StopIteration as error:
                raise self._failure("there are no more records") from error
            except UnicodeDecodeError as error:  # TensorFlow's own message, quoting the bytes of the record
                raise self._failure("a record is not a tf.train.Example with an image") from error
            except tensorflow().errors.OpError as error:
                raise self._failure(error.message.partition("\n")[0]) from error

    def _first(self, index: int) -> Any:
        self._iterator = iter(self._make_pipeline(index))
        first = next(self._iterator)
        keep_freed_pages()  # generators in tf.data lower glibc's mmap threshold: page faults for large tensors
        return first

    def _failure(self, reason: str) -> UserError:
        return UserError(
            f"{self._where}: the official reader failed ({reason}); check the class files, and `ulimit -n`: it keeps "
            "one file open for every class"
        )
