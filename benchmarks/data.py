"""How fast episodes are read: a plain tf.data stream a class against this package's decoders and cache.

    python -m benchmarks.data --records=FOLDER [--rounds=20] [--out=benchmarks/README.md]

Synthesises the records in FOLDER (about 7 GB) unless they are there. All readers of a kind of records take turns in one
process, so that a noisy machine harms them alike, and no kind leaves its memory to the next; what construction and a
first episode cost is measured in a process of its own for each.
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
from alfa_md.system.allocator import keep_freed_pages
from benchmarks.page import write_chapter
from benchmarks.readers import READERS, STREAM, THREADS
from benchmarks.records import KINDS, synthesise

TURN = 0.4  # seconds, at least, that a reader reads episodes before the next has its turn
WARM_UP = 4  # turns that are not counted; the warm caches repeat four episodes
SETTLE = 0.1  # seconds in which the threads of a reader come to rest
MEGABYTE = 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", required=True, type=Path)
    parser.add_argument("--rounds", default=20, type=int)
    parser.add_argument("--kinds", default=",".join(KINDS))
    parser.add_argument("--out", type=Path)
    parser.add_argument("--first", choices=READERS, help="only what the first episode of this reader costs, as JSON")
    parser.add_argument("--rates", action="store_true", help="only the rates of the readers, as JSON")
    options = parser.parse_args()
    keep_freed_pages()  # as every command does
    torch.set_num_threads(1)  # of the step from grey levels to floats, which runs on the device elsewhere
    kinds = options.kinds.split(",")
    if options.first:
        print(json.dumps(first(load_spec(options.records / kinds[0]), options.first)))
        return
    if options.rates:
        print(json.dumps(rates(load_spec(options.records / kinds[0]), options.rounds)))
        return
    sections = [section(kind, options) for kind in kinds]
    text = "\n".join([heading(options), *sections])
    print(text)
    if options.out:
        write_chapter(options.out, text)


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
    speeds = alone(kind, options.records, "--rates", f"--rounds={options.rounds}")
    firsts = {name: alone(kind, options.records, f"--first={name}") for name in READERS}
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


def rates(spec: DatasetSpec, rounds: int) -> dict[str, list[float]]:
    """Of every reader the times of the official protocol, images per CPU second and per second; caches begin empty."""
    with tempfile.TemporaryDirectory() as cache:
        os.environ[CACHE_VARIABLE] = cache
        readers = {name: make(spec) for name, make in READERS.items()}
        times: dict[str, list[tuple[float, float]]] = {name: [] for name in readers}
        for number in range(WARM_UP + rounds):
            for name, read in readers.items():
                keep_freed_pages()  # a generator in tf.data sets it back
                cpu, wall = time.process_time(), time.perf_counter()
                images = len(read())
                while time.perf_counter() - wall < TURN:
                    images += len(read())
                seconds = time.perf_counter() - wall
                time.sleep(SETTLE)  # some read ahead
                spent = time.process_time() - cpu, seconds
                if number >= WARM_UP:
                    times[name].append((images / spent[0], images / spent[1]))
    ratios = {name: [a / b for (a, _), (b, _) in zip(own, times[STREAM], strict=True)] for name, own in times.items()}
    return {name: [median(ratios[name]), *map(median, zip(*own, strict=True))] for name, own in times.items()}


def alone(kind: str, records: Path, *flags: str) -> dict:
    """What this program prints under some flags, in a new process with an empty cache."""
    with tempfile.TemporaryDirectory() as cache:
        command = [sys.executable, "-m", "benchmarks.data", f"--records={records}", f"--kinds={kind}", *flags]
        done = subprocess.run(command, env={**os.environ, CACHE_VARIABLE: cache}, capture_output=True, text=True)
        done.check_returncode()
        return json.loads(done.stdout.splitlines()[-1])


def first(spec: DatasetSpec, reader: str) -> dict[str, float]:
    """CPU seconds of construction and of the first episode, megabytes read and grown by."""
    if reader.startswith((STREAM, "tensorflow")):
        from alfa_md.data.tfrecord.runtime import tensorflow

        tensorflow().constant(0)  # its import and start are not the reader's
    read_before, memory, start = bytes_read(), resident(), time.process_time()
    read = READERS[reader](spec)
    built = time.process_time()
    read()
    spent = {"construction": built - start, "first": time.process_time() - built}
    return spent | {"read": (bytes_read() - read_before) / MEGABYTE, "memory": (resident() - memory) / MEGABYTE}


def bytes_read() -> int:
    """By this process until now, from disk or page cache (Linux)."""
    fields = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
    return int(fields["rchar"])


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


if __name__ == "__main__":
    main()
