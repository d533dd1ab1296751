"""The leaderboard: our ranks of its rows are those that it prints, each of 330 cells and 33 averages."""

import pytest

from alfa_md.evaluation.leaderboard import ALL, IMAGENET, LEADERBOARD, TITLES
from alfa_md.evaluation.ranks import leaderboard_table, ranks_by_source
from alfa_md.experiment.definition import META_DATASET
from alfa_md.metrics import ACCURACY

# Method: the ranks printed beside its ten results, and their average.
PRINTED = {
    IMAGENET: """
k-NN: 14 15 14 14.5 12 15 12 11 14 14.5, 13.6
Finetune: 12 10.5 4 13 8.5 12.5 10 8 4 12, 9.45
MatchingNet: 12 13 12 11.5 14 12.5 13 14 11.5 12, 12.55
ProtoNet: 9.5 10.5 9.5 7.5 12 10 8 8 13 9.5, 9.75
fo-MAML: 12 12 7.5 11.5 8.5 12.5 14 13 9.5 12, 11.25
RelationNet: 15 14 15 14.5 15 12.5 15 15 15 14.5, 14.55
fo-Proto-MAML: 9.5 7.5 7.5 7.5 12 8.5 5.5 5 11.5 8, 8.25
ALFA+fo-Proto-MAML: 7.5 7.5 5 5.5 6 4.5 5.5 8 7 4.5, 6.1
ProtoNet (large): 5 4.5 6 3.5 8.5 7 5.5 5 8 9.5, 6.25
CTX: 1.5 1.5 1.5 2 3 1 1.5 1 2 2.5, 1.75
BOHB: 7.5 4.5 9.5 5.5 8.5 8.5 5.5 5 9.5 4.5, 6.85
Simple CNAPS: 5 7.5 12 9.5 4.5 6 10 11 5.5 6.5, 7.75
Transductive CNAPS: 5 7.5 12 9.5 4.5 4.5 10 11 5.5 6.5, 7.6
TSA_resnet18: 3 3 3 3.5 2 3 3 3 2 2.5, 2.8
TSA_resnet34: 1.5 1.5 1.5 1 1 2 1.5 2 2 1, 1.5
""",
    ALL: """
k-NN: 15.5 17 18 13.5 14.5 18 14.5 14.5 17 16, 15.85
Finetune: 13.5 18 14.5 16 8.5 17 14.5 13 2 14, 13.1
MatchingNet: 17 15.5 16.5 17 16 14.5 17 16 8.5 16, 15.4
ProtoNet: 13.5 15.5 14.5 13.5 12.5 13 13 12 15 12.5, 13.5
fo-MAML: 15.5 13.5 12 15 14.5 16 17 17 16 16, 15.25
RelationNet: 18 12 16.5 18 18 14.5 17 18 18 18, 16.8
fo-Proto-MAML: 12 13.5 13 11.5 10.5 12 12 10 11.5 10, 11.6
CNAPs: 10.5 8 7.5 10 17 11 7.5 10 8.5 12.5, 10.25
SUR: 7 5.5 5.5 11.5 6.5 4 3.5 14.5 11.5 7, 7.65
SUR-pnf: 7 10.5 10.5 7.5 4.5 8.5 7.5 7.5 11.5 7, 8.2
Simple CNAPS: 7 8 7.5 7.5 8.5 6.5 7.5 6 6 10, 7.45
Transductive CNAPS: 2.5 3.5 5.5 3.5 12.5 6.5 7.5 3 6 10, 6.05
URT: 7 3.5 4 7.5 4.5 2 3.5 10 14 4.5, 6.05
URT-pf: 7 10.5 10.5 5 3 10 10.5 3 11.5 4.5, 7.55
FLUTE: 10.5 5.5 3 3.5 10.5 5 5 3 6 7, 5.9
URL: 2.5 1.5 2 1.5 1.5 2 1.5 3 3.5 2.5, 2.15
TSA: 2.5 1.5 1 1.5 1.5 2 1.5 3 1 1, 1.65
TriM: 2.5 8 9 7.5 6.5 8.5 10.5 7.5 3.5 2.5, 6.6
""",
}


def printed_ranks(text: str) -> dict[str, list[float]]:
    """method -> ten ranks and their average."""
    lines = (line.rsplit(": ", 1) for line in text.strip().splitlines())
    return {name: [float(rank) for rank in ranks.replace(",", "").split()] for name, ranks in lines}


@pytest.mark.parametrize("sources", PRINTED, ids=TITLES.get)
def test_every_rank_is_the_one_printed(sources):
    placed = ranks_by_source(LEADERBOARD[sources], ACCURACY)
    ours = {name: [*own.values(), round(sum(own.values()) / 10, 6)] for name, own in placed.items()}
    assert ours == printed_ranks(PRINTED[sources])


def test_every_row_has_the_ten_sources():
    for rows in LEADERBOARD.values():
        assert all(tuple(row) == META_DATASET for row in rows.values())


def test_the_form_of_a_cell():
    rows = LEADERBOARD[IMAGENET]
    heading, _, *lines = leaderboard_table(rows, ranks_by_source(rows, ACCURACY), ACCURACY).splitlines()
    assert heading.startswith("| learner | avg rank | ilsvrc_2012 | omniglot |")
    assert lines[7].startswith("| ALFA+fo-Proto-MAML | 6.1 | 52.80±1.11 (7.5) | 61.87±1.51 (7.5) | 63.43±1.10 (5) |")
