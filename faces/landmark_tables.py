"""How other landmark schemes correspond to the 68 ibug points: tables by anatomy.

An entry is a weighted mean of source points: ``((index, weight), ...)``, weights summing to 1; an
empty entry has no counterpart. "Left" and "right" below mean left and right in the image.
"""

Entry = tuple[tuple[int, float], ...]


def _single(*indices: int) -> tuple[Entry, ...]:
    return tuple(((index, 1.0),) for index in indices)


def _between(*triples: tuple[int, int, float]) -> tuple[Entry, ...]:
    """Entries (a, b, t): the point at share t of the way from a to b, a itself where t is 0."""
    return tuple(((a, 1 - t), (b, t)) if t else ((a, 1.0),) for a, b, t in triples)


def _mean(*groups: tuple[int, ...]) -> tuple[Entry, ...]:
    return tuple(tuple((index, 1 / len(group)) for index in group) for group in groups)


# MediaPipe's canonical face. The jaw follows its face oval from the ear (127, 356) to the chin
# (152), the brows its upper brow line, the lips its lip lines; where ibug's points lie along these
# lines is the mean over renders of a known mesh model, a scan with 68 points, and 20 photos with
# WebMorph templates. Those three disagree with each other by up to 5 % of the outer eye distance
# on the brows and 10 % along the jaw.
MEDIAPIPE478: tuple[Entry, ...] = (
    _between((127, 234, 0), (234, 93, 0), (93, 132, 0.3), (132, 58, 0.4), (58, 172, 0.6))
    + _between((136, 150, 0.4), (149, 176, 0), (176, 148, 0.7), (152, 377, 0), (400, 377, 0.7))
    + _between((378, 400, 0), (365, 379, 0.4), (288, 397, 0.6), (361, 288, 0.4))
    + _between((323, 361, 0.3), (454, 323, 0), (356, 454, 0))
    # brows, outer end to inner and inner to outer
    + _between((70, 63, 0), (63, 105, 0.3), (105, 66, 0.4), (66, 107, 0.3), (107, 66, 0))
    + _between((336, 296, 0), (296, 336, 0.3), (334, 296, 0.4), (293, 334, 0.3), (300, 293, 0))
    + _between((8, 168, 0.7), (6, 197, 0.4), (195, 5, 0), (4, 1, 0))  # nose: bridge and tip
    + _between((98, 97, 0.3), (97, 2, 0.1), (2, 326, 0), (326, 2, 0.1), (327, 326, 0.3))
    + _single(33, 160, 158, 133, 153, 144)  # left eye
    + _single(362, 385, 387, 263, 373, 380)  # right eye
    # lips, outside: upper line left to right, lower line right to left
    + _between((61, 185, 0), (40, 39, 0.4), (37, 0, 0), (0, 267, 0), (267, 0, 0), (270, 269, 0.4))
    + _between((291, 321, 0), (321, 405, 0.2), (405, 314, 0.6), (17, 84, 0))
    + _between((181, 84, 0.6), (91, 181, 0.2))
    # lips, inside, likewise
    + _between((78, 191, 0), (81, 82, 0.4), (13, 312, 0), (311, 312, 0.4))
    + _between((308, 415, 0), (402, 317, 0.3), (14, 87, 0), (178, 87, 0.3))
)

# WebMorph's 189-point face template. Its face outline runs from the upper ear (109, 112) to the
# chin (129); ibug's jaw points lie at equal arc lengths of that line on the mean of 42 templates.
WEBMORPH189: tuple[Entry, ...] = (
    _between((109, 185, 0), (185, 110, 0.64), (186, 111, 0.22), (111, 125, 0.5))
    + _between((125, 126, 0.62), (126, 127, 0.51), (127, 128, 0.32), (128, 129, 0.16), (129, 0, 0))
    + _between((130, 129, 0.21), (131, 130, 0.38), (132, 131, 0.54), (133, 132, 0.59))
    + _between((114, 133, 0.46), (188, 114, 0.17), (187, 113, 0.63), (112, 187, 0))
    # brows: the tips, and the middle of the hair between the upper and the lower line
    + _mean((71,), (72, 83), (73, 74, 83, 84), (74, 75, 84, 84), (75, 76))
    + _mean((77, 78), (78, 79, 85, 85), (79, 80, 85, 86), (81, 86), (82,))
    + _mean((50, 56, 51, 57), (52, 58), (53, 59), (54, 60))  # nose: the two ridges' middle
    + _mean((64,), (64, 180), (55,), (181, 69), (69,))  # nose: base
    + _between((18, 0, 0), (19, 20, 0.5), (20, 21, 0.75), (22, 0, 0))  # left eye
    + _between((30, 29, 0.25), (28, 29, 0.5))
    + _between((23, 0, 0), (24, 25, 0.25), (25, 26, 0.5), (27, 0, 0))  # right eye
    + _between((32, 33, 0.5), (31, 32, 0.25))
    + _single(87, 88, 89, 90, 91, 92, 93, 108, 107, 106, 105, 104)  # lips, outside
    + _between((87, 94, 0.25), (95, 0, 0), (96, 0, 0), (97, 0, 0), (93, 98, 0.25))  # inside
    + _single(102, 101, 100)
)

# The scheme's first 68 points are the ibug ones (Beyond 3DMM Space uses 240 of its own).
DENSE240: tuple[Entry, ...] = _single(*range(68))

# ibug68 without the jaw, as some data sets publish it.
IBUG51: tuple[Entry, ...] = ((),) * 17 + _single(*range(51))

TO_IBUG68: dict[str, tuple[Entry, ...]] = {
    "ibug68": _single(*range(68)),
    "ibug51": IBUG51,
    "dense240": DENSE240,
    "mediapipe478": MEDIAPIPE478,
    "webmorph189": WEBMORPH189,
}
