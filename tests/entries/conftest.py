"""Fixtures of all command tests: records, a run directory, and a check that bad input changes neither."""

from pathlib import Path

import pytest

from tests.entries.harness import (
    bindings,
    contents,
    copied,
    environment,
    run_entry,
    small_run,
    with_defaults,
    write_root,
)


@pytest.fixture(scope="session")
def cache(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def own_environment(cache):
    with environment(cache):
        yield


@pytest.fixture(scope="session")
def root(tmp_path_factory) -> Path:
    return write_root(tmp_path_factory.mktemp("records"))


@pytest.fixture(scope="session")
def trained(cache, root, tmp_path_factory) -> Path:
    """A run directory without results."""
    with environment(cache):
        return small_run(tmp_path_factory.mktemp("trained"), root)


@pytest.fixture(scope="session")
def evaluated(cache, trained, tmp_path_factory) -> Path:
    """A run directory with the results of one source."""
    run = copied(trained, tmp_path_factory.mktemp("evaluated") / "run")
    flags = ["--run_dir=run", "--sources=omniglot", "--num_episodes=2"]
    with environment(cache):
        assert run_entry("evaluate", *flags, cwd=run.parent).code == 0
    return run


@pytest.fixture
def refused(tmp_path, root, evaluated):
    """Runs an entry with these flags in a folder of its own (train on `root`, small); returns the one line of error.

    A run directory is there, `run`; whatever is wrong, its files keep their bytes.
    """
    copied(evaluated, tmp_path / "run")

    def run(name: str, *flags: object) -> str:
        before = contents(tmp_path)
        default = [*bindings(), f"--records_root_dir={root}"] if name == "train" else []
        error = run_entry(name, *with_defaults(default, flags), cwd=tmp_path).error
        after = contents(tmp_path)
        assert {file: after.get(file) for file in before} == before
        return error

    return run
