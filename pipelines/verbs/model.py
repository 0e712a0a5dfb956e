"""Import a face model into facesynth's own file, or say what one holds."""

import argparse
from pathlib import Path

from faces.models import KINDS, import_model, load_model
from faces.morphable import PARTS, MorphableModel, save_model


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """``import KIND PATH [--landmarks FILE] [--out FILE]`` and ``info SPEC``."""
    actions = parser.add_subparsers(dest="action", required=True)
    importer = actions.add_parser("import", help="read another model's files")
    kinds = "; ".join(f"{kind}: {what}" for kind, what in KINDS.items())
    importer.add_argument("kind", choices=list(KINDS), help=kinds)
    importer.add_argument("path", help="the model's folder or file")
    importer.add_argument(
        "--landmarks",
        type=Path,
        metavar="FILE",
        help="its 68 landmarks: vertex numbers, or places on the mean (default: the known ones)",
    )
    importer.add_argument("--out", type=Path, help="file to write (default: NAME.npz here)")
    info = actions.add_parser("info", help="modes, landmarks, parts and licence")
    info.add_argument("model", nargs="?", default="default", help="default, or a path")


def run(args: argparse.Namespace) -> int:
    """Import or describe."""
    importing = args.action == "import"
    if importing:
        model = import_model(args.kind, args.path, args.landmarks)
    else:
        model = load_model(args.model)
    print(describe(model))
    if importing:
        out = args.out or Path(f"{model.name}.npz")
        save_model(model, out)
        print(f"written to {out}; use it with --model {out}")
    return 0


def describe(model: MorphableModel) -> str:
    """What a model holds, in a few lines."""
    parts = [name for number, name in enumerate(PARTS) if (model.triangle_part == number).any()]
    schemes = ", ".join(f"{name} ({len(points)})" for name, points in model.landmarks.items())
    coarse = f", {model.coarse.vertex_count} on the coarse level" if model.coarse else ""
    lines = {
        "model": model.name,
        "vertices": f"{model.vertex_count}{coarse}",
        "triangles": str(len(model.triangles)),
        "identity": f"{len(model.identity_mm)} modes",
        "expression": f"{len(model.expression_names)}: {', '.join(model.expression_names)}",
        "albedo": f"{len(model.albedo_modes)} modes",
        "parts": ", ".join(parts),
        "landmarks": schemes,
        "eye corners": f"{model.iod_mm:.1f} mm apart (outer ones of the mean)",
        "licence": model.licence,
    }
    return "\n".join(f"{name:<12} {text}" for name, text in lines.items())
