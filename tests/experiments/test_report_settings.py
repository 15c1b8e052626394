"""The optimisers, initialisers, batch sizes and percentiles of the reports."""

import keras
import numpy as np
import pytest

import hpatches_kit as hk
from hpatches_kit.experiments.report_settings import DENOISER_OPTIMIZERS, DESCRIPTOR_OPTIMIZERS

# Defaults of Keras in 2019.
LEARNING_RATES = {"RMSProp": 1e-3, "Adamax": 2e-3, "Adadelta": 1.0, "Adam": 1e-3, "Nadam": 2e-3}
both = pytest.mark.parametrize(
    ("optimizers", "learning_rates"),
    [
        (DENOISER_OPTIMIZERS, {"SGD": 1e-5, **LEARNING_RATES}),
        (DESCRIPTOR_OPTIMIZERS, {"SGD": 0.1, **LEARNING_RATES}),
    ],
    ids=["denoiser", "descriptor"],
)


@both
def test_every_optimizer_has_the_learning_rate_of_the_reports(optimizers, learning_rates):
    assert set(optimizers) == set(learning_rates)
    for name, learning_rate in learning_rates.items():
        optimizer = keras.optimizers.get(optimizers[name])
        assert type(optimizer).__name__.lower() == name.lower()  # Keras writes RMSprop
        assert isinstance(optimizer, keras.optimizers.Optimizer)
        assert float(optimizer.learning_rate) == pytest.approx(learning_rate, rel=1e-6)


@both
def test_every_call_makes_a_new_optimizer(optimizers, learning_rates):
    for config in optimizers.values():
        first, second = keras.optimizers.get(config), keras.optimizers.get(config)
        assert first is not second
        first.learning_rate = 7.0
        assert float(second.learning_rate) != 7.0
        assert float(keras.optimizers.get(config).learning_rate) != 7.0


def test_sgd_has_nesterov_momentum_for_the_denoiser_and_none_for_the_descriptor():
    denoiser = keras.optimizers.get(DENOISER_OPTIMIZERS["SGD"])
    descriptor = keras.optimizers.get(DESCRIPTOR_OPTIMIZERS["SGD"])
    assert (denoiser.momentum, denoiser.nesterov) == (0.9, True)
    assert (descriptor.momentum, descriptor.nesterov) == (0.0, False)


def test_every_optimizer_takes_a_step():
    row = np.ones((1, 2), "float32")
    for config in (DENOISER_OPTIMIZERS["SGD"], *DESCRIPTOR_OPTIMIZERS.values()):
        model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        model.compile(keras.optimizers.get(config), "mae")
        before = model.get_weights()[0]
        model.train_on_batch(row, np.full((1, 1), 100.0))
        after = model.get_weights()[0]
        assert np.isfinite(after).all() and (after > before).all()


def test_every_initialiser_is_known_to_keras():
    classes = {
        name: type(keras.initializers.get(keras_name)).__name__
        for name, keras_name in hk.experiments.INITIALIZERS.items()
    }
    assert classes == {
        "He normal": "HeNormal",
        "LeCun uniform": "LecunUniform",
        "Xavier normal": "GlorotNormal",
        "Xavier uniform": "GlorotUniform",
        "Orthogonal": "Orthogonal",
    }


def test_batch_sizes_are_those_of_report_b_table_8():
    assert hk.experiments.BATCH_SIZES == (32, 50, 128, 512, 2048)


def test_percentiles_are_those_of_report_a_figure_3_and_mining_takes_them():
    assert hk.experiments.PERCENTILES == (0, 2, 5, 10, 15)
    for percentile in hk.experiments.PERCENTILES:
        assert hk.losses.HardNegativeTriplet(percentile=percentile).percentile == percentile
