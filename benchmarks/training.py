"""What a step of training costs: `fit` with hard mining, the same by hand, and plain PyTorch.

    python benchmarks/training.py           # 12 minutes, 20 on JAX; --save renews benchmarks/README.md
    KERAS_BACKEND=jax python benchmarks/training.py

L2-Net as HardNet trains it, Adam, the batches of `hk.batches.Pairs`. By hand: the same network, with a
compiled step of gradient, loss and update in the backend's own functions, and no callbacks and metrics.
PyTorch, where it is installed: network, loss and step in plain torch. Each runs in a process of its own,
in turn, several times over; what counts is the median.
"""

import argparse
import os
import time
from importlib import import_module
from importlib.util import find_spec

import numpy as np
from measure import PROJECT, apart, into_page, kept, machine, table

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
PAIRS, STEPS, EPOCHS = 128, 30, 3
FILE = PROJECT / "benchmarks" / "training.json"
FILTERS = [(32, 1), (32, 1), (64, 2), (64, 1), (128, 2), (128, 1)]


def batches():
    """Random patches: what is timed does not depend on what they show."""
    import hpatches_kit as hk

    patches = np.random.default_rng(0).integers(0, 256, (400, 16, 32, 32), np.uint8)
    data = hk.PatchSet({"clean": patches}, ["v_random"] * len(patches))
    return hk.batches.Pairs(data, PAIRS, STEPS)


def network():
    import hpatches_kit as hk

    return hk.models.l2net(standardise=True, affine=False, final_batch_norm=True)


def by_fit(watched):
    """Seconds a step of each epoch but the first, in which the step is compiled."""
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
    metrics = hk.metrics.diagnostics(loss) if watched else None
    model.compile(keras.optimizers.Adam(2e-3), loss, metrics=metrics)
    model.fit(batches(), epochs=EPOCHS, verbose=0, callbacks=[Clock()])
    return seconds[1:]


def timed(step):
    data, seconds = batches(), []
    for _ in range(EPOCHS):
        start = time.perf_counter()
        for k in range(STEPS):
            patches, labels = data[k]
            step(patches, labels)
        seconds.append((time.perf_counter() - start) / STEPS)
        data.on_epoch_end()
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
            d = tf.sqrt(tf.maximum(2 - 2 * rows[::2] @ tf.transpose(rows[1::2]), 1e-6))
            apart = tf.linalg.set_diag(d, tf.fill([PAIRS], 10.0))
            hardest = tf.minimum(tf.reduce_min(apart, 0), tf.reduce_min(apart, 1))
            loss = tf.reduce_mean(tf.nn.relu(1 + tf.linalg.diag_part(d) - hardest))
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply(gradients, model.trainable_variables)
        return loss

    return timed(lambda patches, labels: float(step(tf.constant(patches))))


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
        d = jnp.sqrt(jnp.maximum(2 - 2 * rows[::2] @ rows[1::2].T, 1e-6))
        apart = jnp.where(jnp.eye(PAIRS, dtype=bool), 10.0, d)
        hardest = jnp.minimum(apart.min(0), apart.min(1))
        return jax.nn.relu(1 + jnp.diagonal(d) - hardest).mean(), other

    @jax.jit
    def step(state, patches):
        trainable, other, slots = state
        (value, other), gradients = jax.value_and_grad(loss, has_aux=True)(
            trainable, other, patches
        )
        trainable, slots = optimizer.stateless_apply(slots, gradients, trainable)
        return value, (trainable, other, slots)

    variables = model.trainable_variables, model.non_trainable_variables, optimizer.variables
    state = [[v.value for v in part] for part in variables]

    def one(patches, labels):
        nonlocal state
        value, state = step(state, patches)
        float(value)

    return timed(one)


def plain_torch(channels_last):
    import torch
    from torch import nn
    from torch.nn import functional as F

    from hpatches_kit._support.processor import cores

    torch.set_num_threads(cores())
    parts, before = [nn.InstanceNorm2d(1)], 1
    for filters, stride in FILTERS:
        conv = nn.Conv2d(before, filters, 3, stride, 1, bias=False)
        parts += [conv, nn.BatchNorm2d(filters, affine=False), nn.ReLU()]
        before = filters
    last = nn.Conv2d(before, 128, 8, bias=False)
    parts += [nn.Dropout(0.3), last, nn.BatchNorm2d(128, affine=False), nn.Flatten()]
    layout = torch.channels_last if channels_last else torch.contiguous_format
    model = nn.Sequential(*parts).to(memory_format=layout)
    optimizer = torch.optim.Adam(model.parameters(), 2e-3)

    def step(patches, labels):
        x = torch.from_numpy(patches).permute(0, 3, 1, 2).float()
        rows = F.normalize(model(x.contiguous(memory_format=layout)))
        d = torch.sqrt(torch.clamp(2 - 2 * rows[::2] @ rows[1::2].T, min=1e-6))
        apart = d.masked_fill(torch.eye(PAIRS, dtype=torch.bool), 10.0)
        hardest = torch.minimum(apart.amin(0), apart.amin(1))
        loss = torch.relu(1 + torch.diagonal(d) - hardest).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.item()

    return timed(step)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3, help="how often each is run")
    parser.add_argument("--save", action="store_true", help="renew the table in the README here")
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
    for turn in range(options.rounds):
        for name, call in runs.items():
            seconds[name] += apart(*call)
            median = np.median(seconds[name])
            print(f"round {turn + 1}: {name}: {2 * PAIRS / median:.0f} patches/s", flush=True)
    fit = np.median(seconds[f"`fit`, {backend}"])
    rows = [
        {
            "backend": backend,
            "what": name,
            "patches a second": round(2 * PAIRS / np.median(values)),
            "seconds a step": float(np.median(values)),
            "`fit` takes, of its time": float(fit / np.median(values)),
        }
        for name, values in seconds.items()
    ]
    if options.save:
        rows = kept(FILE, rows, ["backend", "what"])
    text = table(rows)
    print(text)
    if options.save:
        found = [name for name in ("keras", "tensorflow", "jax", "torch") if find_spec(name)]
        versions = ", ".join(f"{name} {import_module(name).__version__}" for name in found)
        into_page("training", f"{text}\n\n{machine()}; {versions}.")


if __name__ == "__main__":
    main()
