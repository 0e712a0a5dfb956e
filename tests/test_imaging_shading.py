import numpy as np

from imaging.shading import harmonics, phong, sample_texture, spherical_harmonics


def directions(rng, count):
    d = rng.normal(size=(count, 3))
    return d / np.linalg.norm(d, axis=1, keepdims=True)


def test_phong_at_hand_computed_points():
    normal = np.array([[0, 0, -1.0]])
    albedo = np.array([[0.5, 0.4, 0.2]])
    light = np.array([0.6, 0, -0.8])
    ambient, direct = np.array([0.3, 0.3, 0.4]), np.array([0.7, 0.6, 0.5])
    # seen along the mirrored light, ⟨r, ve⟩ = 1: Amb·T + Dir·T·0.8 + k_s·Dir
    got = phong(albedo, normal, np.array([-0.6, 0, -0.8]), light, ambient, direct, 0.1, 7.0)
    np.testing.assert_allclose(got, albedo * (ambient + 0.8 * direct) + 0.1 * direct)
    # seen along the normal, ⟨r, ve⟩ = 0.8
    got = phong(albedo, normal, normal, light, ambient, direct, 0.1, 7.0)
    np.testing.assert_allclose(got, albedo * (ambient + 0.8 * direct) + 0.1 * direct * 0.8**7)


def test_light_from_behind_leaves_the_ambient_alone():
    rng = np.random.default_rng(0)
    normals, light = directions(rng, 500), directions(rng, 1)[0]
    view = directions(rng, 500)
    albedo = rng.uniform(size=(500, 3))
    got = phong(albedo, normals, view, light, np.full(3, 0.2), np.ones(3), 0.5, 1.5)
    behind = normals @ light <= 0
    assert behind.sum() > 100
    np.testing.assert_allclose(got[behind], 0.2 * albedo[behind])
    assert (got >= 0).all()


def test_harmonics_are_orthonormal():
    rng = np.random.default_rng(1)
    values = harmonics(directions(rng, 400_000))
    gram = 4 * np.pi * values.T @ values / len(values)
    # Monte Carlo of 4e5 samples: the standard error of an entry is below 3e-3
    np.testing.assert_allclose(gram, np.eye(9), atol=0.015)


def test_irradiance_of_known_environments():
    rng = np.random.default_rng(2)
    normals = directions(rng, 50)
    uniform = np.zeros((9, 3))
    uniform[0] = np.sqrt(4 * np.pi)  # radiance 1 from everywhere
    albedo = rng.uniform(size=(50, 3))
    # the constants are given to six digits
    np.testing.assert_allclose(spherical_harmonics(albedo, normals, uniform), albedo, rtol=1e-5)

    axis = directions(rng, 1)[0]
    cosine = np.zeros((9, 3))
    # radiance 1 + ⟨d, axis⟩ has irradiance π(1 + 2/3·⟨n, axis⟩) exactly
    cosine[0] = np.sqrt(4 * np.pi)
    cosine[1:4] = np.sqrt(4 * np.pi / 3) * axis[[1, 2, 0], None]
    expected = albedo * (1 + 2 / 3 * (normals @ axis))[:, None]
    np.testing.assert_allclose(spherical_harmonics(albedo, normals, cosine), expected, rtol=1e-5)


def test_texture_look_up_reproduces_a_ramp_and_holds_the_border():
    x, y = np.meshgrid(np.arange(8) + 0.5, np.arange(4) + 0.5)
    texture = np.stack([x / 8, y / 4], -1)  # the texture holds its own coordinates, v down
    rng = np.random.default_rng(3)
    uv = rng.uniform([1 / 16, 1 / 8], [15 / 16, 7 / 8], (200, 2))
    np.testing.assert_allclose(sample_texture(texture, uv), uv, atol=1e-6)
    np.testing.assert_allclose(sample_texture(texture, np.array([-3.0, 5.0])), [1 / 16, 7 / 8])
    assert sample_texture(texture, np.zeros((3, 5, 2))).shape == (3, 5, 2)
