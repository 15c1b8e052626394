"""Sentences about the rules behind scores: what is printed below every table."""


def rule_sentences(protocol, tasks):
    """One sentence for each rule that a reader must know to compare the scores with others.

    Args:
        protocol: `Protocol`.
        tasks: the `tasks` of `Scores`.
    """
    sentences = []
    if protocol.precision_at_positives:
        sentences.append("AP is the mean precision at the positives.")
    if "matching" in tasks and "categories" in tasks["matching"]:
        categories = tasks["matching"]["categories"].items()
        counts = [f"{numbers['sequences']:,} {category}" for category, numbers in categories]
        sentences.append(f"matching: mean over the categories, {' and '.join(counts)} sequences.")
    if "retrieval" in tasks:
        sentences.append(f"retrieval: {_pools(tasks['retrieval'])}.")
    return sentences


def _pools(numbers):
    """The pools of retrieval in words, from its scores."""
    names = [f"{int(pool):,}" for pool in numbers["mean_per_pool"]]
    text = f"one pool of {names[-1]} patches"
    if len(names) > 1:
        text = f"mean over pools of {', '.join(names[:-1])} and {names[-1]} patches"
    if "pool_sizes" not in numbers:  # in files of format 3
        return text
    low, high = (f"{size:,}" for size in list(numbers["pool_sizes"].values())[-1])
    size = low if low == high else f"{low} to {high}"
    if size == names[-1]:
        return text
    largest = "the largest has " if len(names) > 1 else ""
    return f"{text}, {largest}{size} without the query's own sequence"
