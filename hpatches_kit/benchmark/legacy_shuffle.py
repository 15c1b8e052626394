"""The first two of a million shuffles, in the stream of NumPy's legacy random numbers.

The official generator shuffles all points of a sequence to draw two of them. To come out where it
comes out, every random number must be drawn, but not every shuffle carried out.
"""

import numpy as np

from hpatches_kit._support.compiled_loops import compiled

# The Mersenne Twister (Matsumoto and Nishimura 1998): 624 words of 32 bits, renewed all at once.
WORDS, AHEAD = 624, 397
TOP, REST, TWIST = np.uint32(1 << 31), np.uint32((1 << 31) - 1), np.uint32(0x9908B0DF)
ONE = np.uint32(1)


def first_two(random, lengths):
    """`random.permutation(length)[:2]` for each of the lengths, `int64 (len(lengths), 2)`.

    Args:
        random: `numpy.random.RandomState`; left as if it had drawn them.
        lengths: 2 or more each.
    """
    lengths = np.asarray(lengths, np.int64)
    result = np.empty((len(lengths), 2), np.int64)
    stream = random.get_state(legacy=False)
    state = stream["state"]
    state["key"] = state["key"].copy()
    state["pos"] = _draw(state["key"], state["pos"], lengths, result)
    random.set_state(stream)
    return result


@compiled()
def _draw(key, at, lengths, result):
    words = np.empty(WORDS, np.uint32)
    _temper(key, words)
    swap = np.empty(lengths.max(), np.uint32)
    for row in range(len(lengths)):
        # A shuffle swaps the last place with a random one up to it, then the last but one ...
        place, mask = np.uint32(lengths[row] - 1), ONE
        while mask < place:
            mask = mask << ONE | ONE
        while place > 0:
            while place > mask >> ONE:
                if at == WORDS:
                    _renew(key)
                    _temper(key, words)
                    at = 0
                # Numbers that are too large are drawn again: here, written over.
                swap[place] = words[at] & mask
                place -= np.uint32(swap[place] <= place)
                at += 1
            mask >>= ONE
        # ... so what ends up first and second is found by following the swaps backwards.
        first, second = (1, 0) if swap[1] == 0 else (0, 1)
        for place in range(2, lengths[row]):
            if swap[place] == first:
                first = place
            elif swap[place] == second:
                second = place
        result[row, 0], result[row, 1] = first, second
    return at


@compiled()
def _renew(key):
    for k in range(WORDS):
        mixed = key[k] & TOP | key[(k + 1) % WORDS] & REST
        key[k] = key[(k + AHEAD) % WORDS] ^ mixed >> ONE ^ TWIST * (mixed & ONE)


@compiled()
def _temper(key, words):
    for k in range(WORDS):
        word = key[k]
        word ^= word >> np.uint32(11)
        word ^= word << np.uint32(7) & np.uint32(0x9D2C5680)
        word ^= word << np.uint32(15) & np.uint32(0xEFC60000)
        words[k] = word ^ word >> np.uint32(18)
