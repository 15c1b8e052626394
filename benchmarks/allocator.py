"""Training on a CPU with TensorFlow: memory that is kept, and memory that is given back.

    python benchmarks/allocator.py          # 3 minutes; --save updates the README here

By default, TensorFlow returns the memory of a step to the operating system, and the next step asks
for it again. With TF_CPU_ALLOCATOR_USE_BFC=1 it keeps it. Each setting runs in fresh processes,
taking turns; the results are medians.
"""

import argparse
import os

import measure
import numpy as np
from training import batches, network

SETTING = "TF_CPU_ALLOCATOR_USE_BFC"
STEPS = 10


def train(keeps_memory):
    """Processor seconds per step of `fit`, and the peak memory in GB."""
    os.environ[SETTING] = str(int(keeps_memory))
    import keras

    import hpatches_kit as hk

    model, pairs = network(), batches(STEPS)
    model.compile(keras.optimizers.Adam(2e-3), hk.losses.HardNegativeTriplet(1.0, "minimum"))
    model.fit(pairs, verbose=0)
    started = measure.processor_seconds()
    model.fit(pairs, verbose=0)
    return (measure.processor_seconds() - started) / STEPS, measure.peak_memory()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3, help="number of times that each one runs")
    parser.add_argument("--save", action="store_true", help="update benchmarks/README.md")
    options = parser.parse_args()
    results = {0: [], 1: []}
    for _ in range(options.rounds):
        for setting, measured in results.items():
            measured.append(measure.in_fresh_process(train, setting))
            print(f"{SETTING}={setting}: {measured[-1][0]:.2f} s per step", flush=True)
    medians = {setting: np.median(measured, axis=0) for setting, measured in results.items()}
    rows = [
        {
            "setting": f"`{SETTING}={setting}`",
            "processor seconds per step": float(seconds),
            "relative": float(seconds / medians[0][0]),
            "peak memory, GB": float(memory),
        }
        for setting, (seconds, memory) in medians.items()
    ]
    text = measure.table(rows)
    print(text)
    if options.save:
        measure.save_to_page("allocator", f"{text}\n\n{measure.describe_machine()}.")


if __name__ == "__main__":
    main()
