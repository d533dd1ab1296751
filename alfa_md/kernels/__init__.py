"""Operations that PyTorch has, written so that gradients of gradients are cheap."""
