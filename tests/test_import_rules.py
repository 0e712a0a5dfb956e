"""The floors of the house: imports go downwards only, and optional packages are imported late."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
GROUND = {"imaging", "manifests"}
CRAFTS = {"registration", "augment", "synth", "evaluation"}
ALLOWED = {
    "imaging": set(),
    "manifests": set(),
    "faces": {"imaging"},
    **{craft: {"faces", "imaging"} for craft in CRAFTS},
    "trainer": {"faces", "imaging", "manifests", "evaluation", "synth"},
    "pipelines": {"faces", *GROUND, *CRAFTS},
}
LATE_ONLY = {"pipelines": {"trainer"}}  # the verbs that train import it inside a function
OURS = set(ALLOWED)
OPTIONAL = {"mediapipe", "face_alignment", "open3d", "pyrender", "OpenGL", "torch", "anny"}
MAY_USE_OPTIONAL = {"trainer": {"torch"}}  # torch is what it is for


def imports(source):
    """(line, imported name, whether it runs when the module is imported) of each import."""
    late = set()
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            late |= set(ast.walk(node)) - {node}
        elif isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            late |= {inner for statement in node.body for inner in ast.walk(statement)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name, node not in late) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.lineno, "." * node.level + (node.module or ""), node not in late


def violations(package, source, where="module"):
    """What a module of ``package`` imports against the rules, in words."""
    found = []
    for line, name, at_import in imports(source):
        top = name.split(".")[0]
        if name.startswith("."):
            found.append(f"{where}:{line}: relative import {name}: write the package's name")
        elif top in OURS - {package} - ALLOWED[package]:
            if at_import or top not in LATE_ONLY.get(package, set()):
                found.append(f"{where}:{line}: {package} imports {name}")
        elif top in OPTIONAL - MAY_USE_OPTIONAL.get(package, set()) and at_import:
            found.append(f"{where}:{line}: {name} is optional: import it where it is used")
    return found


def modules():
    return [
        (package, path)
        for package in sorted(OURS)
        for path in sorted((ROOT / package).rglob("*.py"))
    ]


def test_no_module_breaks_the_rules():
    found = []
    for package, path in modules():
        source = path.read_text(encoding="utf-8")
        found += violations(package, source, path.relative_to(ROOT).as_posix())
    assert not found, "\n".join(found)


def test_every_package_with_code_has_a_floor():
    """A folder of modules that no rule names would go unchecked."""
    beside = {"tests", "benchmarks", "studies", "tools", "docs"}
    folders = {path.parent.name for path in ROOT.glob("[a-z]*/__init__.py")}
    assert folders - beside <= OURS
    assert {package for package, _ in modules()} >= {"imaging", "faces", "synth", "pipelines"}


@pytest.mark.parametrize(
    ("package", "source", "count"),
    [
        ("imaging", "from faces.camera import Camera", 1),
        ("faces", "import registration.solver", 1),
        ("registration", "from synth.render import RasterRenderer", 1),
        ("augment", "def f():\n    from registration import ticp", 1),  # late is no excuse
        ("synth", "import pipelines.engine as e, manifests.shard", 2),
        ("faces", "try:\n    import mediapipe\nexcept ImportError:\n    mediapipe = None", 1),
        ("synth", "class A:\n    import torch", 1),
        ("manifests", "from . import schema", 1),
        ("pipelines", "from trainer.train import train", 1),
        ("imaging", "import numpy as np\nfrom imaging.raster import rasterise", 0),
        ("faces", "from imaging import raster", 0),
        ("synth", "def f():\n    import pyrender\n    from OpenGL import GL", 0),
        ("pipelines", "def f():\n    from trainer.train import train", 0),
        ("pipelines", "from synth import capture\nfrom manifests.shard import x", 0),
        ("trainer", "import torch", 0),
    ],
)
def test_made_up_modules_are_judged_rightly(package, source, count):
    assert len(violations(package, source)) == count
