"""Failures by reason: messages that differ only in names and numbers are one reason."""

import re
from typing import NamedTuple

from manifests.ledger import Failure

_QUOTED = re.compile(r"'[^'\n]*'|\"[^\"\n]*\"")
_NUMBER = re.compile(r"(?<![\w.])[-+]?\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?\b")


class Reason(NamedTuple):
    """Why inputs failed.

    Attributes:
        stage: where.
        exception: the type's name.
        message: with ``'…'`` for quoted names and ``#`` for numbers.
    """

    stage: str
    exception: str
    message: str

    def __str__(self) -> str:
        return f"{self.stage}: {self.exception}: {self.message}"


def reason_of(failure: Failure) -> Reason:
    """The reason that a failure record has in common with others of its kind."""
    message = _NUMBER.sub("#", _QUOTED.sub("'…'", failure["message"]))
    return Reason(failure["stage"], failure["exception"], message)
