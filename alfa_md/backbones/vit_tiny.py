"""A small vision transformer (Dosovitskiy et al., ICLR 2021) with pre-normalisation, for images of 84 or 32 pixels."""

import gin
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from alfa_md.backbones.image_size import require_exact_pixels
from alfa_md.errors import UserError, require_at_least
from alfa_md.values import Layers, Pixels, Width

STD = 0.02  # of the initial position embedding


@gin.configurable
class VitTiny(nn.Module):
    """Patches -> linear -> + position -> blocks -> LayerNorm -> mean over patches: [N, 3, S, S] -> [N, width].

    Images of a batch do not interact: LayerNorm only. No class token, no dropout. Weights are initialised
    Xavier-uniform, biases with zero. 169 600 parameters for 84 pixels, in 41 tensors.

    Args:
      image_size: S, fixed by the learned position embedding.
      patch_size: pixels per side of a patch.
      width: D of every token, and of the features.
      depth: number of blocks.
      num_heads: heads of the attention.
    """

    def __init__(
        self,
        image_size: Pixels = 84,
        patch_size: Pixels = 6,
        width: Width = 64,
        depth: Layers = 3,
        num_heads: Width = 4,
    ):
        super().__init__()
        sizes = {"image_size": image_size, "patch_size": patch_size, "width": width, "num_heads": num_heads}
        require_at_least(1, "VitTiny", depth=depth, **sizes)
        require_multiple("image_size", image_size, "patch_size", patch_size)
        require_multiple("width", width, "num_heads", num_heads)
        self.image_size = image_size
        self.patches = nn.Conv2d(3, width, patch_size, stride=patch_size)
        self.position = nn.Parameter(torch.empty((image_size // patch_size) ** 2, width))
        self.blocks = nn.Sequential(*(Block(width, num_heads) for _ in range(depth)))
        self.norm = nn.LayerNorm(width)
        nn.init.trunc_normal_(self.position, std=STD)
        for layer in self.modules():
            if isinstance(layer, nn.Linear | nn.Conv2d):
                nn.init.xavier_uniform_(layer.weight.flatten(1))
                nn.init.zeros_(layer.bias)

    def no_weight_decay(self) -> set[str]:
        return {"position"}

    def forward(self, images: Tensor) -> Tensor:
        """Raises UserError for images of another size."""
        require_exact_pixels(images, self.image_size, "VitTiny")
        tokens = self.patches(images).flatten(2).mT + self.position  # [N, patches, width]
        return self.norm(self.blocks(tokens)).mean(dim=1)


class Block(nn.Module):
    """x + attention(LayerNorm(x)), then x + MLP(LayerNorm(x)), of tokens [N, T, width]."""

    def __init__(self, width: int, num_heads: int):
        super().__init__()
        self.num_heads = num_heads
        self.attention_norm, self.mlp_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.output = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attention(self.attention_norm(x))
        return x + self.mlp(self.mlp_norm(x))

    def attention(self, x: Tensor) -> Tensor:
        q, k, v = self.qkv(x).unflatten(-1, (3, self.num_heads, -1)).permute(2, 0, 3, 1, 4)  # [N, heads, T, d] each
        return self.output(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))


def require_multiple(name: str, value: int, unit_name: str, unit: int) -> None:
    """Raises UserError unless `value` is a multiple of `unit`."""
    if value % unit:
        raise UserError(f"VitTiny.{name} = {value} must be a multiple of VitTiny.{unit_name} = {unit}")
