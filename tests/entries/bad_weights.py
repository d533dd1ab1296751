"""Bad weights of other libraries, and models that cannot be built."""

from collections.abc import Callable
from pathlib import Path

import torch

from alfa_md.experiment.safetensors_file import write_safetensors
from tests.entries import damage as d
from tests.entries.bad_input import BadInput, bound, train

OTHER = {"conv1.weight": torch.ones(2, 2), "fc.bias": torch.ones(2)}
HUB = (
    "--gin_config=gin/proto_maml_alfa.gin",
    "--gin_config=gin/quickstart.gin",
    "--gin_config=gin/parts/hub_backbone.gin",
)


def pretrained(what: str, line: str, file: str, write: Callable[[Path], object]) -> BadInput:
    return train(what, line, f"--gin_bindings=PRETRAINED = '{file}'", damage=lambda folder: write(folder / file))


def saved(content: object) -> Callable[[Path], object]:
    return lambda file: torch.save(content, file)


def hub(what: str, line: str, binding: str) -> BadInput:
    return BadInput(
        what, "train", (*HUB, "--records_root_dir=records", "--run_dir=new", f"--gin_bindings={binding}"), line
    )


SECTIONS: dict[str, tuple[BadInput, ...]] = {
    "Weights and models of other libraries": (
        pretrained(
            "weights of another network",
            "^w.safetensors does not fit the backbone: 0 of 12 tensors taken, 0 % of the backbone's values; not in the",
            "w.safetensors",
            lambda file: write_safetensors(file, OTHER, {}),
        ),
        pretrained(
            "a safetensors file that claims much",
            "^w.safetensors: claims a header of 1152921504606846976 bytes, and has 10; at most 16777216 are read; use",
            "w.safetensors",
            lambda file: file.write_bytes((2**60).to_bytes(8, "little") + b"{}"),
        ),
        pretrained(
            "pickled code in weights: refused, not run",
            "^w.pth holds more than tensors and plain values, and reading it could run code; if you trust it, save its",
            "w.pth",
            lambda file: torch.save({"state_dict": OTHER, "args": d.Trap(file.parent / "trace")}, file),
        ),
        pretrained(
            "a file without tensors",
            "^w.pth holds epoch, lr, and no tensors by name there or under state_dict, model_state_dict, model,",
            "w.pth",
            saved({"epoch": 3, "lr": 0.1}),
        ),
        bound(
            "a share above 1",
            "^gin: Experiment.pretrained_share = 2 must be a number of at least 0 and at most 1$",
            "Experiment.pretrained_share = 2",
        ),
        hub(
            "a folder without a model",
            "^records: has no config.json; name a folder that transformers",
            "HUB_MODEL = 'records'",
        ),
        hub(
            "a malformed name of the hub",
            "^hf:net: write hf:OWNER/NAME or hf:OWNER/NAME@REVISION$",
            "HUB_MODEL = 'hf:net'",
        ),
        hub(
            "a configuration without a kind",
            "^hub_backbone.model: is not the configuration of a model; it must have a model_type such as 'dinov2'$",
            "HUB_MODEL = {'hidden_size': 8}",
        ),
        hub(
            "a size that the model does not take",
            "^ViTModel does not take images of 84 pixels .ValueError: Input image size .84.84. doesn't match model",
            "HUB_MODEL = {'model_type': 'vit', 'image_size': 16, 'patch_size': 8, 'hidden_size': 12}",
        ),
    ),
}
