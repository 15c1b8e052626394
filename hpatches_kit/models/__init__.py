"""The networks: functions that return a plain `keras.Model`.

In: patches `(batch, 32, 32, 1)`, grey levels 0..255. Out: clean patches of the same shape (U-Nets,
NAFNet), or descriptors `(batch, 128)` (L2-Net, TFeat, HyNet).
"""

# Not lazy: functions named like their modules need lazy_loader 0.6, and Colab has an older version.
from hpatches_kit.models.end_to_end import end_to_end
from hpatches_kit.models.from_torch import from_torch
from hpatches_kit.models.hynet import hynet
from hpatches_kit.models.l2net import l2net
from hpatches_kit.models.nafnet import nafnet
from hpatches_kit.models.pretrained import card, pretrained
from hpatches_kit.models.reduced import reduced
from hpatches_kit.models.tfeat import tfeat
from hpatches_kit.models.to_torch import to_torch
from hpatches_kit.models.unet import UNET_PRESETS, unet
from hpatches_kit.models.unet_variants import framing_unet, unet_plus_plus
from hpatches_kit.models.with_resize import with_resize

__all__ = [
    "UNET_PRESETS",
    "card",
    "end_to_end",
    "framing_unet",
    "from_torch",
    "hynet",
    "l2net",
    "nafnet",
    "pretrained",
    "reduced",
    "tfeat",
    "to_torch",
    "unet",
    "unet_plus_plus",
    "with_resize",
]
