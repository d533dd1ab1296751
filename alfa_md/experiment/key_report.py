"""The comparison of tensors from a file of another library with those of a backbone, by name and shape."""

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from torch import Tensor

from alfa_md.errors import escape_controls

WRAPPERS = ("module.", "_orig_mod.")  # of DataParallel and torch.compile
AVERAGES = ("running_mean", "running_var", "num_batches_tracked")  # of batch normalisation, which is episodic here
DEEPEST = 6  # names before those of the backbone, as in model.backbone.vit
SHOWN = 4  # names of each kind in a line


class KeyReport(NamedTuple):
    """What a file gives to a backbone of `of` tensors.

    Attributes:
      taken: tensors by the names of the backbone.
      of: number of tensors of the backbone.
      share: of the backbone's values, that are in `taken`.
      missing: names of the backbone that the file lacks.
      unexpected: names of the file that the backbone lacks.
      shapes: names of the backbone that the file has in another shape, with both shapes.
      averages: number of running averages in the file, which are left out.
    """

    taken: dict[str, Tensor]
    of: int
    share: float
    missing: tuple[str, ...]
    unexpected: tuple[str, ...]
    shapes: tuple[str, ...]
    averages: int

    @property
    def percent(self) -> str:
        """The share in percent, rounded down."""
        return f"{math.floor(1e4 * self.share) / 100:g} %"

    def lines(self) -> Iterator[str]:
        """Yields a few lines: the counts, then what is not as expected."""
        yield f"{len(self.taken)} of {self.of} tensors taken, {self.percent} of the backbone's values"
        kinds = {"not in the file": self.missing, "not in the backbone": self.unexpected, "other shape": self.shapes}
        yield from (f"  {kind}: {shortened(names)}" for kind, names in kinds.items() if names)
        if self.averages:
            yield f"  left out: {self.averages} running averages of batch normalisation"

    def facts(self) -> dict:
        """The report as plain values, for run.json."""
        counts = {"taken": len(self.taken), "of": self.of, "share": self.share, "running_averages": self.averages}
        return counts | {"missing": self.missing, "unexpected": self.unexpected, "shapes": self.shapes}


def compare(own: Mapping[str, Tensor], given: Mapping[str, Tensor]) -> KeyReport:
    """The report about `given` tensors for a backbone with `own` ones.

    Names may begin with others, as in `module.backbone.conv1.weight`: those under which most values fit are cut off,
    and so is what all names of the backbone begin with.
    """
    inside = _common_prefix(own)
    ours = {name.removeprefix(inside): tensor for name, tensor in own.items()}
    prefix = _best_prefix(ours, given)
    theirs = {name.removeprefix(prefix): tensor for name, tensor in given.items() if name.startswith(prefix)}
    fitting = {name: theirs[name] for name, tensor in ours.items() if name in theirs and _fits(theirs[name], tensor)}
    shapes = [
        f"{inside}{name} {_form(theirs[name])} in the file, {_form(tensor)} in the backbone"
        for name, tensor in ours.items()
        if name in theirs and name not in fitting
    ]
    strange = [name for name in given if not name.startswith(prefix) or name.removeprefix(prefix) not in ours]
    averages = [name for name in strange if name.endswith(AVERAGES)]
    values = sum(ours[name].numel() for name in fitting) / max(sum(tensor.numel() for tensor in ours.values()), 1)
    return KeyReport(
        {f"{inside}{name}": tensor for name, tensor in fitting.items()},
        len(ours),
        values,
        tuple(f"{inside}{name}" for name in ours if name not in theirs),
        tuple(escape_controls(name) for name in sorted(strange) if name not in averages),
        tuple(shapes),
        len(averages),
    )


def unwrapped(tensors: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    """The tensors without a wrapper's name, such as `module.`, at the beginning of all names."""
    for wrapper in WRAPPERS:
        if tensors and all(name.startswith(wrapper) for name in tensors):
            return unwrapped({name.removeprefix(wrapper): tensor for name, tensor in tensors.items()})
    return tensors


def shortened(names: tuple[str, ...]) -> str:
    """The first few of some names, and the number of the others."""
    more = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {more} more" if more > 0 else "")


def _best_prefix(ours: Mapping[str, Tensor], given: Mapping[str, Tensor]) -> str:
    values = Counter({"": 0})
    for name, tensor in given.items():
        parts = name.split(".", DEEPEST)
        for depth in range(len(parts)):
            rest = ".".join(parts[depth:])
            if rest in ours and _fits(tensor, ours[rest]):
                values[name.removesuffix(rest)] += tensor.numel()
    return max(values, key=lambda prefix: (values[prefix], -len(prefix)))


def _common_prefix(names: Mapping[str, Tensor]) -> str:
    first = {name.partition(".")[0] for name in names}
    return f"{first.pop()}." if len(first) == 1 and all("." in name for name in names) else ""


def _fits(tensor: Tensor, own: Tensor) -> bool:
    return tensor.shape == own.shape and tensor.is_floating_point() == own.is_floating_point() and not tensor.is_meta


def _form(tensor: Tensor) -> str:
    return f"{str(tensor.dtype).removeprefix('torch.')}{list(tensor.shape)}"
