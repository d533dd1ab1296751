"""Meta-Dataset's networks as in its own program: TensorFlow 1 graphs, NHWC, scoped variables, batch moments.

Written from the description of the architectures, independently of our name tables. Everything is computed in float64;
variables are float32, as in its checkpoints.
"""

import numpy as np


class OfficialGraph:
    """Builds one network and its variables, drawn at random by `seed`, and saves what a training run would."""

    def __init__(self, tf, scope: str, size: int, seed: int = 0, classifier: tuple[str, int] | None = None):
        self.tf, self.random, self.graph = tf, np.random.default_rng(seed), tf.Graph()
        v1 = tf.compat.v1
        with self.graph.as_default():
            self.images = v1.placeholder(tf.float64, [None, size, size, 3])
            with v1.variable_scope(scope):
                networks = {"resnet18": self.resnet18, "wide_resnet": self.wide, "four_layer_convnet": self.convnet}
                self.features = networks[scope](self.images)
            if classifier:
                with v1.variable_scope(classifier[0]):
                    self.draw("weight", [self.features.shape[1], classifier[1]])
                    self.draw("bias", [classifier[1]])
            self.weights = {variable.op.name: variable for variable in v1.trainable_variables()}
            self.step = v1.get_variable("global_step", initializer=np.int64(27500), trainable=False)
            v1.get_variable("num_left_in_epoch", initializer=np.int32(3), trainable=False)
            v1.get_variable("weight_copy/Variable_1", initializer=np.ones((2, 2), np.float32), trainable=False)
            used = [variable for name, variable in self.weights.items() if name.startswith(scope)]
            v1.train.AdamOptimizer().minimize(v1.reduce_sum(self.features), var_list=used)
            self.session = v1.Session()
            self.session.run(v1.global_variables_initializer())

    def draw(self, name, shape, mean=0.0):
        start = self.random.normal(mean, 0.1, shape).astype(np.float32)
        return self.tf.cast(self.tf.compat.v1.get_variable(name, initializer=start), self.tf.float64)

    def conv(self, x, width, side, stride=1):
        kernel = self.draw("weight", [side, side, x.shape[3], width])
        return self.tf.nn.conv2d(x, kernel, strides=[1, stride, stride, 1], padding="SAME")

    def batch_norm(self, x):
        mean, var = self.tf.nn.moments(x, axes=[0, 1, 2], keepdims=True)
        with self.tf.compat.v1.variable_scope("batch_norm"):
            shape = [1, 1, 1, x.shape[3]]
            offset, scale = self.draw("offset", shape), self.draw("scale", shape, mean=1.0)
        return self.tf.nn.batch_normalization(x, mean, var, offset, scale, 1e-5)

    def conv_bn(self, scope, x, width, side, stride=1):
        with self.tf.compat.v1.variable_scope(scope):
            return self.batch_norm(self.conv(x, width, side, stride))

    def convnet(self, x):
        for i in range(4):
            x = self.tf.nn.relu(self.conv_bn(f"layer_{i}", x, 64, 3))
            x = self.tf.nn.max_pool2d(x, 2, 2, "VALID")
        return self.tf.reshape(x, [-1, int(np.prod(x.shape[1:]))])

    def resnet18(self, x):
        tf, v1 = self.tf, self.tf.compat.v1
        side = -(-x.shape[1] // 32) * 32 + 1
        x = tf.cast(v1.image.resize_bilinear(x, [side, side], align_corners=True), tf.float64)
        x = tf.nn.relu(self.conv_bn("conv1", x, 64, 7, stride=2))
        x = tf.nn.max_pool2d(x, 3, 2, "SAME")
        for stage, width in enumerate((64, 128, 256, 512)):
            for block in range(2):
                with v1.variable_scope(f"conv{stage + 2}_x/bottleneck_{block}"):
                    x = self.block(x, width, stride=2 if stage and not block else 1, project=block == 0)
        return tf.reduce_mean(x, axis=[1, 2])

    def block(self, x, width, stride, project):
        h = self.tf.nn.relu(self.conv_bn("conv1", x, width, 3, stride))
        h = self.conv_bn("conv2", h, width, 3)
        if project:
            x = self.conv_bn("identity/projection_conv", x, width, 1, stride)
        return self.tf.nn.relu(x + h)

    def wide(self, x):
        scoped = self.tf.compat.v1.variable_scope
        with scoped("conv1"):
            x = self.conv(x, 16, 3)
        for group, (width, stride) in enumerate(((32, 1), (64, 2), (128, 2))):
            for block in range(2):
                with scoped(f"conv{group + 2}_x/wide_block_{block}"):
                    x = self.wide_block(x, width, 1 if block else stride)
        with scoped("embedding_layer"):
            return self.tf.reduce_mean(self.tf.nn.relu(self.batch_norm(x)), axis=[1, 2])

    def wide_block(self, x, width, stride):
        scoped = self.tf.compat.v1.variable_scope
        with scoped("conv1"):
            a = self.tf.nn.relu(self.batch_norm(x))
            h = self.conv(a, width, 3, stride)
        with scoped("conv2"):
            h = self.conv(self.tf.nn.relu(self.batch_norm(h)), width, 3)
        with scoped("identity/projection_conv"):
            return h + self.conv(a, width, 1, stride)

    def embed(self, images: np.ndarray) -> np.ndarray:
        """Features [N, D] of images [N, H, W, 3]."""
        return self.session.run(self.features, {self.images: images})

    def values(self) -> dict[str, np.ndarray]:
        """The network's variables and the number of updates, by name."""
        return self.session.run({**self.weights, "global_step": self.step})

    def save(self, prefix) -> None:
        """All variables, with those of the optimiser."""
        with self.graph.as_default():
            self.tf.compat.v1.train.Saver().save(self.session, str(prefix))

    def restore(self, prefix) -> None:
        """The network's variables and the number of updates."""
        with self.graph.as_default():
            self.tf.compat.v1.train.Saver([*self.weights.values(), self.step]).restore(self.session, str(prefix))
