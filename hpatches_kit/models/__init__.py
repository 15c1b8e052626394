"""The networks of the coursework: functions that return a `keras.Model`."""

from hpatches_kit.models.end_to_end import end_to_end
from hpatches_kit.models.hynet import hynet
from hpatches_kit.models.l2net import l2net
from hpatches_kit.models.pretrained import card, pretrained
from hpatches_kit.models.tfeat import tfeat
from hpatches_kit.models.unet import PRESETS as UNETS
from hpatches_kit.models.unet import unet
from hpatches_kit.models.unet_variants import framing_unet, unet_plus_plus

__all__ = [
    "UNETS",
    "card",
    "end_to_end",
    "framing_unet",
    "hynet",
    "l2net",
    "pretrained",
    "tfeat",
    "unet",
    "unet_plus_plus",
]
