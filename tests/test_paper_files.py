"""Gin files of the paper's tables: full-size learners, published numbers, and cells."""

import subprocess
import sys

import gin
import pytest
import torch

from alfa_md.backbones.conv4 import Conv4
from alfa_md.backbones.resnet12 import ResNet12
from alfa_md.episode import Episode
from alfa_md.experiment import config, definition
from alfa_md.learners.adapts import all_but_batch_norm
from alfa_md.learners.gradient import GradientLearner
from scripts import paper_cells
from tests.shared import ROOT

FILES = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "gin" / "paper").glob("*.gin"))
CELLS = paper_cells.read_cells()
every_file = pytest.mark.parametrize("file", FILES)
# tables of the paper -> number of cells; C is table 1, D is quoted from others
SIZES = {"table1": 48, "table2": 10, "table3": 40, "table4": 4, "table5": 3, "table6": 16, "table7": 6, "table8": 18}
SIZES |= {"tableA": 10, "tableB": 48, "tableE": 15}


@pytest.fixture(autouse=True)
def clean_gin():
    yield
    gin.clear_config()


def built(file, bindings=()):
    config.parse([file], bindings)
    with torch.device("meta") if "resnet12" in file else torch.device("cpu"):
        return definition.build_experiment(0)


@every_file
def test_builds_its_learner_at_full_size(file):
    if "table3" in file:
        pytest.importorskip("tensorflow")
    learner = built(file, ["PRETRAINED = None"] if "table3" in file else []).learner
    assert isinstance(learner, GradientLearner)
    if "table3" in file or "table8" in file:
        return
    assert not learner.first_order and learner.adapts is all_but_batch_norm
    assert learner.stamp()["batch_norm"] == "batch statistics, frozen in the inner loop"
    network, size = (Conv4, 70_085) if isinstance(learner.backbone, Conv4) else (ResNet12, 7_999_365)
    assert isinstance(learner.backbone, network)
    way = learner.head.weight.shape[0]
    size = size + (way - 5) * 1201 if network is Conv4 else size
    size = size - 5 * (1200 - 192) if "tableB_conv4" in file else size
    assert sum(p.numel() for part in (learner.backbone, learner.head) for p in part.parameters()) == size


@every_file
def test_is_short_and_says_which_row_it_is_and_how_it_is_run(file):
    text = (ROOT / file).read_text()
    header = [line for line in text.splitlines() if line.startswith("#")]
    own = [line for line in text.splitlines() if line and not line.startswith(("#", "include"))]
    name = file.removeprefix("gin/paper/").removesuffix(".gin")
    assert len(own) <= 10 and "ALFA paper, Table" in header[0] and header[1].startswith("# Published: ")
    assert header[-1] == f"# Command: scripts/reproduce.sh {name.split('_')[0]} --row={name}"


@every_file
def test_its_header_quotes_the_numbers_of_its_cells(file):
    name, text = file.removeprefix("gin/paper/").removesuffix(".gin"), (ROOT / file).read_text()
    mine = [cell for cell in CELLS if cell.row == name]
    assert mine and all(cell.table == name.split("_")[0] for cell in mine)
    if "table3" in file:
        leaf = (ROOT / "gin" / f"{name.removeprefix('table3_')}.gin").read_text()
        assert all(cell.published in leaf for cell in mine)
        return
    assert all(cell.published in text and cell.spread in text for cell in mine)


def test_every_cell_has_a_file_and_every_run_too():
    for cell in CELLS:
        assert f"gin/paper/{cell.row}.gin" in FILES and f"gin/paper/{cell.run}.gin" in FILES
    assert {table: sum(cell.table == table for cell in CELLS) for table in SIZES} == SIZES
    assert sum(SIZES.values()) == len(CELLS)


def test_cells_that_share_a_run_differ_in_their_test_alone():
    """Whoever is trained as another row has that row's configuration but for what it is tested on."""
    for cell in CELLS:
        if cell.run != cell.row:
            config.parse([f"gin/paper/{cell.row}.gin"], cell.gin_bindings)
            own = {line for line in gin.config_str().splitlines() if "test_sources" not in line}
            gin.clear_config()
            config.parse([f"gin/paper/{cell.run}.gin"], cell.gin_bindings)
            other = {line for line in gin.config_str().splitlines() if "test_sources" not in line}
            assert own - other <= {"GradientLearner.num_steps = 5"} and not other - own, cell
            gin.clear_config()


@pytest.mark.parametrize(
    "chosen, line",
    [
        (["table9"], "no table table9; there are table1, table2"),
        (["table8", "--row=table8_sgd"], "table8 has no row 'table8_sgd'; there are 'table8_maml'"),
        (["table8", "--setting=k=10"], "table8 has no setting 'k=10'; there are '2x40 k=5'"),
    ],
)
def test_what_is_in_no_table_is_refused(chosen, line):
    done = subprocess.run(
        [sys.executable, "-m", "scripts.reproduce", *chosen], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 2 and done.stderr.startswith(f"error: {line}") and len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("further, values", [([], None), (["gin/parts/paper_generator.gin"], 2 * 5 * 10 + 12 * 10**2)])
@pytest.mark.parametrize("file", ["gin/paper/table8_alfa_maml.gin", "gin/paper/table1_conv4_alfa_maml.gin"])
def test_the_paper_s_own_form_of_beta_starts_as_maml(file, further, values):
    """Whatever the learning state is, the first step has beta = 1 and the rate of the base learner."""
    config.parse([file, "gin/parts/beta_product.gin", *further])
    rule = definition.build_experiment(0).learner.rule
    if values and "conv4" in file:  # N = 10, S = 5
        assert sum(value.numel() for value in rule.parameters()) == values
    names = [f"layer{i}" for i in range(rule.hypers.second.lr.values.shape[1])]
    params, grads = ({name: torch.randn(3) for name in names} for _ in range(2))
    (lr, decay), _ = rule.hypers(params, grads, rule.hypers.init(params), 0)
    assert all(value == 0 for value in decay.values()) and all(abs(value - 0.01) < 1e-8 for value in lr.values())


def test_cuda_graphs_are_for_any_file_of_fixed_way_and_shot():
    """Without a GPU nothing is captured, and the numbers are the same."""
    scores = []
    for further in ([], ["gin/parts/cuda_graphs.gin"]):
        config.parse(["gin/few_shot/alfa_maml.gin", *further])
        learner = definition.build_experiment(0).learner
        assert learner.vectorized == bool(further)
        images = torch.randn(5, 3, 28, 28, generator=torch.Generator().manual_seed(0))
        task = Episode(images, torch.arange(5), images, torch.arange(5), 5, "noise", "train", 0, 0)
        scores.append(learner.forward_episodes([task, task])[0])
        gin.clear_config()
    assert torch.equal(*scores)
