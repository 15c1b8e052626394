"""Work of a teacher, as in `work.py`: submissions to a challenge are scored."""

import os

import numpy as np

import hpatches_kit as hk
from campaigns.formats import hash_of
from hpatches_kit._support.locks import locked
from hpatches_kit.course.challenge.dealing import making

HONEST, DAMAGED = 3, 1


def _challenge(place):
    """A challenge of 64 points with three honest submissions and a damaged one."""
    with locked(place / "challenge"):
        if not (place / "challenge").exists():
            _deal(place / ".new")
            os.replace(place / ".new", place / "challenge")
    return place / "challenge"


def _deal(folder):
    making.new_secret = lambda: bytes(range(32))  # a random one would give other scores each time
    rng = np.random.default_rng(2)
    names = np.repeat([f"{kind}_photo{k}_1" for k in range(4) for kind in "vi"], 8)
    clean = rng.integers(0, 256, (len(names), 1, 32, 32), np.uint8).repeat(16, axis=1)
    noisy = np.clip(clean + rng.normal(0, 60, clean.shape), 0, 255).astype(np.uint8)
    hk.PatchSet({"clean": clean, "noisy": noisy}, names).save(folder / "set")
    key = hk.course.challenge.make(
        folder / "set", folder / "kit", folder / "key.npz", progress=False
    )
    patches = np.load(folder / "kit" / "patches.npz")["patches"]
    (folder / "submissions").mkdir()
    for k in range(HONEST + DAMAGED):
        path = folder / "submissions" / f"s{k}.npz"
        values = patches.reshape(len(patches), -1)[:, k :: 16 + k]
        hk.course.challenge.save_submission(path, values, _card(k, key.challenge))
    path.write_bytes(path.read_bytes()[:-40])


def _card(k, challenge):
    return {
        "challenge": challenge,
        "name": f"Participant {k}",
        "method": "Some of the pixels.",
        "training_data": "none",
        "command": "python make_submission.py",
        "parameters": 0,
        "gpu_hours": 0,
    }


def mark(place):
    """Score the submissions; an earlier result is replaced."""
    folder = _challenge(place)
    hk.course.challenge.score(
        folder / "submissions", folder / "key.npz", place / "scores", progress=False
    )


def read_marks(place):
    """The bytes of all results; what an earlier, interrupted call wrote is whole or not there."""
    published = _bytes_of(place / "scores") if (place / "scores").exists() else None
    mark(place)
    result = _bytes_of(place / "scores")
    assert published in (None, result), "half a result was published"
    return result + str(sorted(path.name for path in place.iterdir()))


def _bytes_of(folder):
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return hash_of(*[(str(path.relative_to(folder)), path.read_bytes()) for path in files])


WORK = {"marking": (mark, read_marks)}
