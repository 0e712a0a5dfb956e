"""A set as others meet it: its card, its croissant.json, and the loaders that people have.

One set of two sources with different terms, of which one says nothing, and a first shard whose
only input failed.
"""

import io
import json
import re
from dataclasses import replace
from importlib import metadata
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import trimesh
import yaml
from PIL import Image

from faces.morphable import save_model
from manifests import loading
from manifests.card import package_versions, write_card
from manifests.croissant import describe
from manifests.shard import read_shard
from manifests.summary import summarise
from manifests.verify import verify
from pipelines.cli import main
from pipelines.run import finish_set, read_config
from tests import simulate
from tests.toy import toy_model

STUDIO = {"source": "studio", "licence": "CC-BY-4.0", "consent": "research | teaching"}

TESTED = "person14"  # a subject that falls in the test split


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    root, model = tmp_path_factory.mktemp("published"), toy_model()
    save_model(model, root / "toy.npz")
    for seed, name in enumerate(("anna", TESTED)):
        shape = simulate.true_shape(model, np.random.default_rng(seed))
        path = root / "meshes" / name / "a.ply"
        path.parent.mkdir(parents=True)
        trimesh.Trimesh(shape / 1000, model.triangles, process=False).export(path)
    (root / "meshes" / "anna" / "source.json").write_text(json.dumps(STUDIO))
    (root / "meshes" / "aaron").mkdir()
    (root / "meshes" / "aaron" / "torn.ply").write_bytes(path.read_bytes()[:900])
    words = ["--faces", str(root / "meshes"), "--layout", "model", "--model", str(root / "toy.npz")]
    words += ["--yaw-range", "0,60", "--views", "4", "--size-px", "48", "--buffers", "mask"]
    words += ["--scheduler", "inline", "--per-shard", "1", "--max-failed", "1"]
    assert main(["render", "--out", str(root / "set"), *words]) == 0
    return root / "set"


@pytest.fixture(scope="module")
def truth(published):
    """key -> members, as our own reader has them."""
    tars = sorted((published / "samples").glob("*.tar"))
    return {key: members for tar in tars for key, members in read_shard(tar)}


def pixels(data):
    return np.array(Image.open(io.BytesIO(data)))


def vertices(data):
    return np.load(io.BytesIO(data))


def test_the_set_is_whole_and_its_first_shard_empty(published, truth):
    assert verify(published) == []
    assert len(truth) == 8
    assert summarise(published).first_shard_empty


def card(published):
    text = (published / "README.md").read_text(encoding="utf-8")
    _, header, body = text.split("---\n", 2)
    return yaml.safe_load(header), body


def test_the_card_says_whose_faces_under_which_terms(published):
    header, body = card(published)
    assert header["license"] == "unknown"  # one source did not say
    assert "| studio | CC-BY-4.0 | research \\| teaching | 1 | 4 |" in body
    assert "| meshes | unknown | unknown | 1 | 4 |" in body
    assert "differ in their terms" in body
    assert "meshes nobody said the licence and the consent" in body
    assert "biometric" in body
    assert "| samples | BadInput | 1 |" in body
    assert "8 samples of 2 subjects" in body
    assert "| toy | CC0-1.0 | 8 |" in body  # the face model's own licence


@pytest.mark.parametrize(
    ("licences", "header"),
    [
        (["cc-by-4.0"], {"license": "cc-by-4.0"}),
        (["CC0-1.0", "CC-BY-4.0"], {"license": "other", "license_name": "by-source"}),
        (["FRGC licence (research)"], {"license": "other", "license_name": "by-source"}),
        (["CC0-1.0", "unknown"], {"license": "unknown"}),
    ],
)
def test_the_header_claims_no_more_than_all_sources_allow(published, tmp_path, licences, header):
    summary = summarise(published)
    terms = tuple(replace(summary.terms[0], licence=name) for name in licences)
    write_card(tmp_path, replace(summary, terms=terms), "render", 0, "0" * 64)
    said = card(tmp_path)[0]
    assert {name: said[name] for name in said if name.startswith("license")} == header


def test_a_set_of_simulated_people_says_so(published, tmp_path):
    summary = summarise(published)
    terms = tuple(replace(one, consent="not a person") for one in summary.terms)
    write_card(tmp_path, replace(summary, terms=terms), "render", 0, "0" * 64)
    header, body = card(tmp_path)
    assert "synthetic" in header["tags"]
    assert "no real person is shown" in body
    assert "biometric" not in body


def test_either_build_of_opencv_is_noted_under_one_name(monkeypatch):
    def installed(package):
        if package != "opencv-python-headless":
            raise metadata.PackageNotFoundError(package)
        return "4.12.0.88"

    monkeypatch.setattr(metadata, "version", installed)
    versions = package_versions()
    assert versions["opencv-python"] == "4.12.0.88"
    assert versions["numpy"] == "not installed"


def test_unknown_terms_are_warned_of(published, caplog):
    before = {path.name: path.read_bytes() for path in published.iterdir() if path.is_file()}
    finish_set(published, *read_config(published))
    warned = [r.getMessage() for r in caplog.records if r.levelname == "WARNING"]
    assert len(warned) == 1
    assert "source 'meshes': its licence and consent is unknown (4 samples" in warned[0]
    after = {path.name: path.read_bytes() for path in published.iterdir() if path.is_file()}
    assert after == before  # written a second time: the same bytes


def test_the_descriptions_tell_no_place_and_no_time(published):
    for name in ("README.md", "croissant.json", "provenance.json"):
        text = (published / name).read_text(encoding="utf-8")
        assert str(published.parent) not in text
        assert not re.search(r"\b20\d\d-\d\d-\d\d", text)


@pytest.fixture(scope="module")
def mlc(tmp_path_factory):
    """mlcroissant unpacks tars into a cache that it finds by the tar's relative name alone: two
    sets would be taken for each other."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CROISSANT_CACHE", str(tmp_path_factory.mktemp("croissant")))
        yield pytest.importorskip("mlcroissant")


def test_croissant_is_valid_and_of_version_1_1(published, mlc):
    metadata = mlc.Dataset(jsonld=str(published / "croissant.json")).metadata
    assert not metadata.ctx.issues.errors
    # The two that nobody but the publisher knows.
    assert {w.split('"')[1].rpartition("/")[2] for w in metadata.ctx.issues.warnings} == {
        "citeAs",
        "datePublished",
    }
    assert metadata.ctx.conforms_to.value == "http://mlcommons.org/croissant/1.1"
    assert metadata.license == ["https://spdx.org/licenses/CC-BY-4.0.html", "unknown"]
    personal = " ".join(metadata.personal_sensitive_information)
    assert "biometric" in personal
    assert "studio: licence CC-BY-4.0; consent of the people: research | teaching" in personal
    assert "recognising" in metadata.data_use_cases[0]
    assert metadata.data_collection_type == ["Direct measurement", "Secondary data"]


def test_croissant_gives_the_manifest_back(published, mlc):
    rows = pq.read_table(published / "manifest.parquet").to_pylist()
    records = list(mlc.Dataset(jsonld=str(published / "croissant.json")).records("manifest"))
    assert len(records) == len(rows)
    for record, row in list(zip(records, rows, strict=True))[:5]:
        plain = {
            name.removeprefix("manifest/"): v.decode() if isinstance(v, bytes) else v
            for name, v in record.items()
        }
        assert plain == row  # floats too: no value is converted on the way


def test_croissant_gives_terms_and_members_back(published, truth, mlc):
    dataset = mlc.Dataset(jsonld=str(published / "croissant.json"))
    assert {r["terms/source"]: r["terms/consent"] for r in dataset.records("terms")} == {
        "studio": STUDIO["consent"],
        "meshes": "unknown",
    }
    for member in ("jpg", "vertices.npy", "json", "mask.png"):
        found = {
            record[f"{member}/key"].decode(): record[f"{member}/content"]
            for record in dataset.records(member)
        }
        assert found.keys() == truth.keys()
        for key, content in found.items():
            expected = truth[key][member]
            if isinstance(content, bytes):
                assert content == expected
            else:
                np.testing.assert_array_equal(np.array(content), pixels(expected))


def test_croissant_tells_members_with_a_common_ending_apart(published):
    """KEY.clean.jpg would match the pattern of KEY.jpg as well."""
    summary = summarise(published)
    schema = summary.schema
    for part in ("offset", "size"):
        schema = schema.append(schema.field(f"jpg/{part}").with_name(f"clean.jpg/{part}"))
    said = describe(replace(summary, schema=schema), "render", 1)
    sets = {s["@id"]: s.get("excludes") for s in said["distribution"] if "includes" in s}
    assert sets["files/jpg"] == ["*.clean.jpg"]
    assert sets["files/clean.jpg"] is None


def test_webdataset_loads_the_set_as_it_is(published, truth):
    wds = pytest.importorskip("webdataset")
    tars = sorted(map(str, (published / "samples").glob("*.tar")))
    loaded = {s["__key__"]: s for s in wds.WebDataset(tars, shardshuffle=False).decode("rgb8")}
    assert loaded.keys() == truth.keys()
    for key, members in truth.items():
        np.testing.assert_array_equal(loaded[key]["jpg"], pixels(members["jpg"]))
        np.testing.assert_array_equal(
            loaded[key]["vertices.npy"], vertices(members["vertices.npy"])
        )
        assert loaded[key]["json"] == json.loads(members["json"])


@pytest.fixture(scope="module")
def datasets(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_HOME", str(tmp_path_factory.mktemp("hugging_face")))
        patch.setenv("HF_HUB_OFFLINE", "1")
        yield pytest.importorskip("datasets")


def test_hugging_face_datasets_loads_the_set_as_it_is(published, truth, datasets):
    """By the card's header, which passes over the empty shard: it would be the first."""
    loaded = datasets.load_dataset(str(published), split="samples", streaming=True)
    loaded = {sample["__key__"]: sample for sample in loaded}
    assert loaded.keys() == truth.keys()
    for key, members in truth.items():
        sample = loaded[key]
        np.testing.assert_array_equal(np.array(sample["jpg"]), pixels(members["jpg"]))
        array = np.array(sample["vertices.npy"])
        np.testing.assert_array_equal(array, vertices(members["vertices.npy"]))
        assert sample["json"] == json.loads(members["json"])


def test_the_documentation_shows_the_code_that_is_tested():
    text = (Path(__file__).parent.parent / "docs" / "formats.md").read_text(encoding="utf-8")
    for code in (loading.MANIFEST, loading.WEBDATASET, loading.DATASETS, loading.CROISSANT):
        assert f"```python\n{code}```" in text


def test_the_cards_code_runs_in_the_sets_folder(published, truth, datasets, mlc, monkeypatch):
    monkeypatch.chdir(published)
    blocks = re.findall(r"```python\n(.*?)```", (published / "README.md").read_text(), re.S)
    codes = (loading.MANIFEST, loading.WEBDATASET, loading.DATASETS, loading.CROISSANT)
    assert tuple(blocks) == codes
    last = max(truth)
    spaces = []
    for block in blocks:
        spaces.append({})
        exec(block, spaces[-1])
    by_place, by_tar, by_card, by_croissant = spaces
    assert set(by_tar["labels"]) == set(json.loads(truth[last]["json"]))
    np.testing.assert_array_equal(by_tar["image"], pixels(truth[last]["jpg"]))
    assert by_croissant["key"] == last
    assert by_card["labels"]["split"] == "train"
    tested = by_place["test"]["key"].to_pylist()
    assert tested == [key for key in truth if key.startswith(TESTED)]
    np.testing.assert_array_equal(np.array(by_place["image"]), pixels(truth[tested[-1]]["jpg"]))
