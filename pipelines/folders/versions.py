"""One set, one set of versions: what was installed when its first shard was made.

Another numpy or OpenCV may round or filter otherwise. A set of both would be one that no single
run makes again, and no checksum would tell. So other versions are refused, like other settings.
"""

import json
import logging
from pathlib import Path

from faces.errors import BadInput
from manifests import atomic
from manifests.card import package_versions
from manifests.storage import exists, make_folder, read_bytes
from pipelines.config import changed

log = logging.getLogger(__name__)

VERSIONS = ".run/versions.json"
PROVENANCE = "provenance.json"


def check_versions(out: Path, begun: bool, accept: bool) -> None:
    """Note the versions that work on a set, and refuse others than it was begun with.

    Args:
        out: the set's folder.
        begun: whether it has shards.
        accept: go on with a warning, and note these versions as well.

    Raises:
        BadInput: other versions, with each that differs; not with ``accept``.
    """
    now, known = package_versions(), read_versions(out) if begun else []
    drift = changed(_deciding(known[0]), _deciding(now)) if known else []
    if (known and not drift) or any(_deciding(now) == _deciding(one) for one in known):
        return
    if drift and not accept:
        raise BadInput(
            f"--out {out}",
            f"was begun with other versions ({'; '.join(drift)})",
            "the same ones, since these decide bytes",
            "install those, or --overwrite to make all anew, or --any-versions to mix them",
        )
    if drift:
        log.warning("mixed versions in '%s': %s", out, "; ".join(drift))
    make_folder((out / VERSIONS).parent)
    atomic.write_file(out / VERSIONS, json.dumps([*known, now], indent=1).encode() + b"\n")


def read_versions(out: Path) -> list[dict[str, str]]:
    """Versions that worked on a set, the first ones first; [] where nobody noted any."""
    if exists(out / VERSIONS):
        return json.loads(read_bytes(out / VERSIONS))
    if exists(out / PROVENANCE):  # a finished set that was copied without its run's notes
        return [json.loads(read_bytes(out / PROVENANCE))["versions"]]
    return []


def _deciding(versions: dict[str, str]) -> dict[str, str]:
    """Versions as they count: of Python the first two numbers."""
    return versions | {"python": ".".join(versions["python"].split(".")[:2])}
