"""Secrets of URLs: left out of texts, and so of settings, records and logs."""

import logging
from dataclasses import dataclass

import pytest

from manifests.secrets import without_secrets
from pipelines.cli import main
from pipelines.config import config_hash, setting, to_toml
from pipelines.stages.base import without_places

SECRETS = ("AKIAIOSFODNN7EXAMPLE", "wJalr/XUtn+FEMI", "hunter2", "t0k3n")
URLS = (
    "s3://AKIAIOSFODNN7EXAMPLE:wJalr/XUtn+FEMI@bucket/scans/a.png",
    "s3:/AKIAIOSFODNN7EXAMPLE:wJalr/XUtn+FEMI@bucket/scans/a.png",  # as pathlib writes it
    "filecache::https://ann:hunter2@host/a.tar",
    "ghp://t0k3n@host/a",
    "https://host/a?X-Amz-Signature=t0k3n&part=3",
    "https://host/a?part=3&access_token=t0k3n",
    "the key AKIAIOSFODNN7EXAMPLE is not allowed",
)


@dataclass(frozen=True)
class Config:
    scans: str = setting(URLS[0], "where they lie", "local")
    photos: tuple[str, ...] = setting(URLS[2:4], "some more")


@pytest.mark.parametrize("url", URLS)
def test_no_secret_is_left_and_the_place_is(url):
    told = without_secrets(f"'{url}': unreadable")
    assert not any(secret in told for secret in SECRETS)
    assert told.endswith("': unreadable")
    assert all(word in told for word in ("host", "part=3", "bucket/scans/a.png") if word in url)


@pytest.mark.parametrize(
    "text", ["s3://bucket/a@2.png", "tcp://10.0.0.1:8786", "a@b.c", "C:\\x", "k=v?key of it"]
)
def test_other_texts_stay(text):
    assert without_secrets(text) == text


def test_settings_and_records_are_written_without_them():
    text = to_toml(Config())
    message = without_places(f"scan '{URLS[0]}': no such file", Config())
    for secret in SECRETS:
        assert secret not in text
        assert secret not in message
    other = Config(photos=("filecache::https://ann:another@host/a.tar", URLS[3]))
    assert config_hash(other) == config_hash(Config())  # a new password is no new set


def test_the_command_says_and_stores_none(tmp_path, capsys, caplog):
    words = ["fg3d", "--scans", URLS[0], "--source", URLS[2], "--out", str(tmp_path / "set")]
    with caplog.at_level(logging.DEBUG):
        assert main([*words, "--scheduler", "inline"]) == 2  # no such folder
    said = "".join(capsys.readouterr())
    assert "bucket/scans" in said
    stored = [path.read_bytes().decode() for path in tmp_path.rglob("*") if path.is_file()]
    for secret in SECRETS:
        assert secret not in said
        assert not any(secret in text for text in stored)
