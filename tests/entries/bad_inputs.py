"""All bad inputs by section, one per row; the source of `docs/errors.md`."""

from tests.entries import (
    bad_choices,
    bad_commands,
    bad_configurations,
    bad_images,
    bad_records,
    bad_results,
    bad_runs,
    bad_values,
)

MODULES = (bad_records, bad_images, bad_values, bad_commands, bad_choices, bad_runs, bad_configurations, bad_results)
SECTIONS = {section: rows for module in MODULES for section, rows in module.SECTIONS.items()}
assert len(SECTIONS) == sum(len(module.SECTIONS) for module in MODULES)
