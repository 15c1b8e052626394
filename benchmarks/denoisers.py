"""Compare denoisers on real image sequences: PSNR by noise level, and matching after denoising.

    hpatches data make v_dogman v_wormhole i_leuven i_bikes v_boat --points 500 --out data/real
    python benchmarks/denoisers.py --real data/real

Takes 5 minutes on 2 cores, and half an hour with BM3D, which is compared if it is installed (`pip
install bm3d`, free for research and study only). The filters work patch by patch, so only `--points` points
of each sequence are used: matching is easier than with all of them. The filters are told the
standard deviation of the noise of each patch, which the network is not. `--save` writes the tables to
benchmarks/README.md; `--weights FOLDER` takes denoiser and descriptor of another folder.
"""

import argparse
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from measure import describe_machine, save_to_page, table

import hpatches_kit as hk
from hpatches_kit.experiments.card_scores import available_baselines
from hpatches_kit.models.pretrained import FOLDER

POINTS = 40  # per sequence


def filtered(patches, denoise_patches):
    """Patches that a filter has denoised, given the true strength of the noise of each."""
    noisy, clean = (patches[kind].reshape(-1, 32, 32, 1) for kind in ("noisy", "clean"))
    sigma = (noisy.astype(float) - clean).std(axis=(1, 2, 3))
    result = np.rint(denoise_patches(noisy, sigma)).astype(np.uint8)
    return patches.add("denoised", result.reshape(patches["noisy"].shape))


def denoised_sets(patches, denoiser):
    """Yield the name of a denoiser, the patches, and which kind of them it has made."""
    yield "noisy", patches, "noisy"
    yield "non-local means", filtered(patches, hk.patches.non_local_means), "denoised"
    if find_spec("bm3d"):
        yield "BM3D", filtered(patches, hk.patches.bm3d), "denoised"
    yield "denoiser", hk.denoise(denoiser, patches, cache=False), "denoised"
    yield "clean", patches, "clean"


def matching(model, patches, kind):
    """Matching mAP of a descriptor on one kind of patches."""
    descriptors = hk.describe(model, patches, kind)
    scores = hk.benchmark.evaluate(descriptors, only="matching", progress=False)
    return scores.by_task["matching"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--real", required=True, help="folder of patches of real sequences")
    text = f"per sequence, at most; default: {POINTS}"
    parser.add_argument("--points", type=int, default=POINTS, help=text)
    parser.add_argument(
        "--weights", type=Path, default=FOLDER, help="default: those of the package"
    )
    parser.add_argument("--save", action="store_true", help="write to benchmarks/README.md")
    options = parser.parse_args()
    real = hk.load(options.real)
    patches = real.sample_sparse_points(options.points, 0, per_sequence=True)
    load = partial(hk.models.pretrained, folder=options.weights)
    models = available_baselines() | {"descriptor": load("descriptor")}
    quality, scores = [], []
    for name, shown, kind in denoised_sets(patches, load("denoiser")):
        scores.append(
            {"matching mAP": name}
            | {label: f"{matching(model, shown, kind):.3f}" for label, model in models.items()}
        )
        if kind != "clean":
            psnr = hk.metrics.quality(shown, kind=kind)["PSNR in dB"]
            quality.append({"PSNR in dB": name} | {level: f"{v:.2f}" for level, v in psnr.items()})
        print(scores[-1], flush=True)
    text = "\n\n".join(
        [
            table(quality),
            table(scores),
            f"{len(patches):,} points of {', '.join(patches.names)}, at most {options.points} per"
            f" sequence. {describe_machine()}.",
        ]
    )
    print(text)
    if options.save:
        save_to_page("denoisers", text)


if __name__ == "__main__":
    main()
