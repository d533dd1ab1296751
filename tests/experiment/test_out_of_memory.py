"""Out-of-memory errors: one line with the episode and remedies, after which the run is resumed."""

import gin
import pytest
import torch

from alfa_md.errors import UserError
from alfa_md.experiment import config, definition
from alfa_md.experiment.checkpoint import load_checkpoint
from alfa_md.experiment.out_of_memory import LOWER_PRECISION, SAVING, explain_out_of_memory
from alfa_md.experiment.run_directory import RunDirectory
from alfa_md.kernels.precision import float32
from alfa_md.learners.batching.vmapped import vmapped
from alfa_md.learners.nearest_neighbor import NearestNeighborLearner, Pixels, cosine
from alfa_md.training.step import outer_step
from tests.episodes import random_episode, small_learner
from tests.equal_runs import assert_equal_runs
from tests.noise import NoiseSource, accuracies, fresh_state, noise_experiment, noise_learner, train_on_noise

EPISODE = random_episode()
ABSURD = 10**13  # images: more than a process can address, made without memory by repeating one


def too_large(at):
    """A change of episodes that makes the query set of episode `at` too large for any memory."""

    def change(index, episode):
        if index != at:
            return episode
        return episode._replace(query_x=episode.query_x[:1].expand(ABSURD, -1, -1, -1))

    return change


def test_training_names_update_episode_and_remedies_and_goes_on_from_its_checkpoint(tmp_path):
    run, whole = RunDirectory(tmp_path / "run"), RunDirectory(tmp_path / "whole")
    with pytest.raises(UserError) as caught:
        train_on_noise(run.path, noise_experiment(change=too_large(3)))
    line = str(caught.value).splitlines()[0]  # gin adds lines of its own to what passes through it
    assert line.startswith(
        "out of memory at update 4 on noise train episode 3 of seed 0; checkpoints stay as they were"
    )
    exact = "support_moments.query_portion = 10 or, in second order, GradientLearner.recompute = @recompute_all"
    assert f"set {exact} and go on with the same numbers; or {LOWER_PRECISION}; or" in line
    assert line.endswith("; or a smaller image size, fewer ways or shots") and "episodes_per_step" not in line
    assert load_checkpoint(run.last)["step"] == 2
    train_on_noise(run.path, noise_experiment())
    train_on_noise(whole.path, noise_experiment())
    assert_equal_runs(whole, run)


def test_evaluation_names_the_episode():
    with pytest.raises(UserError, match="^out of memory on noise test episode 2 of seed 0; checkpoints stay"):
        accuracies(noise_learner(), NoiseSource(change=too_large(2)), 4)


def test_episodes_that_go_through_together_are_all_named():
    learner = small_learner(batching=vmapped)
    episodes = [too_large(0)(0, random_episode(seed=seed)) for seed in (5, 6)]
    with pytest.raises(
        UserError, match="of seed 5, .*of seed 6; .*; set fewer train.episodes_per_step or Gradient.*Non"
    ):
        outer_step(fresh_state(learner), episodes, clip_norm=10.0)


def test_remedies_for_a_learner_without_inner_loop_omit_its_bindings():
    learner = NearestNeighborLearner(Pixels(), cosine)
    with pytest.raises(UserError, match="stay as they were; set a smaller image size, fewer ways or shots$"):
        accuracies(learner, NoiseSource(change=too_large(0)), 1)


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has ..."),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    ],
)
def test_all_that_devices_say_is_understood(error):
    with (
        pytest.raises(UserError, match="^out of memory on noise train"),
        explain_out_of_memory(small_learner(), [EPISODE]),
    ):
        raise error


def test_other_errors_pass_through():
    with pytest.raises(RuntimeError, match="a broken kernel"), explain_out_of_memory(small_learner(), [EPISODE]):
        raise RuntimeError("a broken kernel")


@pytest.mark.usefixtures("own_configuration")
def test_every_remedy_is_a_binding_that_there_is():
    config.parse(["gin/maml.gin"], [f"{name} = {value}" for name, value in SAVING.items()] + [LOWER_PRECISION])
    learner = definition.build_experiment(0).learner
    assert learner.normalization.query_portion == 10 and learner.recompute(0) and learner.precision is not float32


@pytest.fixture
def own_configuration():
    yield
    gin.clear_config()
