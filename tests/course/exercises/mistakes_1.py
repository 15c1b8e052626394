"""Mistakes in the exercises of lesson 1, and what the checks say of them.

Each is `(exercise, code of the solution, what stands there instead, a part of the reason)`.
"""

CAST = 'keras.ops.cast(clean, "float32") - keras.ops.cast(denoised, "float32")'
UNCAST = "np.asarray(clean) - np.asarray(denoised)"
RESULT = "10 * keras.ops.log10(255**2 / error)"
PER_BATCH = "you averaged the squared errors over the batch before the logarithm"
FIRST_POINTS = "labels, first_points = np.unique(self.patches.label, return_index=True)"
EVERY_POINT = "first_points, labels = np.arange(len(self.patches)), np.arange(len(self.patches))"
DRAW = "rng.choice(len(labels), self.pairs, replace=False)"
TUPLE = "np.random.default_rng((self.seed, self.epoch, index))"
ROWS = 'batch.reshape(-1, 32, 32, 1).astype("float32")'
TWO_VIEWS = "rng.choice(16, 2, replace=False)"
LABELS = "np.repeat(labels, 2)"
ONE_PLACE = "show one place: it becomes its own negative"
TWICE = "differs when it is asked for twice: draw from a generator seeded by (seed, epoch, index)"
SECOND_EPOCH = "the second epoch has the same batches: implement on_epoch_end"

PLANTED = (
    ("psnr", "axis=(1, 2, 3)", "axis=None", "Average over axes 1, 2 and 3"),
    ("psnr", "axis=(1, 2, 3)", "axis=None", PER_BATCH),
    ("psnr", "axis=(1, 2, 3)", "axis=(0, 1, 2)", "has shape (1,): expected (2,)"),
    ("psnr", "axis=(1, 2, 3)", "axis=(1, 2)", "has shape (2, 1): expected (2,)"),
    ("psnr", RESULT, f"keras.ops.mean({RESULT})", "you averaged the PSNR over the batch"),
    ("psnr", f"return {RESULT}", RESULT, "is a `return` missing?"),
    ("psnr", CAST, UNCAST, "200 - 250 = 206: cast both patches to float32"),
    ("psnr", '"float32"', '"int32"', "Do not round or cast to integers"),
    ("psnr", "log10(", "log(", "64.77 dB instead of 28.13 dB: that is the natural logarithm"),
    ("psnr", "10 * keras", "20 * keras", "20 goes with 255 / error"),
    ("psnr", "10 * keras", "keras", "the factor 10 is missing"),
    ("psnr", "10 * keras", "-10 * keras", "the fraction is upside down"),
    ("psnr", "255**2 / error", "255 / error**0.5", "10 goes with squares"),
    ("psnr", "255**2 / error", "1 / error", "that is for a peak of 1"),
    ("psnr", "255**2 / error", "255 / error", "the peak is not squared"),
    ("psnr", "255**2", "keras.ops.max(clean) ** 2", "the largest grey level of this patch"),
    ("psnr", "difference**2", "abs(difference)", "has the mean absolute error"),
    (
        "psnr",
        "keras.ops.mean(difference**2, axis=(1, 2, 3))",
        "keras.ops.sum(difference**2, (1, 2, 3))",
        "that is the sum of the squared errors",
    ),
    (
        "psnr",
        "keras.ops.mean(difference**2, axis=(1, 2, 3))",
        "keras.ops.mean(difference, (1, 2, 3)) ** 2",
        "the error of the mean grey level",
    ),
    (
        "psnr",
        "keras.ops.mean(difference**2, axis=(1, 2, 3))",
        "keras.ops.mean(abs(difference), (1, 2, 3)) ** 2",
        "that is the mean absolute error, 20, squared",
    ),
    (
        "psnr",
        "keras.ops.mean(difference**2",
        "keras.ops.var(difference",
        "Did you take the variance",
    ),
    ("MyPairs", DRAW, "rng.choice(len(labels), self.pairs)", ONE_PLACE),
    ("MyPairs", FIRST_POINTS, EVERY_POINT, "have one label, as two sequences show this place"),
    (
        "MyPairs",
        TWO_VIEWS,
        "[0, rng.integers(1, 16)]",
        "the first patch of each pair always shows ref",
    ),
    ("MyPairs", TWO_VIEWS, "(rng.integers(16) + np.arange(2)) % 16", "follows from the first"),
    ("MyPairs", TWO_VIEWS, "rng.choice(16, 2)", "a pair of equal patches teaches nothing"),
    ("MyPairs", TWO_VIEWS, "[1, 1]", "both rows of pair 0 show the view e1"),
    ("MyPairs", TWO_VIEWS, "rng.choice(15, 2, replace=False)", "the view t5 never occurs"),
    ("MyPairs", TUPLE, "np.random.default_rng()", TWICE),
    ("MyPairs", TUPLE, "self.rng = getattr(self, 'rng', np.random.default_rng(self.seed))", TWICE),
    ("MyPairs", TUPLE, "np.random", TWICE),
    (
        "MyPairs",
        TUPLE,
        "(np.random.seed(self.seed * 99 + self.epoch * 9 + index), np.random)[1]",
        "it uses NumPy's global generator",
    ),
    (
        "MyPairs",
        TUPLE,
        "np.random.default_rng((self.seed, self.epoch))",
        "batches 0 and 1 of an epoch are equal",
    ),
    ("MyPairs", TUPLE, "np.random.default_rng((self.epoch, index))", "seeds 3 and 4 give the same"),
    ("MyPairs", TUPLE, "np.random.default_rng((self.seed, index))", SECOND_EPOCH),
    (
        "MyPairs",
        TUPLE,
        "np.random.default_rng(self.seed + self.epoch + index)",
        "Seed the generator with a tuple",
    ),
    (
        "MyPairs",
        TUPLE,
        "np.random.default_rng((self.seed + self.epoch, index))",
        "a sum such as seed + epoch is equal for both",
    ),
    ("MyPairs", DRAW, "rng.permutation(self.pairs)", "draw the places, too"),
    (
        "MyPairs",
        f"[{TWO_VIEWS} for _ in range(self.pairs)]",
        f"[{TWO_VIEWS}] * self.pairs",
        "all pairs of a batch show the same two views",
    ),
    ("MyPairs", "self.epoch += 1", "pass", SECOND_EPOCH),
    ("MyPairs", "self.epoch += 1", "raise NotImplementedError", "another method still raises"),
    ("MyPairs", "return self.steps", "return self.pairs", "__len__ is 8: expected 3"),
    ("MyPairs", "return self.steps", "self.steps", "__len__ is None: is a `return` missing?"),
    ("MyPairs", f"return {ROWS}", f"result = {ROWS}", "__getitem__(0) is None"),
    ("MyPairs", ROWS, 'batch.astype("float32")', "Each patch has its own row"),
    ("MyPairs", ROWS, 'batch.reshape(-1, 32, 32).astype("float32")', "the channel axis is missing"),
    ("MyPairs", ROWS, "batch.reshape(-1, 32, 32, 1)", "patches are uint8: expected float32"),
    ("MyPairs", ROWS, f"{ROWS} / np.float32(255)", "expected grey levels 0..255, not scaled"),
    (
        "MyPairs",
        ROWS,
        f"np.swapaxes(batch, 0, 1).{ROWS.removeprefix('batch.')}",
        "the anchors are in the first half",
    ),
    (
        "MyPairs",
        ROWS,
        f"np.swapaxes(batch, 1, 2).{ROWS.removeprefix('batch.')}",
        "row 0 is not a patch of the set",
    ),
    ("MyPairs", "self.patches.clean", "self.patches.noisy", "row 0 is a noisy patch"),
    ("MyPairs", LABELS, "labels", "8 labels for 16 patches"),
    (
        "MyPairs",
        LABELS,
        "np.arange(2 * self.pairs)",
        "rows 0 and 1 show one place, but their labels",
    ),
    (
        "MyPairs",
        LABELS,
        "np.zeros(2 * self.pairs)",
        "show different places, but their labels are equal",
    ),
    (
        "MyPairs",
        "points[:, None], views",
        "np.stack([points, points[::-1]], 1), views",
        "row 1 shows another place than row 0",
    ),
    ("MyPairs", "(keras.utils.PyDataset)", "", "derives from keras.utils.PyDataset"),
)

ALSO_RIGHT = (
    (
        "psnr",
        """
def psnr(clean, denoised):
    values = []
    for one, other in zip(np.asarray(clean, float), np.asarray(denoised, float)):
        root_mean_square = np.sqrt(np.mean((one - other) ** 2))
        values.append(20 * np.log10(255 / root_mean_square))
    return values
""",
    ),
    (
        "psnr",
        """
def psnr(clean, denoised):
    difference = np.float32(clean) - np.float32(denoised)
    error = np.square(difference).reshape(len(difference), -1).mean(axis=1)
    return 20 * np.log10(255.0) - 10 * np.log10(error)
""",
    ),
    ("psnr", "psnr = hk.metrics.psnr"),
    (  # a loop over pairs, with Python lists, and any of the points of a place
        "MyPairs",
        """
class MyPairs(keras.utils.PyDataset):
    def __init__(self, patches, pairs, steps, seed):
        super().__init__()
        self.patches, self.pairs, self.steps, self.seed = patches, pairs, steps, seed
        self.epoch = 0

    def __len__(self):
        return self.steps

    def __getitem__(self, index):
        rng = np.random.default_rng([self.seed, self.epoch, index])
        patches, labels = [], []
        for place in rng.permutation(np.unique(self.patches.label))[: self.pairs]:
            point = rng.choice(np.flatnonzero(self.patches.label == place))
            for view in rng.permutation(16)[:2]:
                patches.append(self.patches.clean[point, view][..., None])
                labels.append(place)
        return np.array(patches, "float32"), np.array(labels)

    def on_epoch_end(self):
        self.epoch = self.epoch + 1
""",
    ),
    (  # a whole epoch is drawn at once; labels are numbers of pairs; tensors instead of arrays
        "MyPairs",
        """
class MyPairs(keras.utils.PyDataset):
    def __init__(self, patches, pairs, steps, seed):
        super().__init__()
        self.patches, self.pairs, self.steps, self.seed = patches, pairs, steps, seed
        self.epoch = -1
        self.on_epoch_end()

    def __len__(self):
        return self.steps

    def __getitem__(self, index):
        points = self.order[index * self.pairs : (index + 1) * self.pairs]
        batch = np.empty((2 * self.pairs, 32, 32, 1), "float32")
        for row, (point, views) in enumerate(points):
            batch[2 * row, ..., 0] = self.patches.clean[point, views[0]]
            batch[2 * row + 1, ..., 0] = self.patches.clean[point, views[1]]
        labels = np.arange(self.pairs).repeat(2)
        return keras.ops.convert_to_tensor(batch), keras.ops.convert_to_tensor(labels)

    def on_epoch_end(self):
        self.epoch += 1
        rng = np.random.default_rng(10_000 * self.seed + self.epoch)
        points = rng.permutation(np.unique(self.patches.label, return_index=True)[1])
        self.order = [(point, rng.choice(16, 2, replace=False)) for point in points]
""",
    ),
)
