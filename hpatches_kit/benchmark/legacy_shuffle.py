"""The first two entries of many shuffles, from NumPy's legacy random generator.

What it buys: the 1,000,000 verification pairs of split a are drawn 9 times faster than by
`plain.draw_pairs`, in 5.1 s instead of 48 s; `make benchmark` measures it and compares every pair.

The official generator shuffles all points of a sequence to draw two of them. For the same result,
every random number must be drawn, but the shuffles need not be carried out.
"""

import numpy as np

from hpatches_kit._support.compiled_loops import compiled

# The Mersenne Twister (Matsumoto and Nishimura 1998): 624 words of 32 bits, renewed together.
WORDS, AHEAD = 624, 397
TOP, REST, TWIST = np.uint32(1 << 31), np.uint32((1 << 31) - 1), np.uint32(0x9908B0DF)
ONE = np.uint32(1)


def first_two(random, lengths):
    """`random.permutation(length)[:2]` for each length, `int64 (len(lengths), 2)`.

    Args:
        random: `numpy.random.RandomState`; its state advances as by these permutations.
        lengths: 2 or more each.
    """
    lengths = np.asarray(lengths, np.int64)
    result = np.empty((len(lengths), 2), np.int64)
    stream = random.get_state(legacy=False)
    state = stream["state"]
    state["key"] = state["key"].copy()
    words, swap = np.empty(WORDS, np.uint32), np.empty(lengths.max(initial=0), np.uint32)
    state["pos"] = _draw(state["key"], state["pos"], lengths, words, swap, result)
    random.set_state(stream)
    return result


@compiled()
def _draw(key, position, lengths, words, swap, result):
    """Fill `result`; return the new position in the words of the generator."""
    _temper(key, words)
    for row in range(len(lengths)):
        # A shuffle swaps the last entry with a random one up to it, then the one before, and so on.
        entry, mask = np.uint32(lengths[row] - 1), ONE
        while mask < entry:
            mask = mask << ONE | ONE
        while entry > 0:
            while entry > mask >> ONE:
                if position == WORDS:
                    _renew(key)
                    _temper(key, words)
                    position = 0
                # A number that is too large is drawn again: the next one overwrites it.
                swap[entry] = words[position] & mask
                entry -= np.uint32(swap[entry] <= entry)
                position += 1
            mask >>= ONE
        # Following the swaps backwards gives the entries that end up first and second.
        first, second = (1, 0) if swap[1] == 0 else (0, 1)
        for entry in range(2, lengths[row]):
            if swap[entry] == first:
                first = entry
            elif swap[entry] == second:
                second = entry
        result[row, 0], result[row, 1] = first, second
    return position


@compiled()
def _renew(key):
    for k in range(WORDS):
        mixed = key[k] & TOP | key[(k + 1) % WORDS] & REST
        key[k] = key[(k + AHEAD) % WORDS] ^ mixed >> ONE ^ TWIST * (mixed & ONE)


@compiled()
def _temper(key, words):
    """Turn the state into random words."""
    for k in range(WORDS):
        word = key[k]
        word ^= word >> np.uint32(11)
        word ^= word << np.uint32(7) & np.uint32(0x9D2C5680)
        word ^= word << np.uint32(15) & np.uint32(0xEFC60000)
        words[k] = word ^ word >> np.uint32(18)
