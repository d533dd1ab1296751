"""What the converters of all sources share: plans, random splits, pictures, and the writing itself."""
