import numpy as np

from faces.rotation import matrix_from_euler
from imaging.shading import harmonics, irradiance_polynomial, spherical_harmonics
from imaging.shadow import sphere_directions
from synth.light import sample_light


def test_a_turned_light_shines_from_the_turned_side():
    light = sample_light(np.random.default_rng(0))
    turn = matrix_from_euler(70, 30, 10)
    turned, around = light.turned(turn), sphere_directions(50)
    np.testing.assert_allclose(
        harmonics(around @ turn.T) @ turned.environment, harmonics(around) @ light.environment
    )
    np.testing.assert_allclose(turned.direction, turn @ light.direction)


def test_the_polynomial_is_the_irradiance():
    light, normals = sample_light(np.random.default_rng(1)), sphere_directions(30)
    x, y, z = normals.T
    terms = [np.ones(30), y, z, x, x * y, y * z, 3 * z * z - 1, x * z, x * x - y * y]
    got = np.stack(terms, 1) @ irradiance_polynomial(light.environment)
    expected = spherical_harmonics(np.ones((30, 3)), normals, light.environment)
    np.testing.assert_allclose(np.clip(got, 0, None), expected, atol=1e-12)


def test_people_are_lit_from_above_and_before():
    lights = [sample_light(np.random.default_rng(seed)) for seed in range(100)]
    for light in lights:
        np.testing.assert_allclose(np.linalg.norm(light.direction), 1)
        assert light.direction[2] < 0
        assert light.direction[1] <= 0
        assert (light.ambient > 0.15).all()
        assert (light.directional > 0.1).all()
    up = np.array([[0.0, -1, 0]])
    brighter = [
        (
            spherical_harmonics(np.ones((1, 3)), up, m.environment)
            > spherical_harmonics(np.ones((1, 3)), -up, m.environment)
        ).all()
        for m in lights
    ]
    assert np.mean(brighter) > 0.95
