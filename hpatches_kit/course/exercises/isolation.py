"""Run a check under the same conditions everywhere, and leave the notebook as it was."""

import random
from contextlib import contextmanager

import keras
import numpy as np


@contextmanager
def isolated():
    """Layers that are created inside have float32 weights on the CPU; random states are restored.

    The notebook may have chosen mixed precision, and a GPU may round products to TF32: a right
    answer would then miss the tolerance of a check. Keras draws the seeds of initialisers and of
    Dropout from Python's random state: without its restoration, a check would change the networks
    that the notebook builds later.
    """
    policy = keras.config.dtype_policy()
    states = random.getstate(), np.random.get_state()
    keras.config.set_dtype_policy("float32")
    try:
        with keras.device("cpu:0"):
            yield
    finally:
        keras.config.set_dtype_policy(policy)
        random.setstate(states[0])
        np.random.set_state(states[1])
