"""Each script prints the figures of one claim, against a named peer in the same run."""
