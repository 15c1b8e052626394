"""Mistakes in the exercises of lesson 2, and what the checks say of them."""

NOISE = "rng.normal(0, sigma, patches.shape)"
ADD = f"noisy = patches + {NOISE}"
ROUND_AND_CLIP = 'noisy = np.clip(np.rint(noisy), 0, 255).astype("uint8")'
SHRINK = "return hk.patches.resize(noisy)"
LEVELS = '{"r": 25, "e": 25, "h": 35, "t": 45}[view[0]]'
CENTRE = "grey - grey.mean(axis=1, keepdims=True)"
NORM = "np.linalg.norm(grey, axis=1, keepdims=True)"
ROOT = "np.sqrt(np.maximum(0, 2 - 2 * grey @ grey.T))"
OTHER = "patches.label[:, None] != patches.label[None, :]"
REFERENCES = "patches.clean[:, 0]"
PAIRS = "np.nonzero(np.triu((distance < tolerance) & other_place))"

PLANTED = (
    (
        "noisy_patches",
        f"{ADD}\n    {ROUND_AND_CLIP}\n    {SHRINK}",
        f"noisy = hk.patches.resize(patches)\n    noisy = noisy + {NOISE.replace('patches', 'noisy')}\n"
        f"    {ROUND_AND_CLIP}\n    return noisy",
        "the standard deviation is 25 everywhere: you added it after shrinking",
    ),
    ("noisy_patches", SHRINK, "return noisy[:, :64:2, :64:2]", "Did you keep every second pixel"),
    (
        "noisy_patches",
        SHRINK,
        "return np.rint(noisy[:, :64, :64].reshape(-1, 32, 2, 32, 2).mean((2, 4))).astype('uint8')",
        "Did you average blocks of pixels",
    ),
    (
        "noisy_patches",
        SHRINK,
        "small = keras.ops.image.resize(noisy[..., None] * 1.0, (32, 32), antialias=True)\n"
        "    return np.rint(keras.ops.convert_to_numpy(small)[..., 0]).astype('uint8')",
        "use anti-aliasing",
    ),
    ("noisy_patches", SHRINK, "return noisy", "they still have to be shrunk"),
    ("noisy_patches", SHRINK, SHRINK + "[..., None]", "without a channel axis"),
    ("noisy_patches", SHRINK, SHRINK + ".astype('float32')", "noisy patches are float32"),
    ("noisy_patches", "return ", "result = ", "is a `return` missing?"),
    ("noisy_patches", "np.rint(noisy)", "noisy", "cuts decimals off: round with np.rint first"),
    ("noisy_patches", "np.clip(np.rint(noisy), 0, 255)", "np.rint(noisy)", "white patches get"),
    (
        "noisy_patches",
        "np.clip(np.rint(noisy), 0, 255)",
        "np.minimum(np.rint(noisy), 255)",
        "black patches get pixels of grey level 255",
    ),
    (
        "noisy_patches",
        f"{ROUND_AND_CLIP}\n    {SHRINK}",
        "small = keras.ops.image.resize(noisy[..., None], (32, 32))\n"
        "    small = keras.ops.convert_to_numpy(small)[..., 0]\n"
        "    return np.clip(np.rint(small), 0, 255).astype('uint8')",
        "Clip the large patches, before they shrink",
    ),
    ("noisy_patches", "patches.shape", "(65, 65)", "all patches have the same noise"),
    (
        "noisy_patches",
        NOISE,
        "np.random.default_rng().normal(0, sigma, patches.shape)",
        "from `rng`",
    ),
    (
        "noisy_patches",
        NOISE,
        "np.random.default_rng(0).normal(0, sigma, patches.shape)",
        "two calls with one generator give the same noise",
    ),
    (  # the corner pixels of both patches coincide
        "noisy_patches",
        SHRINK,
        "position = np.rint(np.linspace(0, 64, 32)).astype(int)\n"
        "    return noisy[:, position][:, :, position]",
        "put the corner pixels of both patches on top of each other",
    ),
    ("noisy_patches", NOISE, f"np.abs({NOISE})", "the noise has mean +"),
    (
        "noisy_patches",
        NOISE,
        "rng.normal(0, sigma**0.5, patches.shape)",
        "is 4.9 in the middle and",
    ),
    ("noisy_patches", NOISE, "rng.normal(0, sigma**2, patches.shape)", "sigma, not its square"),
    ("noisy_patches", NOISE, "rng.uniform(-sigma, sigma, patches.shape)", "expected 24.2 and 12.5"),
    (
        "noisy_patches",
        ADD,
        f"patches += {NOISE}.astype(int).astype('uint8')\n    noisy = patches",
        "it changes the patches",
    ),
    ("noisy_patches", '"r": 25', '"r": 0', "the reference has no noise"),
    ("noisy_patches", LEVELS, "25", "expected 33.9, because sigma is 35 for this level"),
    ("noisy_patches", '"h": 35, "t": 45', '"h": 35, "t": 35', "because sigma is 45 for this level"),
    ("near_duplicates", CENTRE, "grey", "the mean of each patch is not subtracted"),
    ("near_duplicates", CENTRE, "grey - grey.mean()", "you subtract one mean of all patches"),
    ("near_duplicates", NORM, "np.linalg.norm(grey)", "have norm 1, by itself"),
    (
        "near_duplicates",
        f"{NORM}\n    distance = np.sqrt(np.maximum(0, 2 - 2 * grey @ grey.T))",
        "np.linalg.norm(grey)\n    distance = np.linalg.norm(grey[:, None] - grey[None], axis=2)",
        "one norm of all patches",
    ),
    ("near_duplicates", NORM, "grey.std(axis=1, keepdims=True)", "Divide by np.linalg.norm"),
    ("near_duplicates", REFERENCES, "patches.clean", "you compare all 16 views at once"),
    ("near_duplicates", REFERENCES, "patches.clean[:, 1]", "you compare the view e1"),
    ("near_duplicates", ROOT, "2 - 2 * grey @ grey.T", "Did you compare its square, 0.16?"),
    (
        "near_duplicates",
        ROOT,
        "np.sqrt(np.maximum(0, 2 - 2 * np.abs(grey @ grey.T)))",
        "are negatives of each other",
    ),
    ("near_duplicates", OTHER, OTHER.replace("label", "sequence"), "Compare labels, not sequences"),
    (
        "near_duplicates",
        OTHER,
        f"({OTHER}) & ({OTHER.replace('label', 'sequence')})",
        "points 2 and 3 are missing",
    ),
    ("near_duplicates", OTHER, "True", "is paired with itself"),
    (
        "near_duplicates",
        OTHER,
        "~np.eye(len(patches), dtype=bool)",
        "points 1 and 6 have the same label",
    ),
    ("near_duplicates", PAIRS, PAIRS.replace("np.triu", ""), "are paired twice"),
    ("near_duplicates", PAIRS, PAIRS.replace("triu", "tril"), "has i > j: expected i < j"),
    ("near_duplicates", "distance < tolerance", "distance < 0.2", "Use the argument `tolerance`"),
    (
        "near_duplicates",
        "distance < tolerance",
        "distance > tolerance",
        "farther apart than the tolerance",
    ),
    ("near_duplicates", "list(zip(i, j))", "list(i)", "expected pairs (i, j)"),
    ("near_duplicates", "return ", "result = ", "is a `return` missing?"),
    ("near_duplicates", "list(zip(i, j))", "[]", "points 0 and 5 are missing"),
    (
        "near_duplicates",
        ROOT,
        "np.linalg.norm(32 * grey[:, None] - 32 * grey[None], axis=2)",
        "Divided by its standard deviation, it has norm 32",
    ),
    ("near_duplicates", "list(zip(i, j))", "[(2, 3)]", "points 0 and 5 are missing: they differ"),
    (
        "near_duplicates",
        "list(zip(i, j))",
        "list(zip(patches.label[i], patches.label[j]))",
        "it returns pairs of labels",
    ),
    (
        "near_duplicates",
        PAIRS,
        "np.transpose([(k, j) for k, j in enumerate(np.argmin(distance + 9.0 * ~other_place, axis=1))\n"
        "        if distance[k, j] < tolerance and k < j])",
        "A point may have several near-duplicates",
    ),
)

ALSO_RIGHT = (
    (  # the resize of Keras, which rounds in another place
        "noisy_patches",
        """
def noisy_patches(patches, view, rng):
    sigma = 25 if view == "ref" or view.startswith("e") else 35 if view[0] == "h" else 45
    noise = sigma * rng.standard_normal(patches.shape)
    noisy = np.minimum(np.maximum(np.round(patches.astype(float) + noise), 0), 255)
    small = keras.ops.image.resize(noisy[..., None], (32, 32), interpolation="bilinear")
    return np.round(keras.ops.convert_to_numpy(small)[..., 0]).astype(np.uint8)
""",
    ),
    (  # a loop over patches, and the interpolation by hand
        "noisy_patches",
        """
def noisy_patches(patches, view, rng):
    sigma = {"ref": 25, "e": 25, "h": 35, "t": 45}[view.rstrip("12345")]
    position = (np.arange(32) + 0.5) * 65 / 32 - 0.5
    left = np.floor(position).astype(int)
    weights = np.zeros((32, 65))
    weights[np.arange(32), left] = 1 - (position - left)
    weights[np.arange(32), left + 1] = position - left
    result = []
    for patch in patches:
        noisy = np.clip(np.rint(patch + rng.normal(scale=sigma, size=(65, 65))), 0, 255)
        result.append(np.rint(weights @ noisy @ weights.T).astype("uint8"))
    return np.stack(result)
""",
    ),
    (  # the function of the kit
        "noisy_patches",
        """
def noisy_patches(patches, view, rng):
    sigma = {"r": 25, "e": 25, "h": 35, "t": 45}[view[0]]
    return hk.patches.add_noise(patches, sigma, seed=int(rng.integers(2**31)))
""",
    ),
    (  # two loops
        "near_duplicates",
        """
def near_duplicates(patches, tolerance):
    def normalised(patch):
        patch = patch.astype(float) - patch.mean()
        return patch / np.sqrt((patch**2).sum())

    found = set()
    for i in range(len(patches)):
        for j in range(i + 1, len(patches)):
            one, other = normalised(patches.clean[i, 0]), normalised(patches.clean[j, 0])
            if patches.label[i] != patches.label[j] and np.linalg.norm(one - other) < tolerance:
                found.add((i, j))
    return found
""",
    ),
    (  # standard deviations, scaled; an array of pairs
        "near_duplicates",
        """
def near_duplicates(patches, tolerance):
    grey = patches["clean"][:, 0].reshape(len(patches), 1024) / 255
    grey = (grey - grey.mean(1, keepdims=True)) / grey.std(1, keepdims=True) / 32
    distance = np.linalg.norm(grey[:, None] - grey[None], axis=2)
    pairs = np.argwhere(distance < tolerance)
    pairs = pairs[pairs[:, 0] < pairs[:, 1]]
    return pairs[patches.label[pairs[:, 0]] != patches.label[pairs[:, 1]]]
""",
    ),
)
