"""Texts without the secrets that a URL may carry."""

import re

HIDDEN = "***"
_USER = re.compile(
    # one slash: what pathlib makes of two
    r"(?P<scheme>\b[a-z][a-z0-9+.-]+(?:::[a-z0-9+.-]+)*:/{1,2})"
    r"(?:[^\s/@:'\"]*:[^\s@'\"]+|[^\s/@'\"]+)@(?=[\w.-])",  # a secret may have slashes in it
    re.I,
)
_QUERY = re.compile(
    r"(?P<name>[?&;](?:[\w.-]*(?:signature|token|secret|credential|password|passwd|access_?key|"
    r"api_?key)[\w.-]*|sig|key)=)[^&;\s'\"]+",
    re.I,
)
_AWS_KEY = re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b")


def without_secrets(text: str) -> str:
    """The text with names and passwords of URLs, signatures and tokens in their queries, and AWS
    key ids replaced by HIDDEN.

    ``s3://AKIA…:secret@bucket/a`` becomes ``s3://***@bucket/a``, ``?X-Amz-Signature=…`` becomes
    ``?X-Amz-Signature=***``. Credentials belong in the environment or the provider's own files:
    what is written down with a set is enough to find the data, never to open them.
    """
    text = _USER.sub(rf"\g<scheme>{HIDDEN}@", text)
    text = _QUERY.sub(rf"\g<name>{HIDDEN}", text)
    return _AWS_KEY.sub(HIDDEN, text)
