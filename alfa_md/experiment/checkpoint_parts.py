"""Checks of the parts of a checkpoint, by which a run goes on, before any of them is used."""

import math
from collections.abc import Mapping

import torch
from torch import Tensor
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from alfa_md.errors import WrongPart

MOMENTS = ("exp_avg", "exp_avg_sq")  # of Adam, for every parameter
PROGRESS = ("last_epoch", "_last_lr")  # of every schedule


def is_count(value: object, lowest: int = 0, highest: float = math.inf) -> bool:
    """True for a whole number in this range, and not for True or False."""
    return type(value) is int and lowest <= value <= highest


def is_named_tensors(value: object) -> bool:
    """True for a dictionary of dense tensors by their names."""
    return isinstance(value, Mapping) and all(isinstance(k, str) and _is_dense(v) for k, v in value.items())


def check_counts(content: Mapping) -> None:
    """Raises WrongPart unless the numbers of updates, the validations and the costs are possible."""
    step, ranking, spent = content["step"], content["ranking"], content["spent"]
    if not is_count(content["validated"], -1, step):
        raise WrongPart("its last validation is of no update so far")
    if not isinstance(ranking, dict) or not all(is_count(k, 0, step) and type(v) is float for k, v in ranking.items()):
        raise WrongPart("its ranking is not one of its validations")
    if content["best"] is not None and type(content["best"]) is not float:
        raise WrongPart("its best validation is no number")
    if not isinstance(spent, dict) or not all(isinstance(k, str) and _is_number(v) for k, v in spent.items()):
        raise WrongPart("the seconds spent are no numbers")


def check_generator(state: object) -> None:
    """Raises WrongPart unless this is a state of PyTorch's random generator."""
    if not _is_dense(state) or not _is_like(state, torch.get_rng_state()):
        raise WrongPart("the state of its random generator has another size")
    try:
        torch.Generator().set_state(state)
    except RuntimeError as error:
        raise WrongPart("the state of its random generator is invalid") from error


def check_optimizer(saved: object, optimizer: Optimizer, step: int) -> None:
    """Raises WrongPart unless this is a state of Adam after `step` updates for the parameters of `optimizer`."""
    own = optimizer.state_dict()["param_groups"]
    if not isinstance(saved, Mapping) or not isinstance(saved.get("state"), Mapping):
        raise WrongPart("its optimiser has no state")
    groups = saved.get("param_groups")
    if not isinstance(groups, list) or not all(isinstance(group, Mapping) for group in groups):
        raise WrongPart("its optimiser has no groups of parameters")
    numbers = [group.get("params") for group in groups]
    if not all(isinstance(each, list) and all(map(is_count, each)) for each in numbers):
        raise WrongPart("its optimiser does not number its parameters")
    if numbers != [group["params"] for group in own]:
        raise WrongPart("it was trained with other tensors frozen")
    if not all(_is_number(group.get("lr")) for group in groups):
        raise WrongPart("its learning rate is no number")
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    if step and parameters and not saved["state"]:
        raise WrongPart("its optimiser has no moments")
    for number, moments in saved["state"].items():
        if not is_count(number, 0, len(parameters) - 1):
            raise WrongPart("its optimiser has moments of other parameters")
        _check_moments(moments, parameters[number], number)


def check_schedule(saved: object, schedule: LRScheduler, content: Mapping) -> dict:
    """The part of a schedule's state to load, a superset of PROGRESS. Raises WrongPart unless it fits.

    Versions of PyTorch differ in the other entries.
    """
    own = schedule.state_dict()
    if not isinstance(saved, Mapping) or not saved.keys() >= set(PROGRESS):
        raise WrongPart("its schedule lacks " + " or ".join(PROGRESS))
    for name in own.keys() & saved.keys():
        if not _fits(saved[name], own[name]):
            raise WrongPart(f"its schedule has another {name}")
    rates = [group["lr"] for group in content["optimizer"]["param_groups"]]
    if saved["last_epoch"] != content["step"] or saved["_last_lr"] != rates:
        raise WrongPart("its schedule is that of another update")
    return {name: saved[name] for name in own.keys() & saved.keys()}


def _check_moments(moments: object, parameter: Tensor, number: int) -> None:
    if not isinstance(moments, Mapping) or moments.keys() != {"step", *MOMENTS}:
        raise WrongPart(f"its optimiser lacks some of step, {', '.join(MOMENTS)} of parameter {number}")
    if not all(_is_dense(moments[name]) and _is_like(moments[name], parameter) for name in MOMENTS):
        raise WrongPart(f"its optimiser has moments of another shape for parameter {number}")
    count = moments["step"]
    if not (_is_dense(count) and count.shape == () and count.is_floating_point() and count >= 1):
        raise WrongPart(f"its optimiser has no number of updates of parameter {number}")


def _is_dense(value: object) -> bool:
    return isinstance(value, Tensor) and value.layout is torch.strided and value.device.type == "cpu"


def _is_like(tensor: Tensor, like: Tensor) -> bool:
    return tensor.shape == like.shape and tensor.dtype == like.dtype


def _is_number(value: object) -> bool:
    """True for a finite number of at least 0, and not for True or False."""
    return type(value) in (int, float) and 0 <= value < math.inf


def _fits(value: object, like: object) -> bool:
    """True if a value is of the kind of another one; numbers are finite, lists and dictionaries have equal lengths."""
    if isinstance(like, Tensor):
        return _is_dense(value) and _is_like(value, like.cpu())
    if isinstance(like, Mapping):
        return (
            isinstance(value, Mapping) and value.keys() == like.keys() and all(_fits(value[k], like[k]) for k in like)
        )
    if isinstance(like, list | tuple):
        return type(value) is type(like) and len(value) == len(like) and all(map(_fits, value, like))
    if type(like) is float:
        return type(value) in (int, float) and math.isfinite(value)
    return type(value) is type(like)
