"""croissant.json: the set for machines, in MLCommons' Croissant 1.1 with its RAI vocabulary.

The specifications: https://docs.mlcommons.org/croissant/docs/croissant-spec-1.1.html and
https://docs.mlcommons.org/croissant/docs/croissant-rai-spec.html.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from manifests import atomic
from manifests.card import PRIVACY, WHAT, about_people
from manifests.licences import spdx_page
from manifests.lists import MANIFEST
from manifests.schema import SCHEMA_VERSION, UNKNOWN
from manifests.storage import size_of
from manifests.summary import SetSummary

if TYPE_CHECKING:
    from manifests.storage import Location

CROISSANT = "croissant.json"

Json = dict[str, Any]

_SCHEMA_ORG = "https://schema.org/"
_TEXT = f"{_SCHEMA_ORG}Text"  # the whole URI: mlcroissant does not expand "sc:Text"
_TYPES = {
    pa.string(): _TEXT,
    pa.int64(): f"{_SCHEMA_ORG}Integer",
    pa.float64(): f"{_SCHEMA_ORG}Float",
    pa.bool_(): f"{_SCHEMA_ORG}Boolean",
}
_CONFORMS_TO = ["http://mlcommons.org/croissant/1.1", "http://mlcommons.org/croissant/RAI/1.0"]
_FORMATS = {"jpg": "image/jpeg", "png": "image/png", "json": "application/json"}
_OTHER_FORMAT = "application/octet-stream"

# Terms of Croissant's own vocabulary, as its specification's context lists them.
_OF_CROISSANT = (
    "arrayShape",
    "citeAs",
    "column",
    "containedIn",
    "equivalentProperty",
    "extract",
    "field",
    "fileProperty",
    "fileObject",
    "fileSet",
    "format",
    "includes",
    "isArray",
    "isLiveDataset",
    "jsonPath",
    "key",
    "md5",
    "parentField",
    "path",
    "recordSet",
    "references",
    "regex",
    "repeated",
    "replace",
    "samplingRate",
    "separator",
    "source",
    "subField",
    "transform",
    "excludes",
)
_CONTEXT: Json = {
    "@language": "en",
    "@vocab": _SCHEMA_ORG,
    "sc": _SCHEMA_ORG,
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "dct": "http://purl.org/dc/terms/",
    "conformsTo": "dct:conformsTo",
    "name": {"@container": "@language"},
    "description": {"@container": "@language"},
    "data": {"@id": "cr:data", "@type": "@json"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    **{term: f"cr:{term}" for term in _OF_CROISSANT},
}


def write_croissant(set_dir: "Location", summary: SetSummary, recipe: str) -> None:
    """Write croissant.json of a set: what is in which file, and what may be done with it.

    It holds no time and no place; whoever publishes the set adds ``datePublished`` and ``url``.
    """
    nbytes = size_of(set_dir / MANIFEST)
    text = json.dumps(describe(summary, recipe, nbytes), indent=1, ensure_ascii=False) + "\n"
    atomic.write_file(set_dir / CROISSANT, text.encode())


def describe(summary: SetSummary, recipe: str, manifest_bytes: int) -> Json:
    """The JSON-LD object.

    Its record sets are "manifest", a record a sample; "terms", a record a source; and one a
    member, "jpg" say, with a sample's key and the member's bytes or picture.

    Args:
        summary: of the set.
        recipe: that made it.
        manifest_bytes: size of manifest.parquet.
    """
    members = summary.members if summary.shards else []
    manifest = _file(MANIFEST, manifest_bytes, "application/x-parquet", summary.manifest_sha256)
    tars = [_file(s["name"], s["bytes"], "application/x-tar", s["sha256"]) for s in summary.shards]
    return {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "name": f"facesynth-{recipe}",
        "description": f"{WHAT.get(recipe, 'A set of faces.')} {summary.samples:,} samples of "
        f"{summary.subjects:,} subjects. {about_people(summary)}",
        "conformsTo": _CONFORMS_TO,
        "version": f"{SCHEMA_VERSION}.0.0",
        "license": [spdx_page(name) for name in sorted({t.licence for t in summary.terms})],
        "keywords": ["3D face", "head pose", "face reconstruction"],
        **_rai(summary),
        "distribution": [
            manifest,
            *tars,
            *(_file_set(member, members, summary.shards) for member in members),
        ],
        "recordSet": [
            _manifest_records(summary),
            _terms_records(summary),
            *(_member_records(member) for member in members),
        ],
    }


def _file(name: str, nbytes: int, encoding: str, sha256: str) -> Json:
    return {
        "@type": "cr:FileObject",
        "@id": name,
        "name": name,
        "contentUrl": name,
        "contentSize": f"{nbytes} B",
        "encodingFormat": encoding,
        "sha256": sha256,
    }


def _file_set(member: str, members: Sequence[str], shards: Sequence[Mapping[str, Any]]) -> Json:
    """The files of one member in all tars; the glob "*.jpg" would also match "KEY.clean.jpg"."""
    others = [f"*.{other}" for other in members if other.endswith(f".{member}")]
    return {
        "@type": "cr:FileSet",
        "@id": f"files/{member}",
        "name": f"files/{member}",
        "description": f"KEY.{member} of every sample",
        "containedIn": [{"@id": shard["name"]} for shard in shards],
        "encodingFormat": _FORMATS.get(_ending(member), _OTHER_FORMAT),
        "includes": f"*.{member}",
        **({"excludes": others} if others else {}),
    }


def _manifest_records(summary: SetSummary) -> Json:
    fields = []
    for column in summary.schema:
        about = (column.metadata or {}).get(b"about", b"").decode()
        kind = _TYPES[column.type]
        types = [kind, "cr:Split"] if column.name == "split" else kind
        source = {"fileObject": {"@id": MANIFEST}, "extract": {"column": column.name}}
        fields.append(_field("manifest", column.name, about, types, source))
    return {
        "@type": "cr:RecordSet",
        "@id": "manifest",
        "name": "manifest",
        "description": "A record a sample.",
        "key": {"@id": "manifest/key"},
        "field": fields,
    }


def _terms_records(summary: SetSummary) -> Json:
    rows = [
        {f"terms/{name}": value for name, value in asdict(terms).items()} for terms in summary.terms
    ]
    names = ("source", "licence", "consent", "subjects", "samples")
    types = dict.fromkeys(names, _TEXT)
    types |= dict.fromkeys(("subjects", "samples"), f"{_SCHEMA_ORG}Integer")
    return {
        "@type": "cr:RecordSet",
        "@id": "terms",
        "name": "terms",
        "description": "What each source allows, and how much of the set is from it.",
        "field": [_field("terms", name, "", types[name], None) for name in names],
        "data": rows,
    }


def _member_records(member: str) -> Json:
    files = {"fileSet": {"@id": f"files/{member}"}}
    image = _ending(member) in ("jpg", "png")
    about = "the picture" if image else "its bytes"
    key = {
        **files,
        "extract": {"fileProperty": "fullpath"},
        "transform": {"regex": rf"^(.+)\.{re.escape(member)}$"},
    }
    kind = f"{_SCHEMA_ORG}ImageObject" if image else _TEXT
    content = {**files, "extract": {"fileProperty": "content"}}
    return {
        "@type": "cr:RecordSet",
        "@id": member,
        "name": member,
        "description": f"KEY.{member} of every sample; its key is that of the manifest.",
        "field": [
            _field(member, "key", "of the sample", _TEXT, key),
            _field(member, "content", about, kind, content),
        ],
    }


def _field(record_set: str, name: str, about: str, types: object, source: Json | None) -> Json:
    return {
        "@type": "cr:Field",
        "@id": f"{record_set}/{name}",
        "name": f"{record_set}/{name}",
        **({"description": about} if about else {}),
        "dataType": types,
        **({"source": source} if source else {}),
    }


def _ending(member: str) -> str:
    return member.rpartition(".")[2]


def _rai(summary: SetSummary) -> Json:
    """What a reader must know of the people and of the labels, in the RAI vocabulary."""
    simulated = summary.simulated == summary.samples
    registered = "synth.png" in summary.members
    failed = sum(summary.failures.values())
    kinds = [] if simulated else ["Direct measurement", "Secondary data"]
    kinds += ["Software Collection"] if summary.simulated else []
    return {
        "rai:dataCollection": _collection(summary),
        "rai:dataCollectionType": kinds or ["Others"],
        "rai:dataCollectionMissingData": f"{failed:,} inputs gave no sample; failures/ names "
        "each with its reason. Null in the manifest: not known, or does not apply.",
        "rai:dataManipulationProtocol": "Faces are turned to other poses, or rendered: pixels "
        "that no camera saw are filled in." + (" KEY.synth.png marks them." if registered else ""),
        "rai:dataAnnotationProtocol": "All labels are computed: geometry by registration or "
        "simulation, pose and camera exactly as the image was rendered. No annotator was employed."
        + "".join(f" Face model {name}: {licence}." for name, licence, _ in summary.models),
        "rai:machineAnnotationTools": ["facesynth"],
        "rai:dataUseCases": "Training and testing of 3D face reconstruction, face alignment and "
        "head pose estimation. Not made for recognising or identifying people, nor for judging "
        "their traits, moods or health.",
        "rai:dataLimitations": "Unseen parts of a turned head are synthesised and no evidence of "
        "its real look. Registered geometry carries the registration's error (residual_mm).",
        "rai:dataBiases": "Ages, skin tones and origins are distributed as in the sources, and "
        "are not labelled; simulated people vary as far as their face model does.",
        "rai:dataSocialImpact": "Helps where large poses are rare in data; the same data can "
        "help face recognition and manipulation, which the sources' consents may exclude.",
        "rai:personalSensitiveInformation": _personal(summary),
    }


def _collection(summary: SetSummary) -> str:
    sources = "; ".join(
        f"{t.source}: {t.subjects:,} subjects, {t.samples:,} samples" for t in summary.terms
    )
    return f"{about_people(summary)} Made by facesynth from these sources: {sources or 'none'}."


def _personal(summary: SetSummary) -> list[str]:
    said = [
        f"Source {t.source}: licence {t.licence}; consent of the people: "
        + ("unknown, ask whoever made the scans" if t.consent == UNKNOWN else t.consent)
        for t in summary.terms
    ]
    privacy = [PRIVACY] if summary.simulated < summary.samples else []
    return [about_people(summary), *privacy, *said]
