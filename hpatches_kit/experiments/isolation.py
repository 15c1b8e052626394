"""Isolate training from the Python session that starts it."""

import random
from contextlib import ExitStack, contextmanager

import keras
import numpy as np
from keras.src.backend.common import global_state

RESET = "global_random_seed", "global_seed_generator", "object_name_uids"  # of Keras's state


@contextmanager
def isolated_session(seed, policy):
    """Seed Python, NumPy and Keras and set a dtype policy; restore all of them at the end.

    Inside, Keras numbers new layers from zero; afterwards it continues the caller's numbering. The
    caller's models and devices stay unchanged. `keras.utils.set_random_seed` and `clear_session`
    are not used: they cannot be undone. TensorFlow's own seed is not set: Keras does not use it.
    """
    python_state, numpy_state = random.getstate(), np.random.get_state()
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
            random.setstate(python_state)
            np.random.set_state(numpy_state)
            state = vars(global_state.GLOBAL_STATE_TRACKER)
            state.clear()
            state.update(keras_state)
