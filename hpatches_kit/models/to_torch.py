"""The weights of a Keras model as a PyTorch state dict."""

from hpatches_kit._support.errors import UserError
from hpatches_kit.models.torch_counterparts import torch_counterpart
from hpatches_kit.models.torch_weights import torch_weights


def to_torch(model, rotated=False):
    """Return the weights of a descriptor network as a PyTorch state dict.

        state = hk.models.to_torch(hk.models.from_torch("hardnet", "HardNet++.pth"))

    In PyTorch: `network.load_state_dict({name: torch.from_numpy(a) for name, a in state.items()})`.

    Networks of `from_torch`, also after more training, give the names of their authors' code, which
    `kornia.feature` uses as well. Networks of this package give those of HardNet for
    `l2net(standardise=True, affine=False, final_batch_norm=True)`, of HyNet for `hynet()` and of
    TFeat for `tfeat()`; they expect grey levels 0..255 in PyTorch too.

    `l2net` and `hynet` let Keras pad the images of stride-2 convolutions, which it does only below
    and at the right, PyTorch on all sides. No kernels make these equal, except for patches that are
    rotated by 180 degrees: their state dict is for `patches.flip(2, 3)`.

    Args:
        model: a `keras.Model` of one of these functions.
        rotated: must be True for `l2net` and `hynet`, as a reminder that the patches have to be
            rotated, and False for the others.

    Returns `{name: float32 array}`. TFeat of `kornia` does not scale descriptors to unit norm;
    `tfeat()` does. Raises UserError for other networks, and for the wrong `rotated`.
    """
    network, needs_rotation = torch_counterpart(model)
    if needs_rotation and not rotated:
        raise UserError(
            f"{model.name} pads its images as Keras does: its weights only fit PyTorch code that is"
            " given patches rotated by 180 degrees. Pass rotated=True, and rotate the patches."
        )
    if rotated and not needs_rotation:
        raise UserError(f"{model.name} needs no rotated patches: pass rotated=False.")
    return {name: weight.get() for name, weight in torch_weights(network).items()}
