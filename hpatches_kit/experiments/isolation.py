"""Isolate a training from the Python session that starts it."""

import random
from contextlib import ExitStack, contextmanager

import keras
import numpy as np
from keras.src.backend.common import global_state

RESET = "global_random_seed", "global_seed_generator", "object_name_uids"  # attributes of Keras


@contextmanager
def isolated_session(seed, policy):
    """Seed Python, NumPy and Keras and set a dtype policy; restore all of them at the end.

    Layers are numbered from zero inside, and continue the caller's numbering afterwards. The
    caller's models and devices are untouched. `keras.utils.set_random_seed` and `clear_session`
    cannot be undone. TensorFlow's own seed is not set: no random operation of Keras uses it.
    """
    python, legacy_numpy = random.getstate(), np.random.get_state()
    keras_state = dict(vars(global_state.GLOBAL_STATE_TRACKER))  # of this thread
    with ExitStack() as stack:
        if keras.backend.backend() == "torch":
            import torch

            stack.enter_context(torch.random.fork_rng())
            torch.manual_seed(seed)
        try:
            for name in RESET:
                vars(global_state.GLOBAL_STATE_TRACKER).pop(name, None)
            random.seed(seed)
            np.random.seed(seed)
            keras.config.set_dtype_policy(policy)
            yield
        finally:
            random.setstate(python)
            np.random.set_state(legacy_numpy)
            state = vars(global_state.GLOBAL_STATE_TRACKER)
            state.clear()
            state.update(keras_state)
