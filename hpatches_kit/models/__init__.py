"""The networks of the coursework: functions that return a `keras.Model` of built-in layers."""

from hpatches_kit.models.l2net import l2net
from hpatches_kit.models.unet import unet

__all__ = ["l2net", "unet"]
