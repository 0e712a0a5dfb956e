import numpy as np

from imaging.clipping import NO_CUTS, cut_at


def areas(points, triangles):
    a, b, c = np.moveaxis(points[triangles].astype(np.float64), 1, 0)
    return np.cross(b - a, c - a) / 2


def test_parts_are_what_lies_beyond_the_plane():
    """Random triangles and a plane: each part lies beyond it, turned as its source, and the share
    of area that is left agrees with points counted on the source."""
    rng = np.random.default_rng(0)
    points = rng.uniform(-1, 1, (90, 3)).astype(np.float32)
    points[:, 2] += 1
    triangles = np.arange(90, dtype=np.int32).reshape(30, 3)
    depth = points[:, 2].astype(np.float64)
    cuts = cut_at(points, triangles, depth, 0.8)
    every = np.concatenate([points, cuts.points])
    assert (every[cuts.triangles][..., 2] >= 0.8).all()
    count = (depth[triangles] >= 0.8).sum(1)
    assert set(cuts.source) == set(np.flatnonzero((count > 0) & (count < 3)))
    parts, wholes = areas(every, cuts.triangles), areas(points, triangles)
    assert ((parts * wholes[cuts.source]).sum(1) > 0).all()
    shares = np.sort(rng.random((20_000, 2)), axis=1)
    weights = np.diff(shares, axis=1, prepend=0, append=1)
    for t in set(cuts.source):
        left = np.linalg.norm(parts[cuts.source == t], axis=1).sum() / np.linalg.norm(wholes[t])
        # 20,000 points tell a share to 0.0035 (one sigma)
        assert abs(left - (weights @ depth[triangles[t]] >= 0.8).mean()) < 0.015


def test_weights_carry_the_source_to_each_corner():
    points = np.array([[0, 0, -1], [2, 0, 3], [0, 2, 5]], np.float32)
    triangles = np.array([[0, 1, 2]], np.int32)
    cuts = cut_at(points, triangles, points[:, 2].astype(np.float64), 1.0)
    assert len(cuts.triangles) == 2
    every = np.concatenate([points, cuts.points])
    # float32 of a few units
    np.testing.assert_allclose(cuts.weights @ points, every[cuts.triangles], atol=1e-5)
    np.testing.assert_allclose(cuts.weights.sum(-1), 1)


def test_nothing_is_cut_where_nothing_crosses():
    points = np.array([[0, 0, 1], [1, 0, 1], [0, 1, 1]], np.float32)
    triangles = np.array([[0, 1, 2]], np.int32)
    for nearest in (0.5, 2.0):
        assert cut_at(points, triangles, points[:, 2].astype(float), nearest) is NO_CUTS
