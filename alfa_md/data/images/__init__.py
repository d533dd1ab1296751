"""Few-shot image benchmarks, read without TensorFlow: one module per data set, named after its folder."""
