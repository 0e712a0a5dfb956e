"""How a set is loaded, as code: the card and docs/formats.md quote it, a test runs it.

Each piece runs by itself in the set's folder.
"""

WEBDATASET = """\
import glob
import webdataset as wds

shards = sorted(glob.glob("samples/*.tar"))
for sample in wds.WebDataset(shards, shardshuffle=False).decode("rgb8"):
    image, labels = sample["jpg"], sample["json"]  # (H, W, 3) uint8, dict
    vertices_mm = sample["vertices.npy"] * labels["vertices_step_mm"]  # (V, 3)
"""

DATASETS = """\
import os
from datasets import load_dataset

folder = os.path.abspath(".")  # a bare "." it does not take
faces = load_dataset(folder, "samples", split="samples", streaming=True)
train = faces.filter(lambda sample: sample["json"]["split"] == "train")
for sample in train:
    image, labels = sample["jpg"], sample["json"]  # PIL image, dict
"""

MANIFEST = """\
import io
import numpy as np
import pyarrow.parquet as pq
from PIL import Image

test = pq.read_table("manifest.parquet", filters=[("split", "==", "test")])
for row in test.to_pylist():
    with open(row["shard"], "rb") as tar:
        tar.seek(row["jpg/offset"])
        image = Image.open(io.BytesIO(tar.read(row["jpg/size"])))
        tar.seek(row["vertices.npy/offset"])
        vertices = np.load(io.BytesIO(tar.read(row["vertices.npy/size"])))  # (V, 3) int16
"""

CROISSANT = """\
import mlcroissant as mlc

data = mlc.Dataset(jsonld="croissant.json")
for row in data.records("manifest"):
    key, yaw_deg = row["manifest/key"].decode(), row["manifest/yaw_deg"]  # its text is bytes
"""
