"""The split depends on the subject and on nothing else."""

from manifests.splits import split_of


def test_one_subject_in_ten_is_for_testing():
    count = sum(split_of(f"subject {i}") == "test" for i in range(10_000))
    assert abs(count - 1000) < 120  # four standard deviations of the binomial, √(n·0.1·0.9) = 30


def test_known_subjects_never_move():
    """Changing the rule would move people between the splits of sets that exist."""
    subjects = [f"person{i}" for i in range(60)]
    tested = [subject for subject in subjects if split_of(subject) == "test"]
    assert tested == ["person14", "person33", "person44", "person55", "person57"]
