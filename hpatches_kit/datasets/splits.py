"""The 116 sequences of HPatches and the splits that the benchmark defines.

The benchmark has a training and a test side. The kit makes a validation side of every fifth
training sequence (the 5th, 10th, 15th and so on, in the order of `SEQUENCE_NAMES`): train and
validation together are the official training side, 61 + 15 sequences in a, b and c. The test side
is the official one, unchanged. Its order is part of the protocol: pairs and queries are drawn by
position in it. Source: the benchmark's own `splits.json` (Balntas et al., CVPR 2017).
"""

from hpatches_kit._support.errors import UserError
from hpatches_kit.patches.sides import SIDES

# `i_` illumination changes (57 sequences), `v_` viewpoint changes (59).
SEQUENCE_NAMES = """
i_crownnight i_table i_objects i_nescafe i_nijmegen i_whitebuilding i_porta i_santuario i_dc
i_castle i_steps i_contruction i_melon i_yellowtent i_miniature i_troulos i_veggies i_zion
i_gonnenberg i_autannes i_boutique i_fruits i_pool i_fog i_fenis i_village i_ajuntament
i_partyfood i_kurhaus i_school i_chestnuts i_smurf i_indiana i_pinard i_lionnight i_kions i_ski
i_greenhouse i_ktirio i_tools i_toy i_bridger i_lionday i_brooklyn i_crownday i_londonbridge
i_greentea i_leuven i_nuts i_resort i_bologna i_duda i_dome i_pencils i_books i_parking i_salon
v_circus v_charing v_colors v_astronautis v_maskedman v_talent v_london v_underground
v_coffeehouse v_calder v_grace v_yard v_dogman v_laptop v_eastsouth v_boat v_strand v_busstop
v_artisans v_machines v_soldiers v_home v_wapping v_wounded v_weapons v_adam v_there v_vitro
v_cartooncity v_abstract v_dirtywall v_beyus v_apprentices v_sunseason v_wall v_war v_bricks
v_fest v_churchill v_blueprint v_tempera v_samples v_man v_bees v_pomegranate v_bip v_feast
v_azzola v_woman v_yuri v_posters v_bird v_graffiti v_bark v_wormhole v_tabletop v_courses
v_birdwoman v_gardens
""".split()

# Points of each sequence, in the order of SEQUENCE_NAMES. The task lists that are drawn with them
# for the test sides of a, b, c and illum equal the published ones.
_POINTS = """
1962 2000 2000 851 1999 1950 409 1710 1983 613 815 1994 555 869 881 298 1194 2000 552 1091 1025
636 767 726 547 675 853 723 1995 515 901 1387 2000 506 471 710 623 880 528 1002 785 1983 714 1998
1857 1772 1061 596 784 1682 345 815 1706 1995 474 487 1102 1907 528 258 1955 1072 1997 1999 1592
1998 1924 1599 1617 590 790 1646 1523 1816 2000 1999 1969 1530 1597 2000 927 1466 764 944 1464
1620 1891 2000 1538 1993 1998 1777 1991 1997 1810 1241 1997 1407 1995 1657 1991 1995 1322 2000
2000 1049 713 1999 1272 1123 1173 1097 2000 1506 2000 1964
""".split()
SEQUENCE_LENGTHS = {name: int(points) for name, points in zip(SEQUENCE_NAMES, _POINTS)}
# For these sequences, SEQUENCE_LENGTHS is only a lower bound. This is the upper bound.
_UPPER_BOUNDS = """
v_circus 1908 v_calder 1926 v_grace 1603 v_dogman 593 v_boat 1527 v_home 1608 v_cartooncity 1623
v_beyus 1539 v_wall 1781 v_bricks 2000 v_samples 1999 v_bird 1274 v_bark 1175
""".split()
AT_MOST = dict(zip(_UPPER_BOUNDS[::2], map(int, _UPPER_BOUNDS[1::2])))

_TEST = {
    "a": """
i_ajuntament i_resort i_table i_troulos i_bologna i_lionnight i_porta i_zion i_brooklyn i_fruits
i_books i_bridger i_whitebuilding i_kurhaus i_salon i_autannes i_tools i_santuario i_fog
i_nijmegen v_courses v_coffeehouse v_abstract v_feast v_woman v_talent v_tabletop v_bees
v_strand v_fest v_yard v_underground v_azzola v_eastsouth v_yuri v_soldiers v_man v_pomegranate
v_birdwoman v_busstop
""",
    "b": """
i_fruits i_melon i_castle i_resort i_chestnuts i_kions i_kurhaus i_autannes i_duda i_partyfood
i_ski i_dome i_greenhouse i_pencils i_porta i_lionday i_school i_bridger i_village i_fog
v_astronautis v_bip v_charing v_woman v_feast v_yard v_churchill v_graffiti v_london v_sunseason
v_posters v_bees v_apprentices v_birdwoman v_colors v_laptop v_there v_adam v_underground v_war
""",
    "c": """
i_ski i_table i_troulos i_melon i_tools i_kions i_londonbridge i_nijmegen i_boutique i_parking
i_steps i_fog i_leuven i_dc i_partyfood i_pool i_castle i_bologna i_smurf i_crownnight v_azzola
v_tempera v_machines v_coffeehouse v_graffiti v_artisans v_maskedman v_talent v_bees v_dirtywall
v_blueprint v_war v_adam v_pomegranate v_busstop v_weapons v_gardens v_feast v_man v_wounded
""",
    "view": " ".join(name for name in SEQUENCE_NAMES if name.startswith("v_")),
    "illum": " ".join(name for name in SEQUENCE_NAMES if name.startswith("i_")),
    "full": " ".join(SEQUENCE_NAMES),
}

VALIDATION_STEP = 5  # every fifth training sequence is a validation sequence

SPLITS = {}
for _split, _names in _TEST.items():
    _test = _names.split()
    # The others have only a test side: they are for descriptors that were trained on other data.
    _train = [name for name in SEQUENCE_NAMES if name not in _test] if _split in "abc" else []
    _validation = _train[VALIDATION_STEP - 1 :: VALIDATION_STEP]
    _train = [name for name in _train if name not in _validation]
    SPLITS[_split] = dict(zip(SIDES, (_train, _validation, _test)))


def split_names(split, side="test"):
    """The sequence names of one side of a split, in the official order; UserError if unknown."""
    if split not in SPLITS or side not in SIDES:
        raise UserError(
            f"Unknown split {split!r} or side {side!r}: expected one of {', '.join(SPLITS)}"
            f" and one of {', '.join(map(repr, SIDES))}."
        )
    return list(SPLITS[split][side])


def with_validation_side(splits):
    """Return splits with the current form of each split of HPatches among them.

    Sets that a development version of 0.2 converted or saved have no validation side.
    Splits of other names or with other sequences stay as they are.
    """
    return {
        name: SPLITS[name] if _is_official(name, split) else split for name, split in splits.items()
    }


def _is_official(name, split):
    """Whether a stored split is the one of HPatches with this name, of any version of the kit."""
    if name not in SPLITS or split.get("test") != SPLITS[name]["test"]:
        return False
    stored, official = (
        {*sides.get("train", []), *sides.get("validation", [])} for sides in (split, SPLITS[name])
    )
    return stored == official


def split_lengths(split, side="test"):
    """The number of points of each sequence, `{name: points}`, in the official order.

    Raises UserError for an unknown split, and if a number of points is not known exactly.
    """
    names = split_names(split, side)
    if inexact := [name for name in names if name in AT_MOST]:
        first = inexact[0]
        raise UserError(
            f"The exact number of points is unknown for {len(inexact)} sequences of split"
            f" {split!r}: {first} has {SEQUENCE_LENGTHS[first]} to {AT_MOST[first]}."
            " Choose the test side of a, b, c or illum."
        )
    return {name: SEQUENCE_LENGTHS[name] for name in names}
