"""The last contact sheet: small pictures of the samples of a shard."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from imaging.codec import decode_image, encode_jpeg
from manifests.ledger import read_sidecar
from manifests.shard import BadShard, read_entry
from manifests.storage import Ranges

PICTURES, SIDE_PX = 24, 128


def make_sheet(tar: Path) -> dict[str, Any] | None:
    """Pictures of up to PICTURES samples of a committed shard, evenly over it.

    Returns:
        {"shard": its name, "pictures": [[JPEG bytes, caption], ...]}; None where the shard holds
        no images or is no more.
    """
    try:
        record = read_sidecar(tar)
        pictured = [k for k, entry in enumerate(record.entries) if "jpg" in entry.members]
        if not pictured:
            return None
        wanted = np.unique(np.linspace(0, len(pictured) - 1, PICTURES).astype(int))
        with Ranges(tar) as file:
            members = [read_entry(file, record.entries[pictured[k]]) for k in wanted]
    except (OSError, BadShard):
        return None
    keys = [record.entries[pictured[k]].key for k in wanted]
    pictures = [_picture(key, one) for key, one in zip(keys, members, strict=True)]
    return {"shard": record.name, "pictures": [p for p in pictures if p]}


def _picture(key: str, members: dict[str, bytes]) -> list[Any] | None:
    try:
        image = decode_image(members["jpg"])
    except ValueError:
        return None
    height, width = image.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = image[top : top + side, left : left + side]
    small = cv2.resize(square, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA)
    return [encode_jpeg(small, 82), _caption(key, members)]


def _caption(key: str, members: dict[str, bytes]) -> str:
    try:
        labels = json.loads(members["json"])
        return f"{key}: yaw {labels['yaw_deg']:.0f}°, pitch {labels['pitch_deg']:.0f}°"
    except (KeyError, ValueError, TypeError):
        return key
