"""Small synthetic original files of the sources in their published layouts: one module per source."""
