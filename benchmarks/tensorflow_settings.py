"""Training on a CPU with TensorFlow: two settings that it does not choose by itself everywhere.

    python benchmarks/tensorflow_settings.py     # 6 minutes; --save updates the README here

By default, TensorFlow returns the memory of a step to the operating system, and the next step asks
for it again; with TF_CPU_ALLOCATOR_USE_BFC=1 it keeps it. The convolutions of oneDNN are its default
only on processors with AVX-512; with TF_ENABLE_ONEDNN_OPTS=1 it takes them on others, too. Each
setting runs in fresh processes, taking turns; the results are medians.
"""

import argparse
import os

import measure
import numpy as np
import training

SETTINGS = {  # the same thing as 0 and 1, whatever the processor
    "neither": ("0", "0"),
    "TF_CPU_ALLOCATOR_USE_BFC=1": ("1", "0"),
    "TF_ENABLE_ONEDNN_OPTS=1": ("0", "1"),
    "both": ("1", "1"),
}
NETWORKS = "L2-Net", "U-Net"
STEPS = 5


def train(setting, network):
    """Processor seconds per step of `fit` with 256 patches, and the peak memory in GB."""
    os.environ["TF_CPU_ALLOCATOR_USE_BFC"], os.environ["TF_ENABLE_ONEDNN_OPTS"] = SETTINGS[setting]
    import keras

    import hpatches_kit as hk

    if network == "L2-Net":
        model, loss = training.network(), hk.losses.HardNegativeTriplet(1.0, "minimum")
        batches = training.batches(STEPS)
    else:  # that of the pretrained denoiser; what the patches show does not matter
        from hpatches_kit.experiments.tables.recipe import RECIPE_UNET

        model, loss = hk.models.unet(**RECIPE_UNET.network_options), "mae"
        batches = [training.batches(STEPS)[i][0] for i in range(STEPS)]
        batches = np.concatenate(batches), np.concatenate(batches)
    model.compile(keras.optimizers.Adam(2e-3), loss)

    def fit():
        if network == "L2-Net":
            model.fit(batches, verbose=0)
        else:
            model.fit(*batches, batch_size=2 * training.PAIRS, verbose=0)

    fit()  # builds and compiles
    started = measure.processor_seconds()
    fit()
    return (measure.processor_seconds() - started) / STEPS, measure.peak_memory()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3, help="number of times that each one runs")
    parser.add_argument("--save", action="store_true", help="update benchmarks/README.md")
    options = parser.parse_args()
    results = {(network, setting): [] for network in NETWORKS for setting in SETTINGS}
    for _ in range(options.rounds):
        for (network, setting), measured in results.items():
            measured.append(measure.in_fresh_process(train, setting, network))
            print(f"{network}, {setting}: {measured[-1][0]:.2f} s per step", flush=True)
    medians = {key: np.median(measured, axis=0) for key, measured in results.items()}
    rows = [
        {
            "network": network,
            "setting": setting if setting in ("neither", "both") else f"`{setting}`",
            "processor seconds per step": float(seconds),
            "relative": float(seconds / medians[network, "neither"][0]),
            "peak memory, GB": float(memory),
        }
        for (network, setting), (seconds, memory) in medians.items()
    ]
    text = measure.table(rows)
    print(text)
    if options.save:
        runs = f"Medians of {options.rounds} runs" if options.rounds > 1 else "One run of each"
        about = f"{runs}. {measure.describe_machine()}."
        measure.save_to_page("tensorflow-settings", f"{text}\n\n{about}")


if __name__ == "__main__":
    main()
