"""A full disk is told from other faults."""

import errno

import pytest

from llmcourse.grading import room


def test_room_is_asked_for_in_words_that_name_the_disk(tmp_path, monkeypatch):
    room.check_room(tmp_path)
    monkeypatch.setattr(room, "FREE_BYTES", 1 << 60)
    with pytest.raises(
        room.DiskFullError, match=rf"the disk of {tmp_path} on .* is full \(.* MiB are free, .*make room"
    ):
        room.check_room(tmp_path)


@pytest.mark.parametrize(
    ("error", "is_full"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), True),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), True),
        (OSError(errno.EACCES, "Permission denied"), False),
        (ValueError("No space left on device"), False),
        (None, False),
    ],
)
def test_only_the_systems_word_counts(error, is_full):
    assert room.full(error) == is_full
