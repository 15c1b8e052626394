"""The time of a training step: `fit` with hard negatives, the same step by hand, plain PyTorch.

    python benchmarks/training.py           # 12 minutes, 20 on JAX; --save updates the README here
    KERAS_BACKEND=jax python benchmarks/training.py

L2-Net as HardNet trains it, Adam, the batches of `hk.batches.Pairs`. By hand: the same network with
a compiled step of loss, gradient and update in the functions of the backend, without callbacks and
metrics. PyTorch, if installed: network, loss and step in plain torch. Each runs several times in
fresh processes, taking turns; the result is the median.
"""

import argparse
import os
import time
from importlib import import_module
from importlib.util import find_spec

import measure
import numpy as np

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
PAIRS, STEPS, EPOCHS = 128, 30, 3
FILE = measure.PROJECT / "benchmarks" / "training.json"
FILTERS = [(32, 1), (32, 1), (64, 2), (64, 1), (128, 2), (128, 1)]


def batches(steps=STEPS):
    """`Pairs` of random patches: the time does not depend on what they show."""
    import hpatches_kit as hk

    clean = np.random.default_rng(0).integers(0, 256, (400, 16, 32, 32), np.uint8)
    patches = hk.PatchSet({"clean": clean}, ["v_random"] * len(clean))
    return hk.batches.Pairs(patches, PAIRS, steps)


def network():
    import hpatches_kit as hk

    return hk.models.l2net(standardise=True, affine=False, final_batch_norm=True)


def by_fit(with_diagnostics):
    """Seconds per step of each epoch except the first, in which the step is compiled."""
    import keras

    import hpatches_kit as hk

    class Clock(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            self.start = time.perf_counter()

        def on_epoch_end(self, epoch, logs=None):
            seconds.append((time.perf_counter() - self.start) / STEPS)

    seconds = []
    model = network()
    loss = hk.losses.HardNegativeTriplet(1.0, "minimum")
    metrics = hk.metrics.diagnostics(loss) if with_diagnostics else None
    model.compile(keras.optimizers.Adam(2e-3), loss, metrics=metrics)
    model.fit(batches(), epochs=EPOCHS, verbose=0, callbacks=[Clock()])
    return seconds[1:]


def time_steps(step):
    """Seconds per step of each epoch except the first."""
    pairs, seconds = batches(), []
    for _ in range(EPOCHS):
        start = time.perf_counter()
        for k in range(STEPS):
            step(pairs[k][0])
        seconds.append((time.perf_counter() - start) / STEPS)
        pairs.on_epoch_end()
    return seconds[1:]


def by_hand_tensorflow():
    import keras
    import tensorflow as tf

    model, optimizer = network(), keras.optimizers.Adam(2e-3)
    optimizer.build(model.trainable_variables)

    @tf.function
    def step(patches):
        with tf.GradientTape() as tape:
            rows = model(tf.cast(patches, tf.float32), training=True)
            distances = tf.sqrt(tf.maximum(2 - 2 * rows[::2] @ tf.transpose(rows[1::2]), 1e-6))
            negatives = tf.linalg.set_diag(distances, tf.fill([PAIRS], 10.0))
            hardest = tf.minimum(tf.reduce_min(negatives, 0), tf.reduce_min(negatives, 1))
            loss = tf.reduce_mean(tf.nn.relu(1 + tf.linalg.diag_part(distances) - hardest))
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply(gradients, model.trainable_variables)
        return loss

    return time_steps(lambda patches: float(step(tf.constant(patches))))


def by_hand_jax():
    import jax
    import jax.numpy as jnp
    import keras

    model, optimizer = network(), keras.optimizers.Adam(2e-3)
    optimizer.build(model.trainable_variables)

    def loss(trainable, other, patches):
        rows, other = model.stateless_call(
            trainable, other, patches.astype("float32"), training=True
        )
        distances = jnp.sqrt(jnp.maximum(2 - 2 * rows[::2] @ rows[1::2].T, 1e-6))
        negatives = jnp.where(jnp.eye(PAIRS, dtype=bool), 10.0, distances)
        hardest = jnp.minimum(negatives.min(0), negatives.min(1))
        return jax.nn.relu(1 + jnp.diagonal(distances) - hardest).mean(), other

    @jax.jit
    def step(state, patches):
        trainable, other, slots = state
        (value, other), gradients = jax.value_and_grad(loss, has_aux=True)(
            trainable, other, patches
        )
        trainable, slots = optimizer.stateless_apply(slots, gradients, trainable)
        return value, (trainable, other, slots)

    variables = model.trainable_variables, model.non_trainable_variables, optimizer.variables
    state = [[variable.value for variable in group] for group in variables]

    def step_in_place(patches):
        nonlocal state
        value, state = step(state, patches)
        float(value)

    return time_steps(step_in_place)


def plain_torch(channels_last):
    import torch
    from torch import nn
    from torch.nn import functional as F

    from hpatches_kit._support.processor import cores

    torch.set_num_threads(cores())
    layers, channels = [nn.InstanceNorm2d(1)], 1
    for filters, stride in FILTERS:
        convolution = nn.Conv2d(channels, filters, 3, stride, 1, bias=False)
        layers += [convolution, nn.BatchNorm2d(filters, affine=False), nn.ReLU()]
        channels = filters
    last = nn.Conv2d(channels, 128, 8, bias=False)
    layers += [nn.Dropout(0.3), last, nn.BatchNorm2d(128, affine=False), nn.Flatten()]
    layout = torch.channels_last if channels_last else torch.contiguous_format
    model = nn.Sequential(*layers).to(memory_format=layout)
    optimizer = torch.optim.Adam(model.parameters(), 2e-3)

    def step(patches):
        x = torch.from_numpy(patches).permute(0, 3, 1, 2).float()
        rows = F.normalize(model(x.contiguous(memory_format=layout)))
        distances = torch.sqrt(torch.clamp(2 - 2 * rows[::2] @ rows[1::2].T, min=1e-6))
        negatives = distances.masked_fill(torch.eye(PAIRS, dtype=torch.bool), 10.0)
        hardest = torch.minimum(negatives.amin(0), negatives.amin(1))
        loss = torch.relu(1 + torch.diagonal(distances) - hardest).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.item()

    return time_steps(step)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3, help="number of times that each one runs")
    parser.add_argument(
        "--save", action="store_true", help="update the table in benchmarks/README.md"
    )
    options = parser.parse_args()
    backend = os.environ.get("KERAS_BACKEND", "tensorflow")
    runs = {
        f"`fit`, {backend}": (by_fit, False),
        f"`fit` with diagnostics, {backend}": (by_fit, True),
    }
    by_hand = {"tensorflow": by_hand_tensorflow, "jax": by_hand_jax}.get(backend)
    if by_hand:
        runs[f"by hand, {backend}"] = (by_hand,)
    if find_spec("torch"):
        runs["plain PyTorch"] = (plain_torch, False)
        runs["plain PyTorch, channels last"] = (plain_torch, True)
    seconds = {name: [] for name in runs}
    for round_number in range(1, options.rounds + 1):
        for name, call in runs.items():
            seconds[name] += measure.in_fresh_process(*call)
            speed = 2 * PAIRS / np.median(seconds[name])
            print(f"round {round_number}: {name}: {speed:.0f} patches/s", flush=True)
    fit = np.median(seconds[f"`fit`, {backend}"])
    rows = [
        {
            "backend": backend,
            "step": name,
            "patches per second": round(2 * PAIRS / np.median(values)),
            "seconds per step": float(np.median(values)),
            "time of `fit` relative to it": float(fit / np.median(values)),
        }
        for name, values in seconds.items()
    ]
    if options.save:
        rows = measure.merge_saved_rows(FILE, rows, ("backend", "step"))
    text = measure.table(rows)
    print(text)
    if options.save:
        installed = [name for name in ("keras", "tensorflow", "jax", "torch") if find_spec(name)]
        versions = ", ".join(f"{name} {import_module(name).__version__}" for name in installed)
        measure.save_to_page("training", f"{text}\n\n{measure.describe_machine()}; {versions}.")


if __name__ == "__main__":
    main()
