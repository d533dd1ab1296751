"""Two builds of this project in turns, case by case: this checkout and another one."""

from contextlib import ExitStack
from pathlib import Path
from statistics import median, quantiles

from alfa_md.errors import UserError
from benchmarks.build import ROOT, Build, require_checkout

Turns = list[tuple[float, float]]  # seconds of the other build and of this one, by round


def comparison(
    title: str, plans: dict[str, dict], checkout: Path, rounds: int, warm_up: int, device: str = "cpu"
) -> str:
    """Chapter with a row for every case; each row is printed when it is measured.

    Raises UserError if the other checkout lacks something that a case needs, before anything is measured.
    """
    with ExitStack() as stack:
        old, new = (stack.enter_context(Build(folder, device)) for folder in (checkout, ROOT))
        for build in (old, new):
            for case, plan in plans.items():
                build.prepare(case, plan)
        lines = [title.format(old=old.name, new=new.name)]
        lines += [f"| case | {old.name} | this build, {new.name} | new / old | quartiles | results differ by |"]
        lines += ["|---" * 6 + "|"]
        print("\n".join(lines), flush=True)
        for case in plans:
            lines.append(row(case, old, new, rounds, warm_up))
            print(lines[-1], flush=True)
    return "\n".join(lines) + "\n"


def require_turns(checkout: Path, rounds: int) -> None:
    """Raises UserError unless the folder has the package, and there is a round."""
    require_checkout(checkout)
    if rounds < 1:
        raise UserError(f"--rounds={rounds}: give at least 1")


def row(case: str, old: Build, new: Build, rounds: int, warm_up: int) -> str:
    """Median seconds of both builds, median and quartiles of the ratio, and the relative difference of the results."""
    turns, difference = take_turns(case, old, new, warm_up + rounds)
    times = [in_unit(median(column)) for column in zip(*turns[warm_up:], strict=True)]
    ratios = [after / before for before, after in turns[warm_up:]]
    low, middle, high = quantiles(ratios, n=4, method="inclusive") if rounds > 1 else ratios * 3
    return f"| {case} | {' | '.join(times)} | {middle:.3f} | {low:.3f} to {high:.3f} | {difference:.0e} |"


def take_turns(case: str, old: Build, new: Build, rounds: int) -> tuple[Turns, float]:
    """Seconds of both builds in every round, which the one and the other begin by turns."""
    turns: Turns = []
    for number in range(rounds):
        found = {build: build.turn(case) for build in ((old, new) if number % 2 else (new, old))}
        turns.append((found[old][0], found[new][0]))
    return turns, relative_difference(found[old][1], found[new][1])


def relative_difference(one: dict[str, float], other: dict[str, float]) -> float:
    """The largest of |a - b| / |b| over the numbers of two results."""
    return max(abs(one[name] - b) / (abs(b) or 1.0) for name, b in other.items())


def in_unit(seconds: float) -> str:
    """Three digits, in seconds, milliseconds or microseconds."""
    factor, unit = next(((f, u) for f, u in ((1, "s"), (1e3, "ms")) if f * seconds >= 0.1), (1e6, "µs"))
    return f"{factor * seconds:#.3g} {unit}"


def chosen(cases: dict, words: str, flag: str) -> dict:
    """The cases with `words` in their name. Raises UserError if there are none."""
    found = {name: case for name, case in cases.items() if words in name}
    if not found:
        raise UserError(f"{flag}={words}: no case has this in its name; there are {'; '.join(cases)}")
    return found
