"""Frames a second at 256² with every buffer: the rasteriser against pyrender, in one run.

    python -m benchmarks.raster [--model SPEC] [--poses 25] [--repeats 5]

Each back end renders the same head at the same poses. The rasteriser makes colour, depth, normals,
PNCC, mask and triangle ids; pyrender makes colour and depth in one pass and needs a pass each for
normals and PNCC, drawn as colours. Normals are per vertex and made outside the measured time.
Printed: the median over the repeats, the slowest and the fastest, and the ratio to stock pyrender.
"""

import argparse
import time

import numpy as np

from faces.camera import Camera, Pose
from faces.mesh import vertex_normals
from faces.models import load_model
from faces.rotation import matrix_from_euler
from imaging.raster import downsample, rasterise
from synth.gl import render_gl

CAMERA = Camera(256, 256, 700.0, 700.0, 128.0, 128.0)


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="default")
    parser.add_argument("--poses", type=int, default=25)
    parser.add_argument("--repeats", type=int, default=5)
    args = parser.parse_args()
    model = load_model(args.model)
    views = make_views(model, args.poses)
    print(f"{model.name}: {model.vertex_count:,} vertices, {len(model.triangles):,} triangles")
    print(f"{args.poses} poses, {args.repeats} repeats, {CAMERA.width}²\n")
    backends = {
        "rasteriser": lambda view: raster_frame(model, view),
        "rasteriser, back faces culled": lambda view: raster_frame(model, view, cull=True),
        "rasteriser, colour supersampled 2×": lambda view: raster_frame(model, view, factor=2),
        "pyrender, samples forced to 0": lambda view: gl_frame(model, view, False),
        "pyrender stock": lambda view: gl_frame(model, view, True),
    }
    rates, masks = {}, {}
    for name, render in backends.items():
        try:
            rates[name], masks[name] = measure(render, views, args.repeats)
        except (ImportError, RuntimeError) as error:
            print(f"{name}: not measured, {error}")
    report(rates, masks)


def make_views(model, count):
    """(vertices, normals, PNCC, colours) of each pose: yaws over ±90°, the albedo's mean."""
    views = []
    low, high = model.mean_mm.min(0), model.mean_mm.max(0)
    pncc = (model.mean_mm - low) / (high - low)
    for yaw in np.linspace(-90, 90, count):
        pose = Pose(matrix_from_euler(yaw, 10 * np.sin(yaw)), np.array([0.0, 0.0, 700.0]))
        vertices = pose.apply(model.mean_mm.astype(np.float64))
        normals = vertex_normals(vertices, model.triangles)
        views.append((vertices, normals, pncc, model.albedo_mean))
    return views


def raster_frame(model, view, cull=False, factor=1):
    """All buffers by one pass and gathers; the mask is returned."""
    vertices, normals, pncc, colors = view
    size = (CAMERA.width, CAMERA.height)
    fragments = rasterise(CAMERA.screen(vertices), model.triangles, size, cull=cull)
    labels = np.concatenate([normals, pncc, colors], 1)
    fragments.interpolate(labels[:, : 9 if factor == 1 else 6], model.triangles)
    if factor > 1:
        fine_size = (size[0] * factor, size[1] * factor)
        fine = CAMERA.crop(0, 0, *fine_size, zoom=factor)
        fine = rasterise(fine.screen(vertices), model.triangles, fine_size, cull=cull)
        downsample(fine.interpolate(colors, model.triangles), factor)
    return fragments.mask


def gl_frame(model, view, multisample):
    """Colour and depth, then normals and PNCC drawn as colours; the mask is returned."""
    vertices, normals, pncc, colors = view
    for values in (pncc, (normals + 1) / 2, colors):
        _, depth = render_gl(vertices, model.triangles, values, CAMERA, multisample)
    return depth > 0


def measure(render, views, repeats):
    """Frames a second of each repeat, after one frame to warm up, and the masks."""
    render(views[0])
    rates = []
    for _ in range(repeats):
        started = time.perf_counter()
        masks = [render(view) for view in views]
        rates.append(len(views) / (time.perf_counter() - started))
    return np.array(rates), np.array(masks)


def report(rates, masks):
    """The table: frames a second, spread, ratio, silhouette against the rasteriser's."""
    stock = rates.get("pyrender stock")
    print(f"{'back end':<36}{'fps':>8}{'slowest–fastest':>18}{'ratio':>8}{'IoU':>9}")
    for name, values in rates.items():
        median = np.median(values)
        ratio = f"{median / np.median(stock):.1f}" if stock is not None else "–"
        spread = f"{values.min():.1f}–{values.max():.1f}"
        own, other = masks["rasteriser"], masks[name]
        iou = (own & other).sum() / (own | other).sum()
        print(f"{name:<36}{median:>8.1f}{spread:>18}{ratio:>8}{iou:>9.5f}")


if __name__ == "__main__":
    main()
