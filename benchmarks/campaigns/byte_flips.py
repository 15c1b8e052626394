"""Flip random bits of each file: the change is noticed, or has no effect."""

import numpy as np

from campaigns.bad_inputs import outcome_of_case
from campaigns.formats import FORMATS


def flip(position, bit):
    """A function that inverts one bit of a file."""

    def damage(file, _):
        content = bytearray(file.read_bytes())
        content[int(position * len(content))] ^= 1 << bit
        file.write_bytes(content)

    return damage


def run(folder, flips=40, formats=tuple(FORMATS), seed=0, **limits):
    """Flip bits in files of some formats; returns `{label: (outcome, text)}`.

    Of formats without a checksum, whose numbers may change without a trace, only a crash counts.
    """
    outcomes, examples = {}, {}
    for name in formats:
        described, rng = FORMATS[name], np.random.default_rng([seed, list(FORMATS).index(name)])
        for k in range(flips):
            position, bit = rng.random(), int(rng.integers(8))
            file = described.files[k % len(described.files)]
            case = (f"{name}: {file}: bit {bit} at {position:.4f}", name, file, flip(position, bit))
            outcome = outcome_of_case(case, folder, examples, **limits)
            if outcome[0] == "changed" and not described.has_checksum:
                outcome = "equal", "no checksum"
            outcomes[case[0]] = outcome
    return outcomes
