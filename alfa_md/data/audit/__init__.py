"""Whether the records of a source are whole, are what they should be, and lie in no order that could mislead."""
