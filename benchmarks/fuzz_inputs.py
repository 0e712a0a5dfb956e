"""Folders of good inputs of each kind, small, and copies of them damaged in one way each."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import trimesh
from PIL import Image

from benchmarks import fuzz_damage as damage
from faces.landmarks import write_landmarks
from faces.types import Landmarks
from registration.readers.base import open_layout
from registration.readers.mesh_render import frame_origin, frontal_camera
from synth.rgbd import write_rgbd
from tests import simulate
from tests.toy import toy_model

GOOD = 2  # untouched inputs of each kind: a damaged neighbour must not spoil them
LONG = "n" * 200
NO_FILE = (damage.removed, damage.a_folder_instead)


@dataclass(frozen=True)
class Case:
    """One damaged input.

    Attributes:
        name: of its folder.
        file: what was damaged, by its suffix.
        what: the damage, in words.
    """

    name: str
    file: str
    what: str


@dataclass(frozen=True)
class Kind:
    """A kind of input: what writes a good one into a folder, and its damages by file.

    ``gone`` are what may happen to the first of these files that leaves nothing to tell that there
    was an input.
    """

    layout: str
    write: Callable[[Path, int], None]
    damages: dict[str, list[damage.Damage]]
    gone: tuple[damage.Damage, ...] = ()


def make(kind: Kind, root: Path, count: int, seed: int) -> list[Case]:
    """GOOD good inputs and ``count`` damaged ones below a root, and folders that hold none."""
    rng = np.random.default_rng(seed)
    for number in range(GOOD):
        kind.write(root / folder_name(kind, number), number)
    cases = []
    for number, (file, how) in enumerate(_chosen(kind, count, rng), GOOD):
        name = folder_name(kind, number)
        _write_damaged(kind, root / name, file, how, rng)
        cases.append(Case(name, file, how.__name__.replace("_", " ")))
    for number, how in enumerate(kind.gone, GOOD + count):
        name = folder_name(kind, number)
        _write_damaged(kind, root / name, next(iter(kind.damages)), how, rng)
    return cases


def _write_damaged(kind: Kind, home: Path, file: str, how: damage.Damage, rng) -> None:
    """A good input, and then what happened to its file of that suffix."""
    kind.write(home, 0)
    how(next(p for p in sorted(home.rglob("*")) if p.name.endswith(file)), rng)


def odd_names(kind: Kind, root: Path) -> list[Case]:
    """Good inputs in folders, and an empty folder, whose names are unusual."""
    names = [
        "ü ñ 漢字 😀",
        LONG,
        "-rf",
        "a.b.c",
        "quo'te\"s",
        "<script>",
        "tab\tline\nend",
        "$HOME;",
    ]
    names += ["back\\slash", "%s{}", " ", os.fsdecode(b"latin-\xe9")]
    for name in names:
        kind.write(root / name, 1)
    (root / "empty").mkdir(parents=True)
    return [Case(name, "name", "an odd name") for name in names]


def folder_name(kind: Kind, number: int) -> str:
    """As the layout wants its people called."""
    return f"bs{number:03d}" if kind.layout == "bosphorus" else f"p{number:03d}"


def _chosen(kind: Kind, count: int, rng) -> Iterator[tuple[str, damage.Damage]]:
    """Each damage once in a random order, then again with other random numbers."""
    every = [(file, how) for file, damages in kind.damages.items() for how in damages]
    order = []
    while len(order) < count:
        order += [every[i] for i in rng.permutation(len(every))]
    yield from order[:count]


def frame(seed: int):
    """A small RGB-D frame of the toy head."""
    rng, model = np.random.default_rng(seed), toy_model()
    return simulate.frame(
        model, simulate.true_shape(model, rng), simulate.true_pose(rng, yaw_deg=0), rng
    )


def write_frame(home: Path, seed: int) -> None:
    scan = replace(frame(seed), key=f"{home.name}/a", subject=home.name)
    home.parent.mkdir(parents=True, exist_ok=True)
    write_rgbd(scan, home.parent)


def write_photo(home: Path, seed: int) -> None:
    scan = frame(seed)
    home.mkdir(parents=True)
    Image.fromarray(scan.color).save(home / "a.jpg", quality=95)
    write_landmarks(scan.landmarks, home / "a.landmarks.json")


def write_mesh(suffix: str) -> Callable[[Path, int], None]:
    def write(home: Path, seed: int) -> None:
        rng, model = np.random.default_rng(seed), toy_model()
        shape = simulate.true_shape(model, rng)
        home.mkdir(parents=True)
        colors = np.rint(255 * model.albedo_mean).astype(np.uint8)
        path = home / f"a{suffix}"
        if suffix == ".wrl":
            _write_wrl(path, shape, model.triangles, colors)
        else:
            mesh = trimesh.Trimesh(shape, model.triangles, vertex_colors=colors, process=False)
            if suffix == ".obj":
                mesh.visual = _textured(model, home)
            mesh.export(path)
        _mark(path, shape, model)

    return write


def _textured(model, home: Path):
    image = Image.fromarray(np.full((64, 64, 3), (190, 140, 120), np.uint8))
    uv = (model.mean_mm[:, :2] - model.mean_mm[:, :2].min(0)) / np.ptp(model.mean_mm[:, :2], axis=0)
    material = trimesh.visual.material.SimpleMaterial(image=image, name="skin")
    return trimesh.visual.TextureVisuals(uv=uv, image=image, material=material)


def _write_wrl(path: Path, vertices, triangles, colors) -> None:
    def rows(values):
        return ",\n".join(" ".join(f"{value:.5f}" for value in row) for row in values)

    index = ", ".join(f"{a}, {b}, {c}, -1" for a, b, c in triangles)
    path.write_text(
        "#VRML V2.0 utf8\nShape { geometry IndexedFaceSet {\n"
        f"coord Coordinate {{ point [ {rows(vertices)} ] }}\ncoordIndex [ {index} ]\n"
        f"color Color {{ color [ {rows(colors / 255)} ] }} }} }}\n"
    )


def _mark(path: Path, shape: np.ndarray, model) -> None:
    """Landmarks in the frontal frame that the reader renders."""
    reader = open_layout("mesh", path.parent)
    mesh = reader._mesh(reader.refs()[0])
    camera, _ = frontal_camera(mesh, reader.frame)
    points = (shape - frame_origin(mesh)) * [1, -1, -1] + [0, 0, reader.frame.distance_mm]
    pixels = camera.project(points[model.landmarks["ibug68"]])
    marks = Landmarks(pixels, "ibug68", np.ones(len(pixels)))
    write_landmarks(marks, path.with_name(f"{path.stem}.landmarks.json"))


def _points(scan) -> np.ndarray:
    v, u = np.mgrid[: scan.camera.height, : scan.camera.width] + 0.5
    points = scan.camera.unproject(np.stack([u, v], -1), scan.depth_mm.astype(np.float64))
    points[scan.depth_mm <= 0] = np.nan
    return points * [1, -1, -1]


def write_frgc(home: Path, seed: int) -> None:
    scan = frame(seed)
    points = _points(scan)
    listed = np.nan_to_num(points, nan=-999999.0)
    flags = np.isfinite(points).all(-1).astype(int)
    lines = [f"{len(points)} rows", f"{points.shape[1]} columns", "pixels (flag X Y Z):"]
    lines.append(" ".join(map(str, flags.ravel())))
    lines += [" ".join(f"{x:.4f}" for x in listed[..., axis].ravel()) for axis in range(3)]
    home.mkdir(parents=True)
    number = int(home.name[1:]) if home.name[1:].isdecimal() else 900
    stem = home / f"{4000 + number:05d}d302"
    stem.with_suffix(".abs").write_text("\n".join(lines) + "\n")
    Image.fromarray(scan.color).save(stem.with_suffix(".png"))
    write_landmarks(scan.landmarks, stem.with_name(f"{stem.name}.landmarks.json"))


def write_tum(home: Path, seed: int) -> None:
    scan = frame(seed)
    for folder in ("rgb", "depth"):
        (home / folder).mkdir(parents=True)
    Image.fromarray(scan.color).save(home / "rgb" / "0.png")
    Image.fromarray(np.rint(scan.depth_mm * 5).astype(np.uint16)).save(home / "depth" / "0.png")
    write_landmarks(scan.landmarks, home / "rgb" / "0.landmarks.json")
    write_rgbd(replace(scan, key=f"{home.name}/a"), home.parent)
    for path in home.glob("a.*"):
        path.unlink()
    (home / "rgb.txt").write_text("# time file\n0.000 rgb/0.png\n")
    (home / "depth.txt").write_text("# time file\n0.004 depth/0.png\n")


def but(damages: list[damage.Damage], gone: tuple[damage.Damage, ...]) -> list[damage.Damage]:
    """The damages that leave an input."""
    return [how for how in damages if how not in gone]


def mesh_kind(suffix: str) -> Kind:
    left = but(damage.BYTES, NO_FILE)
    files = {suffix: [*left, *damage.MESHES[suffix]], ".landmarks.json": damage.LANDMARKS}
    if suffix == ".obj":
        files |= {".mtl": damage.BYTES, ".png": damage.IMAGES}
    return Kind("mesh", write_mesh(suffix), files, NO_FILE)


KINDS = {
    "rgbd": Kind(
        "rgbd",
        write_frame,
        {
            ".color.png": [*damage.BYTES, *damage.IMAGES],
            ".depth.png": [*damage.BYTES, *damage.DEPTHS, damage.a_bomb],
            "camera.json": [*damage.BYTES, *damage.TEXTS, *damage.CAMERAS],
            ".landmarks.json": [*damage.BYTES, *damage.TEXTS, *damage.LANDMARKS],
            ".truth.npz": [*damage.BYTES, *damage.ARRAYS],
        },
    ),
    "photo": Kind(
        "photo",
        write_photo,
        {
            ".jpg": [*but(damage.BYTES, NO_FILE[:1]), *damage.IMAGES],
            ".landmarks.json": [*damage.BYTES, *damage.TEXTS, *damage.LANDMARKS],
        },
        gone=NO_FILE[:1],
    ),
    "obj": mesh_kind(".obj"),
    "ply": mesh_kind(".ply"),
    "glb": mesh_kind(".glb"),
    "wrl": mesh_kind(".wrl"),
    "frgc": Kind(
        "frgc",
        write_frgc,
        {".abs": [*but(damage.BYTES, NO_FILE), *damage.MESHES[".abs"]]},
        NO_FILE,
    ),
    "tum": Kind(
        "tum",
        write_tum,
        {
            "rgb.txt": [*damage.BYTES, *damage.MESHES[".txt"]],
            "depth.txt": [*damage.BYTES, *damage.MESHES[".txt"]],
            "depth/0.png": damage.DEPTHS,
        },
    ),
}
KINDS["tum"].damages["0.png"] = KINDS["tum"].damages.pop("depth/0.png")
