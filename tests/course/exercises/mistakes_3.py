"""Mistakes in the exercises of lesson 3, and what the checks say of them.

Each is `(exercise, code of the solution, what stands there instead, a part of the reason)`.
"""

AP, ROC, MATCHING, RETRIEVAL = "average_precision", "roc_area", "matching_ap", "retrieval_ap"
STABLE = 'np.argsort(distances, kind="stable")'
RANK = f"ranked = is_positive[{STABLE}]"
AP_AREA = "return np.trapezoid(precision, recall)"
MEAN_PRECISION = "return np.sum(precision[1:] * ranked) / positives"
ROC_AREA = "return np.trapezoid(true / true[-1], false / false[-1])"
PRECISION = "precision = np.append(1, true / np.arange(1, len(true) + 1))"
MATCHES = "np.argmin(distances, axis=1) == np.arange(len(reference))"
MATCH_AP = "hk.benchmark.average_precision(before, len(reference))"
HALF_TIES = """
    positive, negative = distances[is_positive], distances[~is_positive]
    pairs = positive[:, None] < negative
    return np.mean(pairs + 0.5 * (positive[:, None] == negative))"""
RANKS = """
    ranks = np.argsort(np.argsort(np.append(to_positives, to_distractors), kind="stable"))
    before = np.sort(ranks[:5])"""
UNSTABLE_RANKS = """
    ranks = np.argsort(np.argsort(np.append(to_positives, to_distractors)))
    before = np.sort(ranks[:5]) - np.arange(5)"""
BEFORE = "before = [np.sum(to_distractors < distance) for distance in np.sort(to_positives)]"

PLANTED = (
    (AP, "true / positives", "true / true[-1]", "You divided by the positives found, not by all"),
    (AP, "true / positives", "true / len(true)", "Recall is divided by all pairs"),
    (AP, RANK, "ranked = is_positive", "Sort the list by distance first"),
    (AP, STABLE, "np.argsort(-distances)", "The largest distance ranks first"),
    (AP, RANK, f"ranked = ~is_positive[{STABLE}]", "You counted the negatives"),
    (AP, RANK, "ranked = is_positive[np.lexsort((~is_positive, distances))]", "keep the order"),
    (AP, RANK, "ranked = is_positive[np.lexsort((is_positive, distances))]", "keep the order"),
    (AP, AP_AREA, MEAN_PRECISION, "That is the mean precision at the positives"),
    (AP, AP_AREA, "return np.trapezoid(recall, precision)", "takes the y values first"),
    (AP, AP_AREA, "return 100 * np.trapezoid(precision, recall)", "That is in percent"),
    (AP, AP_AREA, "return np.sum(np.diff(recall) * precision[:-1])", "before each step"),
    (AP, AP_AREA, "area = np.trapezoid(precision, recall)", "is a `return` missing?"),
    (AP, AP_AREA, "return precision, recall", "expected ()"),
    (AP, AP_AREA, "return np.trapezoid(precision[1:], recall[1:])", "The first point of the curve"),
    (AP, "np.append(1, ", "np.append(0, ", "The curve starts with precision 0"),
    (AP, PRECISION, "precision = np.append(1, true / len(true))", "listed so far"),
    (AP, AP_AREA, "return np.trapezoid(precision, recall) / recall[-1]", "by the positives found"),
    (ROC, RANK, "ranked = is_positive", "Sort the list by distance first"),
    (ROC, RANK, "ranked = is_positive[np.argsort(-distances)]", "That is 1 - 0.68"),
    (ROC, ROC_AREA, "return np.trapezoid(false / false[-1], true / true[-1])", "x and y"),
    (ROC, ROC_AREA, "return np.trapezoid(true, false) / len(ranked) ** 2", "not by all pairs"),
    (ROC, ROC_AREA, "return np.trapezoid(true, false)", "Those are counts"),
    (ROC, ROC_AREA, "return np.trapezoid(true, false) / true[-1] ** 2", "Divide the positives so"),
    (ROC, RANK, HALF_TIES, "You counted a tie as one half"),
    (ROC, RANK, "ranked = is_positive[np.lexsort((~is_positive, distances))]", "keep the order"),
    (MATCHING, MATCH_AP, "hk.benchmark.average_precision(before)", "every point is a positive"),
    (
        MATCHING,
        MATCH_AP,
        "np.sum(np.arange(1, len(before) + 1) / (np.arange(1, len(before) + 1)"
        " + before)) / len(reference)",
        "That is the mean precision",
    ),
    (
        MATCHING,
        'correct[np.argsort(np.min(distances, axis=1), kind="stable")]',
        "correct",
        "in the order of the points",
    ),
    (
        MATCHING,
        'np.argsort(np.min(distances, axis=1), kind="stable")',
        "np.argsort(-np.min(distances, axis=1))",
        "The largest distance ranks first",
    ),
    (MATCHING, MATCHES, MATCHES.replace("axis=1", "axis=0"), "Search the nearest row of the image"),
    (MATCHING, "correct.mean()", "correct.sum()", "That is a count"),
    (MATCHING, "correct.mean()", "100 * correct.mean()", "That is in percent"),
    (MATCHING, ", correct.mean()", "", "expected two"),
    (MATCHING, f"{MATCH_AP}, correct.mean()", f"correct.mean(), {MATCH_AP}", "are swapped"),
    (MATCHING, "axis=2)", "axis=2, ord=1)", "Is the distance Euclidean"),
    (RETRIEVAL, "np.sort(to_positives)", "to_positives", "The positives are not sorted"),
    (RETRIEVAL, "<", "<=", "strictly closer"),
    (RETRIEVAL, BEFORE, RANKS, "count the distractors only"),
    (RETRIEVAL, "axis=1", "axis=1, ord=1", "Is the distance Euclidean?"),
    (RETRIEVAL, "positives - query", "positives", "Is the distance Euclidean, to the query"),
    (RETRIEVAL, "hk.benchmark.average_precision", "hk.benchmark.mean_precision", "mean precision"),
    (RETRIEVAL, BEFORE, UNSTABLE_RANKS, "0, 0, 100, 100 and 200 distractors are strictly closer"),
    (
        AP,
        AP_AREA,
        "return np.trapezoid(np.append(precision, 0), np.append(recall, 1))",
        "it ends with the last pair",
    ),
    (
        AP,
        AP_AREA,
        "return np.trapezoid(np.append(precision, precision[-1]), np.append(recall, 1))",
        "it ends with the last pair",
    ),
    (
        MATCHING,
        MATCHES,
        "np.argmax(reference @ image.T, axis=1) == np.arange(len(reference))",
        "product",
    ),
    (
        MATCHING,
        "np.argsort(np.min(distances, axis=1)",
        "np.argsort(np.diag(distances)",
        "Rank by the distance to the match",
    ),
    (
        MATCHING,
        "ranked = correct[np.argsort(np.min(distances, axis=1)",
        "ranked = np.eye(len(reference), dtype=bool).ravel()[np.argsort(distances.ravel()",
        "rank one match for each reference row",
    ),
)

ALSO_RIGHT = (
    (
        AP,  # the closed form, from the negatives before each positive
        """
def average_precision(distances, is_positive, positives):
    area, true, false = 0.0, 0, 0
    for _, positive in sorted(zip(distances, is_positive), key=lambda pair: pair[0]):
        before = true / (true + false) if true + false else 1.0
        true, false = true + positive, false + (not positive)
        if positive:
            area += (before + true / (true + false)) / 2 / positives
    return area
""",
    ),
    (
        AP,  # as in the official code, with a small number instead of 0
        """
def average_precision(distances, is_positive, positives):
    labels = np.asarray(is_positive)[np.argsort(distances, kind="mergesort")]
    true, false = np.append(0, np.cumsum(labels)), np.append(0, np.cumsum(~labels))
    precision = np.maximum(true, 1e-10) / np.maximum(true + false, 1e-10)
    recall = true / max(positives, 1e-10)
    return keras.ops.sum(np.diff(recall) * (precision[1:] + precision[:-1]) / 2)
""",
    ),
    (
        ROC,  # the mean over the positives of the fraction of negatives that rank later
        """
def roc_area(distances, is_positive):
    labels = is_positive[np.argsort(distances, kind="stable")]
    negatives = np.sum(~labels)
    return np.mean([np.sum(~labels[k:]) / negatives for k in np.flatnonzero(labels)])
""",
    ),
    (
        ROC,
        """
def roc_area(distances, is_positive):
    area, height, positives = 0, 0, int(is_positive.sum())
    for index in sorted(range(len(distances)), key=lambda index: distances[index]):
        if is_positive[index]:
            height += 1 / positives
        else:
            area += height / (len(distances) - positives)
    return float(area)
""",
    ),
    (
        MATCHING,  # one point at a time
        """
def matching_ap(reference, image):
    points, matches = len(reference), []
    for number, row in enumerate(reference):
        distance = np.sqrt(((image - row) ** 2).sum(axis=1))
        matches.append((distance.min(), distance.argmin() == number))
    matches.sort(key=lambda match: match[0])
    ap = right = 0
    for rank, (_, correct) in enumerate(matches):
        if correct:
            ap += (right / rank + (right + 1) / (rank + 1) if rank else 2) / 2 / points
            right += 1
    return ap, right / points
""",
    ),
    (
        MATCHING,
        """
def matching_ap(reference, image):
    squared = keras.ops.sum((reference[:, None] - image[None]) ** 2, axis=-1)
    nearest = np.array(keras.ops.argmin(squared, axis=1))
    right = nearest == np.arange(len(nearest))
    ranked = right[np.argsort(np.array(keras.ops.min(squared, axis=1)), kind="stable")]
    true = np.append(0, np.cumsum(ranked))
    precision = np.append(1, true[1:] / np.arange(1, len(true)))
    return [np.trapezoid(precision, true / len(right)), np.mean(right)]
""",
    ),
    (
        RETRIEVAL,  # a list, positives first, that is sorted
        """
def retrieval_ap(query, positives, distractors):
    pool = np.concatenate([positives, distractors])
    order = np.argsort(((pool - query) ** 2).sum(axis=1), kind="stable")
    ranked = order < len(positives)
    true = np.append(0, np.cumsum(ranked))
    precision = np.append(1, true[1:] / np.arange(1, len(true)))
    return np.trapezoid(precision, true / len(positives))
""",
    ),
    (
        RETRIEVAL,
        """
def retrieval_ap(query, positives, distractors):
    def distance(rows):
        return keras.ops.norm(keras.ops.convert_to_tensor(rows - query), axis=-1)

    near = keras.ops.convert_to_numpy(distance(distractors))
    counts = sorted(int((near < float(d)).sum()) for d in distance(positives))
    return float(hk.benchmark.average_precision(counts, positives=5))
""",
    ),
)
