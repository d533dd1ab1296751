"""Archives of torch.save, read within the bounds of the file's own size and without executing pickled code."""

import io
from collections.abc import Mapping
from contextlib import contextmanager
from pathlib import Path
from zipfile import ZIP_STORED, ZipFile

import torch
from torch import Tensor

from alfa_md.errors import UserError

ANOTHER = "use another checkpoint"


class DamagedCheckpoint(UserError):
    """A checkpoint file that cannot be read, or with a part or values that training does not write."""


def load_archive(data: bytes, path: Path) -> object:
    """What torch.save wrote to a file with these bytes. Raises DamagedCheckpoint if it is damaged or contains code."""
    with damaged_if_unreadable(path):
        with ZipFile(io.BytesIO(data)) as archive:
            refuse_inflated(archive, path, len(data))
            damaged = archive.testzip()
        if damaged is None:
            content = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
            refuse_expanded(content, path, len(data))
    if damaged is not None:
        raise DamagedCheckpoint(f"checkpoint {path} is damaged: the checksum of {damaged} does not hold")
    return content


def refuse_inflated(archive: ZipFile, path: Path, size: int) -> None:
    """Raises DamagedCheckpoint, before anything is unpacked, for parts that need more memory than the file has bytes.

    torch.save compresses nothing, so that the parts of a checkpoint lie one after another in the file as they are.
    """
    parts = archive.infolist()
    if any(part.compress_type != ZIP_STORED for part in parts) or sum(part.file_size for part in parts) > size:
        raise DamagedCheckpoint(
            f"checkpoint {path} is compressed, or claims more than its {size} bytes, which torch.save never does; "
            + ANOTHER
        )


def refuse_expanded(content: object, path: Path, size: int) -> None:
    """Raises DamagedCheckpoint for a tensor of more bytes than the file: one that repeats few values by its strides."""
    if isinstance(content, Tensor):
        if content.layout is torch.strided and content.nbytes > size:
            raise DamagedCheckpoint(
                f"checkpoint {path} claims a tensor of {list(content.shape)}, {content.nbytes} bytes, and has {size} "
                f"bytes; {ANOTHER}"
            )
    elif isinstance(content, Mapping | list | tuple):
        for value in content.values() if isinstance(content, Mapping) else content:
            refuse_expanded(value, path, size)


@contextmanager
def damaged_if_unreadable(path: Path):
    """Raises DamagedCheckpoint for any error of the block."""
    try:
        yield
    except DamagedCheckpoint:
        raise
    except Exception as error:  # a damaged file makes zipfile and torch raise nearly anything
        raise DamagedCheckpoint(f"checkpoint {path} cannot be read ({type(error).__name__}); {ANOTHER}") from error
