"""How large a set of descriptors may be."""

from dataclasses import dataclass

from hpatches_kit._support.errors import UserError
from hpatches_kit._support.processor import cores
from hpatches_kit._support.units import format_bytes
from hpatches_kit.patches.views import VIEWS

BYTES = 4  # of a number, which is float32


@dataclass(frozen=True)
class Limits:
    """What reading and scoring a set of descriptors may cost.

    The defaults allow all of HPatches with thousands of dimensions, such as whole patches. Whoever
    scores the files of others sets smaller ones.

    Attributes:
        points: in all; HPatches has 157,000.
        points_per_sequence: HPatches has at most 2,000. Matching compares all points of a sequence
            with each other, and a draw of a pair takes time in proportion to them.
        dimensions: numbers of a descriptor.
        unpacked_bytes: of the file or the folder, after unpacking; of a zip at most 17 GB.
        memory: bytes of the descriptors, and of what their evaluation needs.
        seconds: time for the evaluation; None for no limit.
    """

    points: int = 1_000_000
    points_per_sequence: int = 10_000
    dimensions: int = 16_384
    unpacked_bytes: int = 64 << 30
    memory: int = 64 << 30
    seconds: float | None = 4 * 3600

    def check(self, points, dimensions, largest, where):
        """Raise UserError for descriptors that are too large; needs no descriptors yet.

        Args:
            points, dimensions: of all descriptors.
            largest: points of the largest sequence.
            where: the descriptors or their file, for the message.
        """
        for number, limit, unit in (
            (points, self.points, "points"),
            (largest, self.points_per_sequence, "points in a sequence"),
            (dimensions, self.dimensions, "dimensions"),
        ):
            if number > limit:
                raise UserError(f"{where} has {number:,} {unit}: expected at most {limit:,}.")
        # Matching holds two copies of the views of a sequence in each thread.
        vectors = len(VIEWS) * (points + 2 * cores() * largest)
        if (memory := vectors * dimensions * BYTES) > self.memory:
            raise UserError(
                f"{where} needs {format_bytes(memory)} of memory for {points:,} points and"
                f" {dimensions:,} dimensions: expected at most {format_bytes(self.memory)}."
            )
