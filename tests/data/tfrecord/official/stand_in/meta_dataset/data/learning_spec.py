import enum


class Split(enum.Enum):
    TRAIN = 0
    VALID = 1
    TEST = 2
