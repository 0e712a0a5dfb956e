"""Frames a second at 256² with every buffer in memory: all back ends and pyrender as it comes.

    python -m benchmarks.render [--model SPEC] [--poses 25] [--repeats 5] [--frames N]

Every back end renders the same textured head at the same poses in the same run. A back end whose
package or driver is missing is left out, with words. Stock pyrender draws colour and depth in one
pass and needs a pass each for normals and PNCC, drawn as colours. Printed: CPU time and wall-clock
time a frame of the best repeat, the spread over the repeats, the ratio to stock pyrender, the
silhouette's overlap with the rasteriser's, and how near colour comes to 64 samples a pixel that
are shaded each for itself. ``--frames N`` renders N frames instead and prints the memory.
"""

import argparse
import time
from pathlib import Path

import cv2
import numpy as np

from faces.camera import Camera, Pose
from faces.errors import BadInput
from faces.models import load_model
from faces.rotation import matrix_from_euler
from imaging.mipmap import mip_levels
from synth.gl import render_gl
from synth.render import NAMES, RasterRenderer, renderer
from synth.renderer import BUFFERS, FaceMesh, Lighting
from synth.topology import face_mesh

CAMERA = Camera(256, 256, 700.0, 700.0, 128.0, 128.0)
TEXTURE = (1024, 2048)  # height, width
EVERY = 10_000  # frames between two lines of --frames
STOCK = "pyrender stock"


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="default")
    parser.add_argument("--poses", type=int, default=25)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--frames", type=int, default=0)
    args = parser.parse_args()
    model = load_model(args.model)
    face, poses = textured(model), poses_of(args.poses)
    print(f"{model.name}: {model.vertex_count:,} vertices, {len(model.triangles):,} triangles")
    print(f"{args.poses} poses, {args.repeats} repeats, {CAMERA.width}²\n")
    if args.frames:
        memory(face, poses, args.frames)
        return
    rows = {}
    for name, render in back_ends(face).items():
        try:
            rows[name] = measure(render, poses, args.repeats)
        except (ImportError, RuntimeError, BadInput) as error:
            print(f"{name}: not measured, {error}")
    report(rows, args.poses)
    quality(face, poses[:: max(len(poses) // 5, 1)])


def textured(model) -> FaceMesh:
    """The model's mean with a texture of smooth noise, which has something to show at every level.

    A chart that the model lacks leaves its colours on the vertices.
    """
    if len(model.uv) == 0:
        return face_mesh(model, model.mean_mm, None)
    rng = np.random.default_rng(0)
    noise = sum(
        amplitude * cv2.resize(rng.random((cells, 2 * cells, 3)), TEXTURE[::-1])
        for cells, amplitude in ((8, 0.3), (64, 0.2), (512, 0.2))
    )
    texture = np.clip(noise + np.array([0.2, 0.1, 0.05]), 0, 1).astype(np.float32)
    return face_mesh(model, model.mean_mm, None, mip_levels(texture, None))


def poses_of(count: int) -> list[Pose]:
    """Yaws over ±90°, pitches of up to 10°."""
    angles = [(yaw, 10 * np.sin(yaw)) for yaw in np.linspace(-90, 90, count)]
    return [Pose(matrix_from_euler(*a), np.array([0.0, 0.0, 700.0])) for a in angles]


def light() -> Lighting:
    """Eq. 4 with an environment that is not constant."""
    environment = np.zeros((9, 3))
    environment[0], environment[1], environment[2], environment[4] = 0.5, -0.1, -0.1, 0.05
    direction = np.array([0.5, -0.5, -0.7])
    return Lighting(environment, direction / np.linalg.norm(direction), np.full(3, 0.5), 0.15)


def back_ends(face: FaceMesh) -> dict:
    """By name, what renders a pose and returns the mask; each made when it is first called."""
    made, lit = {}, light()

    def own(name, supersample, pose):
        key = name, supersample
        if key not in made:
            made[key] = renderer(name, supersample)
        image = made[key].render(face, pose, CAMERA, lit, None, BUFFERS)
        return image.buffers["mask"] > 0

    table = {f"{name}, colour 2×": lambda pose, n=name: own(n, 2, pose) for name in NAMES}
    table["raster, colour 1×"] = lambda pose: own("raster", 1, pose)
    table[STOCK] = lambda pose: stock(face, pose)
    return table


def stock(face: FaceMesh, pose: Pose) -> np.ndarray:
    """Colour and depth, then normals and PNCC drawn as colours; the mask."""
    points = pose.apply(face.vertices_mm.astype(np.float64))
    for values in (face.topology.pncc, (face.normals + 1) / 2, face.colors):
        _, depth = render_gl(points, face.topology.triangles, values, CAMERA, multisample=True)
    return depth > 0


def measure(render, poses, repeats):
    """CPU and wall seconds of each repeat (R,), after a frame to warm up, and the masks."""
    render(poses[0])
    cpu, wall = [], []
    for _ in range(repeats):
        started = time.process_time(), time.perf_counter()
        masks = [render(pose) for pose in poses]
        cpu.append(time.process_time() - started[0])
        wall.append(time.perf_counter() - started[1])
    return np.array(cpu), np.array(wall), np.array(masks)


def report(rows, count) -> None:
    """The table."""
    print(f"{'back end':<22}{'CPU ms':>8}{'spread':>14}{'fps/core':>10}{'wall ms':>9}", end="")
    print(f"{'ratio':>8}{'IoU':>10}")
    own = next(iter(rows.values()))[2]
    for name, (cpu, wall, masks) in rows.items():
        each = 1000 * cpu / count
        ratio = f"{rows[STOCK][0].min() / cpu.min():.1f}" if STOCK in rows else "–"
        iou = (own & masks).sum() / (own | masks).sum()
        spread = f"{each.min():.2f}–{each.max():.2f}"
        print(f"{name:<22}{each.min():>8.2f}{spread:>14}{1000 / each.min():>10.0f}", end="")
        print(f"{1000 * wall.min() / count:>9.2f}{ratio:>8}{iou:>10.5f}")


def quality(face: FaceMesh, poses) -> None:
    """Decibels of colour against 8 × 8 samples a pixel, each shaded for itself."""
    size = 8 * CAMERA.width
    large, lit = CAMERA.crop(0, 0, size, size, zoom=8), light()
    errors = {1: [], 2: [], 4: []}
    for pose in poses:
        whole = RasterRenderer(1).render(face, pose, large, lit).color
        truth = whole.reshape(CAMERA.height, 8, CAMERA.width, 8, 3).mean((1, 3))
        for factor, found in errors.items():
            got = RasterRenderer(factor).render(face, pose, CAMERA, lit).color
            found.append(np.mean((got - truth) ** 2))
    print("\ncolour against 8 × 8 samples a pixel, whole image:")
    for factor, found in errors.items():
        print(f"raster, colour {factor}×: {10 * np.log10(255**2 / np.mean(found)):.1f} dB")


def memory(face: FaceMesh, poses, frames: int) -> None:
    """Render ``frames`` with every buffer, and print the resident size as they go (Linux)."""
    own, lit = RasterRenderer(), light()
    for number in range(1, frames + 1):
        own.render(face, poses[number % len(poses)], CAMERA, lit, None, BUFFERS)
        if number % EVERY == 0 or number == frames:
            status = Path("/proc/self/status").read_text(encoding="ascii")
            resident = int(status.split("VmRSS:")[1].split()[0]) / 1024
            print(f"{number:>8,} frames: {resident:.1f} MB resident", flush=True)


if __name__ == "__main__":
    main()
