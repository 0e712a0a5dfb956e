"""Train or test, decided by the subject alone."""

import hashlib

TEST_SHARE = 0.1


def split_of(subject: str) -> str:
    """The split of a subject: "test" for one subject in ten, "train" for the others.

    The first 64 bits of SHA-256("facesynth split 1:" + subject), read as a fraction of 2⁶⁴, fall
    below TEST_SHARE or not. So all images of one person fall in one split, in every set, and
    adding data moves nobody. The price: the share holds for many subjects only. With a handful
    the test split may well be empty (four subjects: two times in three); the run says so.
    """
    digest = hashlib.sha256(f"facesynth split 1:{subject}".encode()).digest()
    return "test" if int.from_bytes(digest[:8], "big") < TEST_SHARE * 2**64 else "train"
