"""Licences by their SPDX identifiers, as far as both SPDX and Hugging Face know them."""

_IDENTIFIERS = (
    "Apache-2.0",
    "MIT",
    "CC0-1.0",
    "CC-BY-2.0",
    "CC-BY-3.0",
    "CC-BY-4.0",
    "CC-BY-SA-3.0",
    "CC-BY-SA-4.0",
    "CC-BY-NC-2.0",
    "CC-BY-NC-3.0",
    "CC-BY-NC-4.0",
    "CC-BY-ND-4.0",
    "CC-BY-NC-ND-4.0",
    "CC-BY-NC-SA-4.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "PDDL-1.0",
    "ODC-By-1.0",
)
_BY_LOWER = {name.lower(): name for name in _IDENTIFIERS}
_HUGGING_FACE = {"PDDL-1.0": "pddl", "ODC-By-1.0": "odc-by"}  # the others: SPDX's in lower case


def spdx(name: str) -> str | None:
    """The SPDX identifier that ``name`` is, whatever its case; None of any other text."""
    return _BY_LOWER.get(name.strip().lower())


def spdx_page(name: str) -> str:
    """The address of the licence's text where ``name`` is such an identifier, else ``name``."""
    known = spdx(name)
    return f"https://spdx.org/licenses/{known}.html" if known else name


def hugging_face_name(name: str) -> str | None:
    """What Hugging Face calls a licence in a card's header; None of one that it does not know."""
    known = spdx(name)
    return _HUGGING_FACE.get(known, known.lower()) if known else None
