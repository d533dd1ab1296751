"""All bad inputs by section, one per row; the source of `docs/errors.md`."""

from tests.entries import (
    bad_choices,
    bad_commands,
    bad_configurations,
    bad_exports,
    bad_images,
    bad_originals,
    bad_predictions,
    bad_prepared,
    bad_records,
    bad_results,
    bad_runs,
    bad_values,
    bad_weights,
)

MODULES = (
    bad_records,
    bad_prepared,
    bad_originals,
    bad_images,
    bad_predictions,
    bad_values,
    bad_weights,
    bad_commands,
    bad_choices,
    bad_runs,
    bad_exports,
    bad_configurations,
    bad_results,
)
SECTIONS = {section: rows for module in MODULES for section, rows in module.SECTIONS.items()}
assert len(SECTIONS) == sum(len(module.SECTIONS) for module in MODULES)
