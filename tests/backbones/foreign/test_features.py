"""Features from the outputs of networks: tokens, maps and objects."""

from types import SimpleNamespace

import pytest
import torch

from alfa_md.backbones.foreign.features import automatic, class_token, patch_mean
from alfa_md.errors import UserError

TOKENS, MAP, POOLED = torch.randn(2, 5, 3), torch.randn(2, 3, 4, 4), torch.randn(2, 3, 1, 1)


@pytest.mark.parametrize(
    "output, expected",
    [
        (POOLED.flatten(1), POOLED.flatten(1)),
        (TOKENS, TOKENS[:, 0]),
        (MAP, MAP.mean((2, 3))),
        (SimpleNamespace(last_hidden_state=TOKENS, pooler_output=None), TOKENS[:, 0]),
        (SimpleNamespace(last_hidden_state=TOKENS), TOKENS[:, 0]),
        (SimpleNamespace(last_hidden_state=MAP, pooler_output=POOLED), POOLED.flatten(1)),
    ],
)
def test_automatic(output, expected):
    torch.testing.assert_close(automatic(output), expected)


def test_tokens_by_name():
    output = SimpleNamespace(last_hidden_state=TOKENS, pooler_output=POOLED)
    assert torch.equal(class_token(output), TOKENS[:, 0])
    torch.testing.assert_close(patch_mean()(output), TOKENS[:, 1:].mean(1))
    torch.testing.assert_close(patch_mean(skipped=3)(TOKENS), TOKENS[:, 3:].mean(1))


@pytest.mark.parametrize(
    "features, output, line",
    [
        (automatic, (TOKENS,), "^the network returns a tuple; bind features to a function of its output"),
        (class_token, MAP, r"^the network returns \[2, 3, 4, 4\], no tokens \[N, T, D\]; bind features = @automatic"),
        (patch_mean(skipped=5), TOKENS, "^patch_mean.skipped = 5 leaves none of 5 tokens; lower it"),
    ],
)
def test_outputs_of_another_form_are_refused(features, output, line):
    with pytest.raises(UserError, match=line):
        features(output)
