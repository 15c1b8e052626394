"""The difference between descriptors of `from_torch` and those of PyTorch.

    pip install ".[torch]"
    python benchmarks/parity.py [FILE ...]  # 3 minutes; --save writes the table to docs/published.md

Networks of `kornia.feature` with random weights, whose batch normalisation has the statistics of
patches of the built-in photographs. FILE is a published file of weights: its network is read by
`from_torch` and by PyTorch itself, `torch.load(FILE, weights_only=True)`.
"""

import argparse
from importlib.metadata import version
from pathlib import Path

import kornia.feature
import measure
import numpy as np
import torch

import hpatches_kit as hk

CLASSES = {"hardnet": "HardNet", "sosnet": "SOSNet", "hynet": "HyNet", "tfeat": "TFeat"}


class HardTFeat(torch.nn.Module):
    """TFeat as trained with HardNet's loss."""

    def __init__(self):
        super().__init__()
        first, second = torch.nn.Conv2d(1, 32, 7), torch.nn.Conv2d(32, 64, 6)
        tanh, pool = torch.nn.Tanh(), torch.nn.MaxPool2d(2)
        self.features = torch.nn.Sequential(first, tanh, pool, second, tanh)
        self.classifier = torch.nn.Sequential(torch.nn.Dropout(), torch.nn.Conv2d(64, 128, 8), tanh)

    def forward(self, patches):
        deviation, mean = torch.std_mean(patches, dim=(1, 2, 3), keepdim=True)
        x = self.classifier(self.features((patches - mean) / (deviation + 1e-7)))
        return torch.nn.functional.normalize(x.flatten(1))


def random_network(name, patches):
    """A network of kornia whose descriptors of different patches differ."""
    torch.manual_seed(0)
    network = getattr(kornia.feature, CLASSES[name])(pretrained=False)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = None  # the statistics are those of the patches
    with torch.no_grad():
        network.train()(patches)
    return network.eval()


def published_network(file):
    """The name for `from_torch`, and a network with the weights of a file."""
    state = torch.load(file, map_location="cpu", weights_only=True)
    state = state.get("state_dict", state)
    state = {name: value for name, value in state.items() if not name.startswith("SIFT")}
    networks = {n: getattr(kornia.feature, c)(pretrained=False) for n, c in CLASSES.items()}
    for network in [*networks, "tfeat"]:
        module = networks.pop(network, None) or HardTFeat()
        names = {name for name in module.state_dict() if "num_batches" not in name}
        if names == {name for name in state if "num_batches" not in name}:
            module.load_state_dict(state)
            return network, module.eval()
    raise SystemExit(f"{file} has the weights of none of these networks.")


def compare(title, network, model, patches):
    """A row of the table; `patches` are `uint8 (batch, 32, 32)`."""
    with torch.no_grad():
        expected = network(torch.from_numpy(patches[:, None] / 255).float()).numpy()
    descriptors = model.predict(patches[..., None], verbose=0)
    return {
        "network": title,
        "weights": sum(value.numel() for value in network.parameters()),
        "largest difference": float(np.abs(descriptors - expected).max()),
        "mean absolute value": float(np.abs(expected).mean()),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="*", metavar="FILE", help="file of published weights")
    parser.add_argument("--save", action="store_true", help="write the table to docs/published.md")
    options = parser.parse_args()
    patches = hk.load("mini").clean[:64].reshape(-1, 32, 32)
    scaled = torch.from_numpy(patches[:, None] / 255).float()
    rows = []
    for name, class_name in CLASSES.items():
        network = random_network(name, scaled)
        model = hk.models.from_torch(name, network.state_dict())
        rows.append(compare(f"{class_name}, random weights", network, model, patches))
    for file in options.files:
        name, network = published_network(file)
        model = hk.models.from_torch(name, file)
        rows.append(compare(Path(file).name, network, model, patches))
    text = measure.table(rows)
    print(text)
    if options.save:
        versions = [f"{package} {version(package)}" for package in ("keras", "torch", "kornia")]
        note = f"{len(patches):,} patches of `mini`. {measure.describe_machine()}"
        measure.save_to_page(
            "parity", f"{text}\n\n{note}; {', '.join(versions)}.", "docs/published.md"
        )


if __name__ == "__main__":
    main()
