"""An analytic surface with a known texture, in the formats that scans come in."""

import numpy as np
from PIL import Image

from registration.readers.mesh_render import FrameSettings

SIZE_MM, BULGE_MM = 200.0, 80.0
# Rows from the top: red green / blue white. The image's top is v = 1.
TEXTURE = np.array([[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [255, 255, 255]]], dtype=np.uint8)


def surface(count=81):
    """A paraboloid z = bulge·(1 - (x² + y²)/r²), 200 mm wide: vertices, triangles, uv."""
    x, y = np.meshgrid(np.linspace(-1, 1, count), np.linspace(-1, 1, count))
    half = SIZE_MM / 2
    z = BULGE_MM * (1 - (x**2 + y**2) / 2)
    vertices = np.stack([x * half, y * half, z], -1).reshape(-1, 3)
    uv = np.stack([x + 1, y + 1], -1).reshape(-1, 2) / 2
    i = np.arange(count * count).reshape(count, count)
    a, b, c, d = (m.ravel() for m in (i[:-1, :-1], i[:-1, 1:], i[1:, :-1], i[1:, 1:]))
    return vertices, np.concatenate([np.stack([a, b, d], 1), np.stack([a, d, c], 1)]), uv


def write_obj(path, vertices, triangles, uv, material=True):
    lines = ["mtllib skin.mtl", "usemtl skin"] if material else []
    lines += [f"v {x:.6f} {y:.6f} {z:.6f}" for x, y, z in vertices]
    lines += [f"vt {u:.6f} {v:.6f}" for u, v in uv]
    lines += ["f " + " ".join(f"{k}/{k}" for k in triangle) for triangle in triangles + 1]
    path.write_text("\n".join(lines) + "\n")
    if material:
        (path.parent / "skin.mtl").write_text("newmtl skin\nmap_Kd skin.png\n")
        texture = Image.fromarray(TEXTURE).resize((256, 256), Image.Resampling.NEAREST)
        texture.save(path.parent / "skin.png")


def check_surface(scan):
    """Depth lies on the paraboloid, and each quadrant has its colour."""
    frame = FrameSettings()
    inside = scan.depth_mm > 0
    rows, columns = np.nonzero(inside)
    pixels = np.stack([columns, rows], -1) + 0.5
    points = scan.camera.unproject(pixels, scan.depth_mm[inside])
    x, y, z = points[:, 0], -points[:, 1], frame.distance_mm - points[:, 2]
    true = BULGE_MM * (1 - (x**2 + y**2) / 2 / (SIZE_MM / 2) ** 2) - BULGE_MM / 2
    # A chord of the 2.5 mm grid sags by 80·(1.25/100)²/2 = 0.006 mm along each axis.
    assert np.abs(z - true).max() < 0.05
    # The middle of the upper and the lower edge lies as deep as the box's centre: 60 % there.
    assert abs(np.ptp(rows) + 1 - frame.fill * frame.size_px) <= 2
    quadrants = {(150, -150): 0, (150, 150): 1, (-150, -150): 2, (-150, 150): 3}
    for (up, right), which in quadrants.items():
        pixel = scan.color[320 - up // 2, 320 + right // 2]
        np.testing.assert_allclose(pixel, TEXTURE.reshape(4, 3)[which], atol=1)
    np.testing.assert_array_equal(scan.color[0, 0], [128, 128, 128])


def write_texture(path, size=256):
    """The four colours as an image."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(TEXTURE).resize((size, size), Image.Resampling.NEAREST).save(path, quality=95)


def corner_colors(uv):
    """(V, 3) uint8: the texture's colours on the vertices."""
    return TEXTURE.reshape(4, 3)[(uv[:, 1] < 0.5) * 2 + (uv[:, 0] > 0.5)]


def write_wrl(path, vertices, triangles, uv=None, texture=None, colors=None):
    """VRML97 as scanners write it: one Shape, numbers with commas."""
    path.parent.mkdir(parents=True, exist_ok=True)

    def rows(values):
        return ",\n".join(" ".join(f"{value:.6f}" for value in row) for row in values)

    parts = [f"coord Coordinate {{ point [ {rows(vertices)} ] }}"]
    parts.append(f"coordIndex [ {', '.join(f'{a}, {b}, {c}, -1' for a, b, c in triangles)} ]")
    if uv is not None:
        parts.append(f"texCoord TextureCoordinate {{ point [ {rows(uv)} ] }}")
    if colors is not None:
        parts.append(f"color Color {{ color [ {rows(colors / 255)} ] }}")
    image = f'texture ImageTexture {{ url "{texture}" }}' if texture else ""
    shape = f"Shape {{ appearance Appearance {{ {image} }} geometry IndexedFaceSet {{"
    text = ["#VRML V2.0 utf8", "# a scanner", shape, *parts, "} }"]
    path.write_text("\n".join(text) + "\n")
