"""Mistakes in the exercises of lesson 6, and what the checks say of them."""

CLONE = "copy = keras.models.clone_model(descriptor)"
SET = "copy.set_weights(descriptor.get_weights())"
COMPILE = "copy.compile(keras.optimizers.Adam(learning_rate / 10), loss)"
NOISY = "noisy = keras.Input((32, 32, 1))"
CHAIN = "descriptor(denoiser(noisy))"
BUILD = "keras.Model(noisy, descriptor(denoiser(noisy)))"
COUNT = "int(np.prod(weight.shape))"

PLANTED = (
    ("fine_tuned", "return copy", "", "is a `return` missing?"),
    ("fine_tuned", "return copy", "return copy.get_weights()", "expected a keras.Model"),
    ("fine_tuned", CLONE, "copy = descriptor", "it returns the descriptor itself"),
    (
        "fine_tuned",
        CLONE,
        "copy = keras.Model(descriptor.input, descriptor.output)",
        "shares 6 of its 6 weights",
    ),
    ("fine_tuned", SET, "pass", "clone_model copies the layers, not their weights"),
    (
        "fine_tuned",
        SET,
        "[w.assign(v) for w, v in zip(copy.trainable_weights, descriptor.trainable_weights)]",
        "you copied the trainable weights alone",
    ),
    ("fine_tuned", SET, "descriptor.set_weights(copy.get_weights())", "of the 6 weights of the"),
    ("fine_tuned", "/ 10", "", "its learning rate is now 0.02"),
    ("fine_tuned", "/ 10", "* 10", "its learning rate is now 0.2"),
    ("fine_tuned", "learning_rate / 10", "0.002", "Compute it from `learning_rate`"),
    ("fine_tuned", "optimizers.Adam(", "optimizers.SGD(", "its optimiser is SGD: expected Adam"),
    ("fine_tuned", "optimizers.Adam(", "optimizers.AdamW(", "its optimiser is AdamW"),
    ("fine_tuned", "Adam(learning_rate / 10)", "Adam()", "its learning rate is now 0.001"),
    ("fine_tuned", COMPILE, "pass", "is not compiled cannot be trained"),
    ("fine_tuned", COMPILE, "copy.compile(descriptor.optimizer, loss)", "moments of other weights"),
    ("fine_tuned", "10), loss)", '10), "mse")', "its loss is 'mse'"),
    (
        "fine_tuned",
        "return copy",
        "copy.trainable = False\n    return copy",
        "0 of 4 weights of the copy can be trained",
    ),
    (
        "fine_tuned",
        "return copy",
        "descriptor.trainable = False\n    return copy",
        "0 of 4 weights of the descriptor can be trained",
    ),
    ("end_to_end", f"return {BUILD}", BUILD, "is a `return` missing?"),
    ("end_to_end", BUILD, CHAIN, "is a KerasTensor: expected a keras.Model"),
    ("end_to_end", CHAIN, "denoiser(descriptor(noisy))", "swap them"),
    (
        "end_to_end",
        BUILD,
        "keras.Model(denoiser.input, descriptor.output)",
        "call the model on the tensor before it",
    ),
    ("end_to_end", CHAIN, "descriptor(noisy)", "The denoiser is left out"),
    ("end_to_end", CHAIN, "denoiser(noisy)", "The descriptor is left out"),
    (
        "end_to_end",
        NOISY,
        f"denoiser.trainable = False\n    {NOISY}",
        "0 of the 2 weights of the de",
    ),
    (
        "end_to_end",
        NOISY,
        f"descriptor.trainable = False\n    {NOISY}",
        "0 of the 2 weights of the descriptor",
    ),
    (
        "end_to_end",
        NOISY,
        f"denoiser = keras.models.clone_model(denoiser)\n    {NOISY}",
        "2 weights of its own, and not those of the denoiser",
    ),
    (
        "end_to_end",
        CHAIN,
        "keras.models.clone_model(descriptor)(keras.models.clone_model(denoiser)(noisy))",
        "not those of the denoiser and the descriptor",
    ),
    ("end_to_end", CHAIN, "descriptor(keras.ops.round(denoiser(noisy)))", "are rounded"),
    (
        "end_to_end",
        CHAIN,
        "descriptor(keras.ops.clip(denoiser(noisy), 0, 255))",
        "as 255: clipping",
    ),
    ("end_to_end", CHAIN, "descriptor(denoiser(noisy) / 255)", "divided by 255 on their way"),
    (
        "end_to_end",
        CHAIN,
        "descriptor(keras.ops.stop_gradient(denoiser(noisy)))",
        "something between the networks stops the gradient",
    ),
    ("trainable_count", "return ", "", "is a `return` missing?"),
    ("trainable_count", "sum(int(", "sum(float(", "is 21.0: expected a whole number"),
    ("trainable_count", "trainable_weights", "weights", "you count 27, with the moving means"),
    ("trainable_count", COUNT, "1", "That is the number of arrays"),
    ("trainable_count", "np.prod", "np.sum", "multiply them"),
    ("trainable_count", COUNT, "int(weight.shape[0])", "the first size of each array"),
    ("trainable_count", "weights)", "weights if len(weight.shape) > 1)", "the kernel alone"),
    ("trainable_count", "trainable_weights", "non_trainable_weights", "what is not trained"),
    (
        "trainable_count",
        "for weight in model.trainable_weights",
        "for layer in model.layers for weight in layer._trainable_variables",
        "Does it look into the networks",
    ),
    (
        "trainable_count",
        "for weight in model.trainable_weights",
        "for weight in model.weights if 'moving' not in weight.path",
        "20 numbers are trained: you count 41",
    ),
)

FROM_CONFIG = """
def fine_tuned(descriptor, learning_rate, loss):
    copy = keras.Model.from_config(descriptor.get_config())
    for new, old in zip(copy.weights, descriptor.weights):
        new.assign(old)
    copy.compile(optimizer=keras.optimizers.Adam(learning_rate=0.1 * learning_rate), loss=loss)
    return copy
"""
WITH_SCHEDULE = """
import copy

def fine_tuned(descriptor, learning_rate, loss):
    tuned = copy.deepcopy(descriptor)
    falling = keras.optimizers.schedules.CosineDecay(learning_rate / 10, 1000)
    tuned.compile(keras.optimizers.Adam(falling), descriptor.loss or loss)
    return tuned
"""
SEQUENTIAL = """
def end_to_end(denoiser, descriptor):
    return keras.Sequential([denoiser, descriptor])
"""
FROM_OUTPUT = """
def end_to_end(denoiser, descriptor):
    model = keras.Model(inputs=denoiser.input, outputs=descriptor(denoiser.output), name="chain")
    model.compile("adam", "mse")
    return model
"""
SUBCLASS = """
class Chain(keras.Model):
    def __init__(self, denoiser, descriptor):
        super().__init__()
        self.denoiser, self.descriptor = denoiser, descriptor

    def call(self, noisy, training=None):
        return self.descriptor(self.denoiser(noisy, training=training), training=training)

def end_to_end(denoiser, descriptor):
    return Chain(denoiser, descriptor)
"""
WITH_LOOP = """
def trainable_count(model):
    total = 0
    for weight in model.trainable_variables:
        size = 1
        for length in weight.shape:
            size *= length
        total += size
    return total
"""
WITH_SIZE = """
def trainable_count(model):
    return sum(keras.ops.size(weight) for weight in model.trainable_weights)
"""

ALSO_RIGHT = (
    ("fine_tuned", FROM_CONFIG),
    ("fine_tuned", WITH_SCHEDULE),
    ("end_to_end", SEQUENTIAL),
    ("end_to_end", FROM_OUTPUT),
    ("end_to_end", SUBCLASS),
    ("trainable_count", WITH_LOOP),
    ("trainable_count", WITH_SIZE),
)
