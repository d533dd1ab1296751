"""All bad inputs by section, one row each. `docs/errors.md` is made of the same rows."""

from tests.entries import bad_commands, bad_records

SECTIONS = bad_records.SECTIONS | bad_commands.SECTIONS
