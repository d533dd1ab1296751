"""Few-shot benchmarks on images without TensorFlow: one module a data set, named after its folder."""
