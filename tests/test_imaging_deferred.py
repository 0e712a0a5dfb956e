"""The compiled shading against the same equations in plain numpy, sample by sample."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from imaging.deferred import BRIGHTEST, FRESNEL, SCATTER, SHEEN, STEP_MM, shade, to_linear
from imaging.shading import sample_texture
from imaging.shadow import SPIRALS, lit_share, shadow_map
from imaging.texture import halved

COUNT = 300
WIDTH, HEIGHT = 30, 20
UP = np.array([0.1, -0.4, -0.9]) / np.linalg.norm([0.1, -0.4, -0.9])


@dataclass(frozen=True, eq=False)
class Case:
    """A random soup of ten triangles near (0, 0, 600) mm, and samples all over them."""

    triangles: np.ndarray
    vertices: np.ndarray
    colors: np.ndarray
    texture: np.ndarray | None
    relief: np.ndarray | None
    uv: np.ndarray
    shininess: float
    scatter: float
    two_sided: bool
    shadow: tuple
    samples: tuple
    environment: np.ndarray
    lamp: tuple


def case(**changes):
    rng = np.random.default_rng(5)
    triangles = np.arange(30, dtype=np.int32).reshape(10, 3)
    vertices = np.zeros((30, 8), np.float32)
    vertices[:, :3] = rng.uniform(-60, 60, (30, 3)) + np.array([0, 0, 600])
    vertices[:, 3:6] = rng.normal(size=(30, 3)) + np.array([0, 0, -1.5])
    vertices[:, 6], vertices[:, 7] = rng.uniform(0.2, 1, 30), rng.uniform(0, 0.6, 30)
    weights = rng.dirichlet(np.ones(3), COUNT).astype(np.float32)
    samples = (
        np.sort(rng.choice(WIDTH * HEIGHT, COUNT, replace=False)).astype(np.int32),
        rng.integers(0, 14, COUNT).astype(np.int32),  # four triangles of another surface
        weights,
        rng.uniform(0.25, 1, COUNT).astype(np.float32),
        np.full(COUNT, 1e6, np.float32),  # large in the image: the fine textures are read
    )
    plain = Case(
        triangles,
        vertices,
        rng.random((30, 3)).astype(np.float32),
        None,
        None,
        rng.uniform(0.05, 0.95, (30, 2)).astype(np.float32),
        20.0,
        0.0,
        False,
        (False, np.zeros((1, 1), np.float32), np.zeros((3, 4)), 0.0),
        samples,
        rng.normal(0, 0.1, (9, 3)) + np.eye(9, 3)[:, :1] * 0.4,
        (UP, np.array([0.9, 0.8, 0.6])),
    )
    return replace(plain, **changes)


def compiled(c: Case) -> np.ndarray:
    out = np.zeros((HEIGHT, WIDTH, 3), np.float32)
    paint = (c.colors, *halved(c.texture), *halved(c.relief, 1), c.uv, c.triangles)
    look = (c.shininess, c.scatter, c.two_sided)
    surface = (c.triangles, c.vertices)
    shade(c.samples, 0, 10, surface, paint, look, c.lamp, c.environment, c.shadow, out)
    return out


def plain(c: Case) -> np.ndarray:
    out = np.zeros((HEIGHT * WIDTH, 3))
    for pixel, t, weights, share, _ in zip(*c.samples, strict=True):
        if t < 10:
            out[pixel] += share * color_of(c, pixel, t, weights.astype(np.float64))
    return out.reshape(HEIGHT, WIDTH, 3)


def color_of(c: Case, pixel, t, weights):
    corners = c.triangles[t]
    rows = c.vertices[corners].astype(np.float64)
    place, normal = weights @ rows[:, :3], weights @ rows[:, 3:6]
    openness, strength = weights @ rows[:, 6], weights @ rows[:, 7]
    normal /= np.linalg.norm(normal)
    uv = weights @ c.uv[corners]
    if c.relief is not None:
        normal = normal - slope_of(c.relief, uv, rows[:, :3], c.uv[corners])
        normal /= np.linalg.norm(normal)
    view = -place / np.linalg.norm(place)
    if c.two_sided and normal @ view < 0:
        normal = -normal
    direction, lamp = c.lamp
    incidence, lit = normal @ direction, 1.0
    if c.shadow[0] and incidence > -SCATTER[0]:
        taps = SPIRALS[(pixel % WIDTH * 7 + pixel // WIDTH * 13) & 15]
        lit = lit_share(*c.shadow[1:], *(place + STEP_MM * normal), taps)
    albedo = weights @ c.colors[corners] if c.texture is None else sample_texture(c.texture, uv)
    albedo = to_linear(albedo)
    mirror = 2 * (normal @ view) * normal - view
    wrap = c.scatter * SCATTER
    diffuse = np.maximum(incidence + wrap, 0) / (1 + wrap)
    diffuse = np.where(wrap > 0, diffuse**2 / (diffuse + 0.3 * wrap + 1e-6), diffuse)
    direct = lamp * diffuse * (lit + 0.5 * wrap * lit * (1 - lit))
    a, b, d = 2.0404 * albedo - 0.3324, -4.7951 * albedo + 0.6417, 2.7552 * albedo + 0.6903
    visible = np.maximum(openness, ((openness * a + b) * openness + d) * openness)
    soft = irradiance(c.environment, normal) * visible
    highlight = strength * lit * max(mirror @ direction, 0) ** c.shininess if incidence > 0 else 0
    grazing = (1 - np.clip(normal @ view, 0, 1)) ** 4
    glow = openness * (min(strength, 0.1) * FRESNEL * grazing + SHEEN * strength)
    color = albedo * (soft + direct) + lamp * highlight
    return np.minimum(color + irradiance(c.environment, mirror) * glow, BRIGHTEST)


def irradiance(light, way):
    x, y, z = way
    terms = np.array([1, y, z, x, x * y, y * z, 3 * z * z - 1, x * z, x * x - y * y])
    return np.maximum(terms @ light, 0)


def slope_of(relief, uv, points, chart):
    """The gradient, in the triangle's plane, of central differences at the texel."""
    height, width = relief.shape
    x, y = np.clip((uv * [width, height]).astype(int), 1, [width - 2, height - 2])
    rise = np.array(
        [
            (relief[y, x + 1] - relief[y, x - 1]) * width / 2,
            (relief[y + 1, x] - relief[y - 1, x]) * height / 2,
        ]
    )
    sides, turns = points[1:] - points[0], chart[1:] - chart[0]
    return np.linalg.pinv(sides) @ (turns.astype(np.float64) @ rise)


def images():
    rng = np.random.default_rng(9)
    texture = rng.random((32, 48, 3)).astype(np.float32)
    return texture, (0.3 * rng.random((32, 48))).astype(np.float32)


def shadows():
    """A board between the lamp and a part of the soup."""
    board = np.array([[-40.0, -40, 0], [40, -40, 0], [40, 40, 0], [-40, 40, 0]])
    board = board + np.array([0, 0, 600]) + 100 * UP
    seen = shadow_map(
        board, np.array([[0, 1, 2], [0, 2, 3]]), UP, np.array([0, 0, 600.0]), 160.0, 256, 4.0
    )
    return True, seen.depth, seen.matrix, seen.spread


TEXTURE, RELIEF = images()


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"shininess": 200.0, "two_sided": True},
        {"scatter": 1.0, "texture": TEXTURE},
        {"texture": TEXTURE, "relief": RELIEF, "scatter": 0.5},
        {"shadow": shadows(), "scatter": 1.0},
    ],
    ids=["matt", "glossy", "skin", "relief", "shadow"],
)
def test_compiled_shading_is_the_equations(changes):
    c = case(**changes)
    expected = plain(c)
    assert expected.max() > 0.3
    # float32 sums of a value of about 1, and highlights below a thousandth are left out; a place
    # on a texel's border of the relief, or of the shadow, may fall to its other side
    apart = np.abs(compiled(c) - expected).max(-1)
    assert np.quantile(apart, 0.99) < 2e-3
    assert np.mean(apart) < 1e-3


def test_shadows_matter_in_that_test():
    with_shadow, without = compiled(case(shadow=shadows())), compiled(case())
    assert ((without - with_shadow).max(-1) > 0.1).sum() > 20


def test_a_sample_of_many_texels_reads_the_half_size_texture():
    checks = (np.indices((32, 48)).sum(0) % 2).astype(np.float32)
    c = case(texture=np.repeat(checks[..., None], 3, 2))
    small = replace(c, samples=(*c.samples[:4], np.full(COUNT, 1e-3, np.float32)))
    grey = replace(c, texture=np.full((32, 48, 3), 0.5, np.float32))
    np.testing.assert_allclose(compiled(small), compiled(grey), atol=1e-5)
    assert np.abs(compiled(c) - compiled(grey)).max() > 0.1
