"""Small synthetic originals of the sources, in the layouts in which people download them: one module a source."""
