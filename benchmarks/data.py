"""Benchmark of reading episodes: one plain tf.data stream per class against this package's decoders and cache.

    python -m benchmarks.data --records=FOLDER [--rounds=20] [--out=benchmarks/README.md]
    python -m benchmarks.data --records=FOLDER --against=CHECKOUT [--readers=turbo]    in turns with another build

Synthesises the records in FOLDER (about 7 GB) if missing. All readers of a kind of records take turns in one process,
so that noise affects all equally; every kind, and the cost of construction and first episode of every reader, is
measured in a process of its own.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import torch

from alfa_md.data.paths import CACHE_VARIABLE
from alfa_md.data.spec import DatasetSpec, load_spec
from alfa_md.errors import UserError
from alfa_md.system.allocator import keep_freed_pages
from benchmarks.against import chosen, comparison, require_turns
from benchmarks.machine import describe_machine
from benchmarks.page import write_chapter
from benchmarks.readers import READERS, STREAM, THREADS
from benchmarks.records import KINDS, synthesise
from scripts.errors import one_line_errors

TURN = 0.4  # minimum seconds per turn of a reader
WARM_UP = 4  # turns that are not counted; the warm caches repeat four episodes
SETTLE = 0.1  # seconds for the threads of a reader to finish
MEGABYTE = 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", required=True, type=Path)
    parser.add_argument("--rounds", default=20, type=int)
    parser.add_argument("--kinds", default=",".join(KINDS))
    parser.add_argument("--out", type=Path)
    parser.add_argument("--against", type=Path, help="another checkout of this project")
    parser.add_argument("--readers", default="", help="with --against: what the names of the readers must contain")
    parser.add_argument("--first", choices=READERS, help="only what the first episode of this reader costs, as JSON")
    parser.add_argument("--rates", action="store_true", help="only the rates of the readers, as JSON")
    options = parser.parse_args()
    kinds = options.kinds.split(",")
    if unknown := set(kinds) - set(KINDS):
        raise UserError(f"--kinds: no kind of records is named {min(unknown)!r}; there are {', '.join(KINDS)}")
    if options.against:
        write(reading_against(kinds, options), options)
        return
    keep_freed_pages()  # as every command does
    torch.set_num_threads(1)  # for normalising uint8 images, which otherwise runs on the device
    if options.first:
        print(json.dumps(first_episode_cost(load_spec(options.records / kinds[0]), options.first)))
        return
    if options.rates:
        print(json.dumps(reader_rates(load_spec(options.records / kinds[0]), options.rounds)))
        return
    text = "\n".join([heading(options), *(section(kind, options) for kind in kinds)])
    print(text)
    write(text, options)


def write(text: str, options: argparse.Namespace) -> None:
    if options.out:
        write_chapter(options.out, text)


def reading_against(kinds: list[str], options: argparse.Namespace) -> str:
    """Chapter of a comparison with another build, of the readers that need no TensorFlow."""
    require_turns(options.against, options.rounds)
    readers = {name: make for name, make in READERS.items() if not name.startswith((STREAM, "tensorflow"))}
    readers, plans = chosen(readers, options.readers, "--readers"), {}
    for kind in kinds:
        synthesise(kind, options.records)
        own = {"kind": "reading", "records": str((options.records / kind).resolve())}
        plans |= {f"{kind}: {name}": own | {"reader": name} for name in readers}
    title = f"""# Reading episodes, in turns with {{old}}

`python -m benchmarks.data --records=RECORDS --against=CHECKOUT --rounds={options.rounds}`,
{describe_machine(torch.device("cpu"))}.

Episodes are the official sampler's, of variable way and shot, at 84 pixels, read by both builds in turns, each in a
process of its own with a cache of its own: CPU time of an image on one core, medians over rounds; a ratio is taken
within a round, and given with its quartiles. The result is the mean of the pixels of the first episode.
"""
    return comparison(title, plans, options.against, options.rounds, WARM_UP)


def heading(options: argparse.Namespace) -> str:
    return f"""# Reading episodes

`python -m benchmarks.data --records=RECORDS --rounds={options.rounds}`,
{platform.machine()}, {os.cpu_count()} cores, no GPU, seed 0.

Episodes are the official sampler's, of variable way and shot, at 84 pixels. Rates and ratios are medians over rounds;
readers take turns of at least {TURN} s in one process, whose PyTorch has one thread and whose decoders have {THREADS}.
Records are in the page cache of the system. Bytes are what the process asked the system to read until its first episode
was there, memory what it grew by since its imports. To fill a cache is to decode and keep; a warm cache gives floats,
as a decoder does.

`{STREAM}` is a plain tf.data reader (`stream_reader.py`) in place of the official one: a stream a class, shuffled in a
window; what is left of a class thrown away before it would be read past its end; parts of an episode filled up to a
fixed length; support images augmented by noise of standard deviation 0, as its default configuration has it. Without
this augmentation, which changes nothing, it is the row below.
"""


def section(kind: str, options: argparse.Namespace) -> str:
    spec = synthesise(kind, options.records)
    size = sum(spec.class_file(n).stat().st_size for n in range(len(spec.class_names))) / sum(spec.images_per_class)
    speeds = run_in_subprocess(kind, options.records, "--rates", f"--rounds={options.rounds}")
    firsts = {name: run_in_subprocess(kind, options.records, f"--first={name}") for name in READERS}
    lines = [
        f"## {kind}: {len(spec.class_names)} classes, {spec.images_per_class[0]} images each, {size / 1e3:.1f} KB",
        "",
    ]
    columns = ("reader", "times the official protocol, per CPU second", "images per CPU s", "images per s")
    columns = (*columns, "construction, CPU ms", "first episode, CPU s", "MB read", "MB of memory")
    lines += [f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"]
    for name in READERS:
        ratio, per_cpu, per_second = speeds[name]
        cells = [name, f"{ratio:.2f}", f"{per_cpu:.0f}", f"{per_second:.0f}"]
        one = firsts[name]
        cells += [
            f"{1e3 * one['construction']:.1f}",
            f"{one['first']:.2f}",
            f"{one['read']:.1f}",
            f"{one['memory']:.0f}",
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def reader_rates(spec: DatasetSpec, rounds: int) -> dict[str, list[float]]:
    """Per reader: speed relative to the official protocol, images per CPU second and per second; caches start empty."""
    with tempfile.TemporaryDirectory() as cache:
        os.environ[CACHE_VARIABLE] = cache
        readers = {name: make(spec) for name, make in READERS.items()}
        times: dict[str, list[tuple[float, float]]] = {name: [] for name in readers}
        for number in range(WARM_UP + rounds):
            for name, read in readers.items():
                keep_freed_pages()  # a generator in tf.data resets it
                cpu, wall = time.process_time(), time.perf_counter()
                images = len(read())
                while time.perf_counter() - wall < TURN:
                    images += len(read())
                seconds = time.perf_counter() - wall
                time.sleep(SETTLE)  # some readers read ahead
                spent = time.process_time() - cpu, seconds
                if number >= WARM_UP:
                    times[name].append((images / spent[0], images / spent[1]))
    ratios = {name: [a / b for (a, _), (b, _) in zip(own, times[STREAM], strict=True)] for name, own in times.items()}
    return {name: [median(ratios[name]), *map(median, zip(*own, strict=True))] for name, own in times.items()}


def run_in_subprocess(kind: str, records: Path, *flags: str) -> dict:
    """The JSON that this program prints with these flags, in a new process with an empty cache."""
    with tempfile.TemporaryDirectory() as cache:
        command = [sys.executable, "-m", "benchmarks.data", f"--records={records}", f"--kinds={kind}", *flags]
        done = subprocess.run(command, env={**os.environ, CACHE_VARIABLE: cache}, capture_output=True, encoding="utf-8")
        done.check_returncode()
        return json.loads(done.stdout.splitlines()[-1])


def first_episode_cost(spec: DatasetSpec, reader: str) -> dict[str, float]:
    """CPU seconds of construction and of the first episode, megabytes read and allocated."""
    if reader.startswith((STREAM, "tensorflow")):
        from alfa_md.data.tfrecord.runtime import tensorflow

        tensorflow().constant(0)  # excludes the import and start of TensorFlow
    read_before, memory, start = bytes_read(), resident_memory(), time.process_time()
    read = READERS[reader](spec)
    built = time.process_time()
    read()
    spent = {"construction": built - start, "first": time.process_time() - built}
    return spent | {"read": (bytes_read() - read_before) / MEGABYTE, "memory": (resident_memory() - memory) / MEGABYTE}


def bytes_read() -> int:
    """Bytes read by this process so far, from disk or page cache (Linux)."""
    fields = dict(line.split(": ") for line in Path("/proc/self/io").read_text("utf-8").splitlines())
    return int(fields["rchar"])


def resident_memory() -> int:
    return int(Path("/proc/self/statm").read_text("utf-8").split()[1]) * os.sysconf("SC_PAGE_SIZE")


if __name__ == "__main__":
    with one_line_errors():
        main()
