"""The body below the head, and what it is dressed in."""
