import numpy as np
import torch

from alfa_md.data.tfrecord.bridge import images_to_torch


def test_same_memory_same_values(tf):
    pixels = np.random.RandomState(0).rand(3, 5, 4, 3).astype(np.float32)
    theirs = tf.identity(tf.constant(pixels))
    ours = images_to_torch(theirs)
    assert ours.shape == (3, 3, 5, 4) and ours.dtype == torch.float32
    assert ours.is_contiguous(memory_format=torch.channels_last)
    np.testing.assert_array_equal(ours.permute(0, 2, 3, 1).numpy(), pixels)
    ours[1, 2, 3, 0] = 7.0
    assert theirs.numpy()[1, 3, 0, 2] == 7.0


def test_the_view_outlives_the_tensorflow_tensor(tf):
    views = [images_to_torch(tf.fill([4, 50, 50, 3], float(i))) for i in range(20)]
    assert [float(view.mean()) for view in views] == [float(i) for i in range(20)]
