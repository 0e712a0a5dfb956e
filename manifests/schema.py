"""What the manifest's rows and the sample's JSON hold: names, types, units, and the version.

The version counts what a reader must know. It grows when a column or a field changes its type,
unit, frame or meaning, loses its name, or ceases to be required; when shards or sidecars are laid
out anew; and when the rule of the splits changes. It does not grow for an optional column or
field more: readers take columns by name and leave alone those that they do not know. A reader
refuses any version but its own: guessing at units is worse than no data.

Types are those of Apache Arrow. Integers are 64 bits, numbers with a fraction are float64 and
finite: a stage's NaN or infinity is stored as null. Null says "not known" or "does not apply";
a required column has none. Text is UTF-8; "unknown" is a value like others.
"""

import difflib
import math
from collections.abc import Mapping
from dataclasses import dataclass

SCHEMA_VERSION = 1

UNKNOWN = "unknown"  # licence or consent where nobody said
NOT_A_PERSON = "not a person"  # consent of a simulated one

_PYTHON_TYPES = {"string": str, "int64": int, "float64": float, "bool": bool}


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the manifest, or one field of the sample's JSON.

    Attributes:
        name: as stored.
        dtype: "string", "int64", "float64" or "bool"; in the JSON also "array" and "object".
        about: what it is, with its unit and frame.
        required: a row without it is refused.
    """

    name: str
    dtype: str
    about: str
    required: bool = False


# What the merge fills in from the shard itself; a stage cannot set these.
PLACE_COLUMNS = (
    Column("key", "string", "unique in the set; the members' common name", True),
    Column("shard", "string", "the tar that holds it, relative to the set's folder", True),
    Column("offset", "int64", "first byte of the sample in the tar, at its first header", True),
    Column("nbytes", "int64", "bytes of the sample in the tar, headers and padding included", True),
    Column("split", "string", '"train" or "test", by the subject alone', True),
)

# What a stage says of its sample.
ROW_COLUMNS = (
    Column("subject", "string", "the person; all images of one person fall in one split", True),
    Column("source", "string", "the data set or folder the face comes from", True),
    Column("licence", "string", 'SPDX identifier or name; "unknown" where nobody said', True),
    Column(
        "consent",
        "string",
        'what the person agreed to; "unknown" where nobody said; "not a person" of a simulated one',
        True,
    ),
    Column("scan", "string", "key of the scan the sample was made from"),
    Column("model", "string", "name of the morphable model whose topology the labels have"),
    Column("model_licence", "string", "of that model, which the labels are made with"),
    Column("width", "int64", "image width, px"),
    Column("height", "int64", "image height, px"),
    Column("yaw_deg", "float64", "achieved yaw, degrees; > 0 turns the nose to image right"),
    Column("pitch_deg", "float64", "achieved pitch, degrees; > 0 turns the nose down"),
    Column("roll_deg", "float64", "achieved roll, degrees"),
    Column("requested_yaw_deg", "float64", "planned yaw, degrees"),
    Column("requested_pitch_deg", "float64", "planned pitch, degrees"),
    Column("plan", "string", "name of the plan of poses that the image was rendered for"),
    Column("requested_large_share", "float64", "share of |yaw| > 45° that the plan asks for"),
    Column("achieved_large_share", "float64", "share of |yaw| > 45° among this input's images"),
    Column("renderer", "string", "back end that rendered the image"),
    Column("iod_mm", "float64", "outer interocular distance of the face, mm"),
    Column("verdict", "string", 'of the registration: "accept", "review" or "reject"'),
    Column("reason", "string", "why, in words; empty for a plain accept"),
    Column("residual_mm", "float64", "mean scan-to-surface distance of the registration, mm"),
    Column("coverage", "float64", "share of the face's visible vertices with a match, in [0, 1]"),
    Column("synthesised", "float64", "share of the image's pixels that were filled, in [0, 1]"),
    Column("degraded", "bool", "whether faults of camera and network were put on the image"),
)

# KEY.json of a sample.
SAMPLE_FIELDS = (
    Column("schema", "int64", "version of this table", True),
    Column("key", "string", "unique in the set", True),
    Column("subject", "string", "the person", True),
    Column("split", "string", '"train" or "test"', True),
    Column("source", "string", "the data set or folder", True),
    Column("licence", "string", "SPDX identifier or name", True),
    Column("consent", "string", "what the person agreed to", True),
    Column("scan", "string", "key of the scan the sample was made from"),
    Column("model", "string", "name of the morphable model", True),
    Column("convention", "string", "name of the frame and sign convention", True),
    Column("rotation", "array", "(3, 3), model frame to camera frame", True),
    Column("scale", "float64", "f of Eq. 2", True),
    Column("translation_mm", "array", "(3,), camera frame, mm", True),
    Column("yaw_deg", "float64", "degrees", True),
    Column("pitch_deg", "float64", "degrees", True),
    Column("roll_deg", "float64", "degrees", True),
    Column("camera", "object", "intrinsics of the image, px", True),
    Column("box_px", "array", "(4,), left, top, right, bottom of the projected face, px", True),
    Column("vertices_step_mm", "float64", "one unit of KEY.vertices.npy, mm", True),
    Column("requested", "array", "(2,), planned yaw and pitch, degrees"),
    Column("landmarks_px", "array", "(68, 2), image px, pixel centres at +0.5"),
    Column("landmarks_mm", "array", "(68, 3), camera frame, mm"),
    Column("landmarks_visible", "array", "(68,), booleans"),
    Column("identity", "array", "(K,), initial fit, units of σ"),
    Column("expression", "array", "(E,), initial fit, weights"),
    Column("initial", "object", "pose of the initial fit"),
    Column("quality", "object", "verdict, reason and figures of the registration"),
    Column("iod_mm", "float64", "outer interocular distance, mm"),
    Column("seed", "int64", "seed of the run"),
    Column("plan", "string", "name of the plan of poses"),
    Column("requested_large_share", "float64", "share of |yaw| > 45° that the plan asks for"),
    Column("achieved_large_share", "float64", "share of |yaw| > 45° among this input's images"),
    Column("renderer", "string", "back end that rendered the image"),
    Column("degradation", "object", "faults put on the image, as augment.degrade.Degradation"),
)


def check_row(row: Mapping[str, object]) -> dict[str, object]:
    """A stage's row with plain Python values, in the schema's types.

    A non-finite number becomes None, a missing optional column stays missing.

    Raises:
        ValueError: an unknown column, a missing required one, or a value of another type.
    """
    known = {column.name: column for column in ROW_COLUMNS}
    for name in row:
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean '{close[0]}'" if close else "add it to manifests/schema.py"
            raise ValueError(f"manifest row: unknown column '{name}'; {hint}")
    missing = [c.name for c in ROW_COLUMNS if c.required and row.get(c.name) in (None, "")]
    if missing:
        raise ValueError(f"manifest row: no {', '.join(missing)}; every sample must say it")
    return {name: _plain(known[name], value) for name, value in row.items()}


def unknown_version(version: object) -> str:
    """The words for a set of another version than this code reads."""
    return (
        f"schema version {version}; expected {SCHEMA_VERSION}; "
        "make the set anew, or read it with the facesynth that made it"
    )


def missing_fields(sample: Mapping[str, object]) -> list[str]:
    """Names of the required fields that a sample's JSON lacks."""
    return [f.name for f in SAMPLE_FIELDS if f.required and sample.get(f.name) is None]


def _plain(column: Column, value: object) -> object:
    """value as the Python type of the column; NumPy scalars become plain numbers."""
    if value is None:
        return None
    value = value.item() if hasattr(value, "item") else value
    wanted = _PYTHON_TYPES[column.dtype]
    if wanted is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if type(value) is not wanted:
        raise ValueError(
            f"manifest row: {column.name} is {value!r} ({type(value).__name__}); "
            f"expected {column.dtype}"
        )
    return None if wanted is float and not math.isfinite(value) else value
