"""One setting: a dataclass field with its help text and what part of a set's story it tells."""

from dataclasses import field
from typing import Any, Literal

# What a field says. "bytes": how a sample comes out, so another value makes another set.
# "amount": how many inputs there are, so a larger value makes the same set longer.
# "local": where and how to run; it changes nothing in the set and is not stored with it.
Part = Literal["bytes", "amount", "local"]


def setting(
    default: Any, about: str, part: Part = "bytes", bare: bool = False, noted: bool = False
) -> Any:
    """A field with its help text.

    Args:
        default: value, or a dataclass type for a nested group.
        about: one line for --help.
        part: what the field says, see Part; of a group: of all its fields, unless "bytes".
        bare: of a group: its flags go without the group's name.
        noted: by the run itself; no flag of a user's.
    """
    metadata = {"about": about, "part": part, "bare": bare, "noted": noted}
    if isinstance(default, type):
        return field(default_factory=default, metadata=metadata)
    return field(default=default, metadata=metadata)
