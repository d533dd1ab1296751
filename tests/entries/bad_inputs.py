"""All bad inputs by section, one per row; the source of `docs/errors.md`."""

from tests.entries import bad_commands, bad_images, bad_records, bad_values

SECTIONS = bad_records.SECTIONS | bad_images.SECTIONS | bad_values.SECTIONS | bad_commands.SECTIONS
assert len(SECTIONS) == sum(len(module.SECTIONS) for module in (bad_records, bad_images, bad_values, bad_commands))
