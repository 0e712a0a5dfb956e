"""What shards.json and failures/STAGE.jsonl say, gathered sidecar by sidecar."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from manifests.ledger import canonical_json
from manifests.schema import SCHEMA_VERSION

SAMPLES = "samples"
MANIFEST = "manifest.parquet"


@dataclass(slots=True)
class PoseShares:
    """The poses of a rendered set; of others it counts nothing.

    Attributes:
        plan, requested: name of the plan and the share of |yaw| > 45° that it asks for, of the
            first sample.
        views: samples.
        large: |yaw| > 45°, as many as the views' own inputs say.
        inputs: whose views they are.
    """

    plan: str | None = None
    requested: float | None = None
    views: int = 0
    large: float = 0.0
    inputs: int = 0

    def add(self, samples: Mapping[str, Any]) -> None:
        """Count the samples of one shard."""
        columns = samples["columns"]
        plans = columns.get("plan", [])
        rows = [i for i, plan in enumerate(plans) if plan is not None]
        if not rows:
            return
        self.inputs += len({key.rpartition("_pose")[0] for key in samples["key"]})
        if self.plan is None:
            self.plan = plans[rows[0]]
            requested = columns.get("requested_large_share")
            self.requested = requested[rows[0]] if requested else None
        shares = columns["achieved_large_share"]
        self.views += len(rows)
        self.large += sum(shares[i] for i in rows)

    def to_dict(self, failed: int) -> dict[str, Any]:
        """{} of a set that was not rendered; else "plan"; "requested_large_share" and
        "achieved_large_share" of |yaw| > 45°, the former None where the plan asks for none; the
        counts "views", "large", "inputs" and "failed_inputs", in any stage. An input counts
        whole: one that failed leaves the share as it was, and stands among the failures.
        """
        if not self.views:
            return {}
        large = round(self.large)
        return {
            "plan": self.plan,
            "requested_large_share": self.requested,
            "achieved_large_share": large / self.views,
            "views": self.views,
            "large": large,
            "inputs": self.inputs,
            "failed_inputs": failed,
        }


@dataclass(slots=True)
class SetLists:
    """A few hundred bytes a shard, and the failures.

    Attributes:
        shards: what shards.json says of each.
        failures: stage -> lines of failures/STAGE.jsonl.
        shares: of the poses.
    """

    shards: list[dict[str, Any]] = field(default_factory=list)
    failures: dict[str, list[bytes]] = field(default_factory=dict)
    shares: PoseShares = field(default_factory=PoseShares)

    def add(self, body: Mapping[str, Any]) -> None:
        """One shard's sidecar (manifests.ledger.read_body)."""
        name = body["name"]
        stage = name.partition("/")[0]
        self.shards.append(
            {
                "name": f"{name}.tar",
                "sha256": body["sha256"],
                "bytes": body["bytes"],
                "count": body["count"],
                "config_hash": body["config_hash"],
            }
        )
        for failure in body["failures"]:
            line = canonical_json({**failure, "shard": name}) + b"\n"
            self.failures.setdefault(stage, []).append(line)
        if stage == SAMPLES:
            self.shares.add(body["samples"])

    @property
    def poses(self) -> dict[str, Any]:
        """PoseShares.to_dict of the set."""
        return self.shares.to_dict(sum(map(len, self.failures.values())))

    def shard_list(self, manifest_sha256: str, rows: int) -> dict[str, Any]:
        """What shards.json says: every shard with its checksum, the manifest's, and "poses" where
        the set was rendered."""
        return {
            "schema": SCHEMA_VERSION,
            "manifest": {"name": MANIFEST, "sha256": manifest_sha256, "rows": rows},
            **({"poses": self.poses} if self.poses else {}),
            "shards": self.shards,
        }

    def failure_lines(self) -> dict[str, bytes]:
        """Contents of failures/STAGE.jsonl by stage, for the stages that have failures."""
        return {stage: b"".join(lines) for stage, lines in self.failures.items()}
