"""Mistakes in the exercises of lesson 4, and what the checks say of them."""

LAST = '**(options | {"activation": None})'
UP = "layers.Conv2D(64, 2, **options)(layers.UpSampling2D()(level_2))"
JOIN = "layers.Concatenate()([up, level_1])"
SUBTRACT = "keras.layers.Subtract()([noisy, noise])"
RESULT = "return keras.Model(noisy, denoised)"
SSIM = "(1 - hk.metrics.ssim(clean, denoised))"

PLANTED = (
    ("shallow_unet", "return keras", "keras", "is a `return` missing"),
    ("shallow_unet", "return keras.Model(noisy, clean)", "return clean", "is a KerasTensor"),
    ("shallow_unet", "MaxPooling2D()", "AveragePooling2D(2)", "keeps the maximum of four"),
    ("shallow_unet", "(16, 3,", "(32, 3,", "has 32 filters: expected 16. The network has"),
    ("shallow_unet", "(32, 3,", "(64, 3,", "layer 3, `conv2d"),
    (
        "shallow_unet",
        "(64, 2,",
        "(64, 3,",
        "has kernel size 3x3: expected 2x2. The network has 70,017",
    ),
    ("shallow_unet", "UpSampling2D()", 'UpSampling2D(2, interpolation="bilinear")', "bilinear"),
    (
        "shallow_unet",
        UP,
        "layers.Conv2DTranspose(64, 2, strides=2, **options)(level_2)",
        "is a Conv2DTranspose: expected an UpSampling2D",
    ),
    ("shallow_unet", JOIN, "up", "The skip connection belongs here"),
    ("shallow_unet", "[up, level_1]", "[up, noisy]", "joins layer 5 and a tensor of 1 channels"),
    ("shallow_unet", "[up, level_1]", "[up, up]", "joins layer 5 and layer 5"),
    ("shallow_unet", "[up, level_1]", "[up, level_2]", "maps of different sizes"),
    ("shallow_unet", LAST, "**options", "has the activation relu: expected none"),
    ("shallow_unet", '"activation": None', '"activation": "sigmoid"', "activation sigmoid"),
    ("shallow_unet", '"activation": "relu", ', "", "has the activation none: expected relu"),
    ("shallow_unet", "clean = layers", "clean = joined  # layers", "ends after layer 7"),
    (
        "shallow_unet",
        "keras.Model(noisy, clean)",
        "keras.Model(noisy, layers.ReLU()(clean))",
        "relu",
    ),
    ("shallow_unet", '"padding": "same"', '"padding": "valid"', "Have all convolutions padding="),
    ("shallow_unet", '"he_normal"}', '"he_normal", "use_bias": False}', "use_bias False"),
    ("shallow_unet", "he_normal", "glorot_uniform", "with GlorotUniform: expected He normal"),
    (
        "shallow_unet",
        "(noisy, clean)",
        "(noisy, layers.Dropout(0.5)(clean))",
        "is one too many: expected 8 layers",
    ),
    ("residual", "Subtract", "Add", "the output is 92: expected 108. Here the noise is added"),
    ("residual", "[noisy, noise]", "[noise, noisy]", "the noise from the input"),
    ("residual", SUBTRACT, "noise", "that is the noise itself"),
    (
        "residual",
        SUBTRACT,
        f"keras.ops.clip({SUBTRACT}, 0, 255)",
        "is 0: expected -2. Did you clip",
    ),
    ("residual", SUBTRACT, f"keras.ops.minimum({SUBTRACT}, 255)", "is 255: expected 273. Did you"),
    (
        "residual",
        "network(noisy)",
        "keras.models.clone_model(network)(noisy)",
        "0 of the 2 weights",
    ),
    ("residual", "network(noisy)", 'hk.models.unet("shallow")(noisy)', "copy a second network"),
    (
        "residual",
        "network(noisy)",
        "keras.layers.Lambda(lambda x: network(x), output_shape=(32, 32, 1))(noisy)",
        "the model has none of them",
    ),
    (
        "residual",
        "network(noisy)",
        "keras.layers.Conv2D(1, 1)(network(noisy))",
        "expected no others",
    ),
    (
        "residual",
        RESULT,
        f"network.trainable = False\n    {RESULT}",
        "0 of 2 weights are trainable",
    ),
    ("residual", RESULT, "return network", "it returns the network itself"),
    ("residual", RESULT, "return denoised", "is a KerasTensor"),
    ("residual", RESULT, "keras.Model(noisy, denoised)", "is a `return` missing"),
    ("mixed_loss", SSIM, "hk.metrics.ssim(clean, denoised)", "needs 1 - SSIM"),
    ("mixed_loss", " / 255", "", "an error of 10 grey levels has the loss 1.60"),
    ("mixed_loss", "0.84 * (1", "0.16 * (1", "expected [0. 0.0101 0.0109]"),
    ("mixed_loss", "keras.ops.abs(difference)", "difference", "the absolute value is missing"),
    ("mixed_loss", "axis=(1, 2, 3)", "axis=None", "of each patch alone"),
    (
        "mixed_loss",
        "keras.ops.mean(keras.ops.abs(difference), axis=(1, 2, 3))",
        "keras.ops.abs(keras.ops.mean(difference, axis=(1, 2, 3)))",
        "take absolute values before the mean",
    ),
    (
        "mixed_loss",
        "keras.ops.mean(keras.ops.abs(difference), axis=(1, 2, 3))",
        "keras.ops.sqrt(keras.ops.mean(difference**2, axis=(1, 2, 3)))",
        "the root of the mean squared error",
    ),
    ("mixed_loss", "keras.ops.mean(keras", "keras.ops.max(keras", "the largest error"),
    (
        "mixed_loss",
        "keras.ops.mean(keras.ops.abs(difference), axis=(1, 2, 3))",
        "keras.ops.abs(difference)[:, 16, 8, 0]",
        "the MAE is 20, and yours is 10.0",
    ),
    ("mixed_loss", "return 0", "0", "is a `return` missing"),
    (
        "mixed_loss",
        "return 0.84 * (1 - hk.metrics.ssim(clean, denoised)) + 0.16",
        "return 0.16 * (1 - hk.metrics.ssim(clean, denoised)) + 0.84",
        "the weights are swapped",
    ),
    (
        "mixed_loss",
        'keras.ops.cast(clean, "float32") - keras.ops.cast(denoised, "float32")',
        "keras.ops.cast(np.asarray(clean) - np.asarray(denoised), 'float32')",
        "wraps to 246",
    ),
    (
        "mixed_loss",
        "return 0.84 * (1 - hk.metrics.ssim(clean, denoised)) + 0.16 * mae / 255",
        "return keras.ops.mean(0.84 * (1 - hk.metrics.ssim(clean, denoised)) + 0.16 * mae / 255)",
        "one number for the whole batch",
    ),
    (
        "mixed_loss",
        "keras.ops.abs(difference)",
        "difference**2",
        "that is the mean squared error, divided by 255",
    ),
)

ALSO_RIGHT = (
    (
        "shallow_unet",
        """
def shallow_unet():
    noisy = keras.Input((32, 32, 1))
    convolutions = [
        keras.layers.Conv2D(filters, size, padding="same", kernel_initializer=keras.initializers.HeNormal())
        for filters, size in ((16, 3), (32, 3), (64, 2), (64, 3), (1, 3))
    ]
    skip = keras.layers.ReLU()(convolutions[0](noisy))
    x = keras.layers.Activation("relu")(convolutions[1](keras.layers.MaxPool2D(2)(skip)))
    x = keras.layers.ReLU()(convolutions[2](keras.layers.UpSampling2D(2)(x)))
    x = keras.layers.concatenate([skip, x], axis=-1)
    return keras.Model(noisy, convolutions[4](keras.layers.ReLU()(convolutions[3](x))))
""",
    ),
    (
        "shallow_unet",
        """
def shallow_unet():
    def conv(x, filters, size):
        return keras.layers.Conv2D(
            filters, size, padding="same", kernel_initializer=keras.initializers.VarianceScaling(2.0)
        )(x)
    noisy = keras.Input((32, 32, 1))
    skip = keras.ops.relu(conv(noisy, 16, 3))
    x = keras.ops.relu(conv(keras.ops.max_pool(skip, 2, 2), 32, 3))
    x = keras.ops.repeat(keras.ops.repeat(x, 2, axis=1), 2, axis=2)
    x = keras.ops.concatenate([keras.ops.relu(conv(x, 64, 2)), skip], axis=3)
    return keras.Model(noisy, conv(keras.ops.relu(conv(x, 64, 3)), 1, 3))
""",
    ),
    (
        "shallow_unet",
        """
class ShallowUNet(keras.Model):
    def __init__(self):
        super().__init__()
        options = {"padding": "same", "kernel_initializer": "he_normal"}
        self.last = keras.layers.Conv2D(1, 3, **options)  # the layers are in another order
        self.first = keras.layers.Conv2D(16, 3, activation="relu", **options)
        self.second = keras.layers.Conv2D(32, 3, activation="relu", **options)
        self.third = keras.layers.Conv2D(64, 2, activation="relu", **options)
        self.fourth = keras.layers.Conv2D(64, 3, activation="relu", **options)
        self.pool, self.up = keras.layers.MaxPooling2D(), keras.layers.UpSampling2D()

    def call(self, noisy):
        skip = self.first(noisy)
        x = self.third(self.up(self.second(self.pool(skip))))
        return self.last(self.fourth(keras.ops.concatenate([x, skip], axis=-1)))


def shallow_unet():
    return ShallowUNet()
""",
    ),
    (
        "residual",
        """
def residual(network):
    return keras.Model(network.input, network.input - network.output)
""",
    ),
    (
        "residual",
        """
class Residual(keras.Model):
    def __init__(self, network):
        super().__init__()
        self.network = network

    def call(self, noisy):
        return noisy - self.network(noisy)


def residual(network):
    return Residual(network)
""",
    ),
    (
        "residual",
        """
def residual(network):
    noisy = keras.Input(network.input_shape[1:])
    negative = keras.layers.Rescaling(-1)(network(noisy))
    return keras.Model(noisy, keras.layers.Add()([noisy, negative]))
""",
    ),
    (
        "mixed_loss",
        """
def mixed_loss(clean, denoised):
    similarity = np.asarray(hk.metrics.ssim(clean, denoised))
    losses = []
    for a, b, s in zip(np.asarray(clean, float), np.asarray(denoised, float), similarity):
        losses.append(0.84 * (1 - s) + 0.16 * np.abs(a - b).mean() / 255)
    return np.array(losses)
""",
    ),
    (
        "mixed_loss",
        """
def mixed_loss(clean, denoised):
    return hk.losses.SSIMAndMAE(0.84).call(clean, denoised)
""",
    ),
)
