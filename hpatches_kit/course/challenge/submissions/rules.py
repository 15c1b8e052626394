"""The limits of the challenge: of a descriptor, of a network, and of a file."""

MOST_NUMBERS = 128  # per descriptor
MOST_PARAMETERS = 2_000_000
MOST_GPU_HOURS = 1
LARGEST_VALUE = 1e6  # of a number, by absolute value; larger ones are mistakes
CARD_BYTES = 16_384
OVERHEAD = 65_536  # bytes of a .npz beyond its numbers


def largest_file(patches):
    """Greatest size of a `.npz` with descriptors of so many patches, in bytes."""
    return patches * MOST_NUMBERS * 4 + OVERHEAD
