"""The HTML report on runs: reading of run directories, published results, figures and page sections."""
