"""A folder that is published as a tar archive, read unpacked or packed."""

import gzip
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple

from alfa_md.data.images.image_files import visible_files
from alfa_md.errors import UserError

LIMIT = 250_000_000  # bytes of a file; the largest one, of CIFAR-100, has 155 million
BROKEN = (OSError, EOFError, KeyError, AttributeError, tarfile.TarError, zlib.error)


class PackedFolder(NamedTuple):
    """The names of a folder and of the archive that holds it; a `place` is the path of one of the two."""

    folder: str
    packed: str

    def find(self, *folders: Path) -> Path | None:
        """The place in one of `folders`, unpacked if it is in both forms; None if there is none."""
        places = [folder / name for name in self for folder in folders]
        return next((place for place in places if place.exists()), None)

    def read(self, place: Path, name: str) -> bytes:
        """The content of a file. Raises UserError naming it if it is missing, damaged or larger than LIMIT."""
        try:
            if place.is_dir():
                _refuse_large((place / name).stat().st_size)
                return (place / name).read_bytes()
            with _open_tar(place) as packed:
                member = packed.getmember(f"{self.folder}/{name}")
                _refuse_large(member.size)
                return packed.extractfile(member).read()
        except FileNotFoundError as error:
            raise UserError(f"{place / name}: is missing; unpack {self.packed} again") from error
        except BROKEN as error:
            line = f"{place}: {name} cannot be read from it ({error}); download {self.packed} again"
            raise UserError(line) from error

    def names(self, place: Path) -> list[str]:
        """The sorted names of the visible files at a place. Raises UserError for a damaged archive."""
        if place.is_dir():
            return sorted(visible_files(place))
        try:
            with _open_tar(place) as packed:
                files = [member.name.removeprefix(f"{self.folder}/") for member in packed if member.isfile()]
        except BROKEN as error:
            raise UserError(f"{place}: cannot be read ({error}); download it again") from error
        return sorted(files)


@contextmanager
def _open_tar(place: Path) -> Iterator[tarfile.TarFile]:
    """The tar archive at `place`, compressed by gzip or not."""
    with place.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    with gzip.open(place, "rb") if packed else place.open("rb") as file, tarfile.open(fileobj=_SmallReads(file)) as tar:
        yield tar


def _refuse_large(size: int) -> None:
    if size > LIMIT:
        raise OSError(f"it claims {size} bytes, more than {LIMIT}")


class _SmallReads:
    """A file of which no read takes more than LIMIT: tarfile takes headers at once, of whatever size they claim."""

    def __init__(self, file: BinaryIO) -> None:
        self.seek, self.tell, self._read = file.seek, file.tell, file.read

    def read(self, size: int) -> bytes:
        if size > LIMIT:
            raise OSError(f"a header claims {size} bytes")
        return self._read(size)
