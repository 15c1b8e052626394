"""Sentences about the rules behind scores: what is printed below every table."""


def rule_sentences(protocol, tasks):
    """One sentence for each rule that a reader must know to compare the scores with others.

    Args:
        protocol: `Protocol`.
        tasks: the `tasks` of `Scores`.
    """
    ap = "area under the precision-recall curve"
    if protocol.precision_at_positives:
        ap = "mean precision at the positives"
    sentences = [f"AP is the {ap}."]
    if "verification" in tasks:
        first = "positive" if protocol.positives_first else "negative"
        squared = "squared distances; " if protocol.squared_distances else ""
        sentences.append(f"verification: {squared}at equal distance the {first} ranks first.")
    if "matching" in tasks:
        sentences.append(f"matching: {_matching_mean(tasks['matching'])}.")
    if "retrieval" in tasks:
        sentences.append(f"retrieval: {_pools(tasks['retrieval'])}.")
    return sentences


def _matching_mean(numbers):
    """What matching averages, in words, from its scores."""
    if "categories" not in numbers:
        count = len(numbers["sequences"])
        return f"mean over {count:,} sequences" if count > 1 else "one sequence"
    categories = numbers["categories"].items()
    counts = [f"{part['sequences']:,} {category}" for category, part in categories]
    return f"mean over categories of sequences: {', '.join(counts)}"


def _pools(numbers):
    """The pools of retrieval in words, from its scores."""
    names = [f"{int(pool):,}" for pool in numbers["mean_per_pool"]]
    text = f"one pool of {names[-1]} patches"
    if len(names) > 1:
        text = f"mean over pools of {', '.join(names[:-1])} and {names[-1]} patches"
    low, high = (f"{size:,}" for size in list(numbers["pool_sizes"].values())[-1])
    size = low if low == high else f"{low} to {high}"
    if size == names[-1]:
        return text
    largest = "the largest has " if len(names) > 1 else ""
    return f"{text}, {largest}{size} without the query's own sequence"
