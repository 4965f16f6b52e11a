"""Conversations side by side: padded, or several in a row without a leak between them."""

from collections.abc import Sequence

import torch

from llmcourse.pretraining import MicroBatch

__all__ = ["pack_conversations", "pad_conversations"]

Conversation = tuple[Sequence[int], Sequence[bool]]


def pad_conversations(conversations: Sequence[Conversation], *, pad_token: int = 0) -> MicroBatch:
    r"""Lay conversations side by side, filled up at the end.

    Args:
        conversations: Tokens, and whether each is to be learnt, as a chat template gives them.
        pad_token: Fills up; it is never learnt, and causality keeps it out of sight.

    Returns:
        Inputs, labels and mask, already shifted by one.

    Raises:
        ValueError: There is none, or one is too short or does not fit its mask.

    Example:
        >>> pad_conversations([([5, 6, 7], [False, True, True]), ([5, 6], [False, True])]).mask.int()
        tensor([[1, 1],
                [1, 0]], dtype=torch.int32)
    """
    _check(conversations)
    longest = max(len(tokens) for tokens, _ in conversations) - 1
    return _stack([[conversation] for conversation in conversations], longest, pad_token)._replace(document_ids=None)


def pack_conversations(conversations: Sequence[Conversation], seq_len: int, *, pad_token: int = 0) -> MicroBatch:
    r"""Lay several conversations in each row, the longest first, each where it first fits.

    No token predicts the next conversation's first one, and ``document_ids`` keep them from seeing each other: the loss
    is, number for number, that of each by itself.

    Args:
        conversations: Tokens, and whether each is to be learnt.
        seq_len: Tokens in a row.
        pad_token: Fills up what is left of a row.

    Returns:
        Inputs, labels, mask and document ids.

    Raises:
        ValueError: There is none, or one is too short, does not fit its mask or does not fit a row.

    Example:
        >>> batch = pack_conversations([([1, 2, 3], [False, True, True]), ([4, 5], [False, True])], 4)
        >>> batch.inputs, batch.labels, batch.document_ids
        (tensor([[1, 2, 4, 0]]), tensor([[2, 3, 5, 0]]), tensor([[0, 0, 1, 2]]))
    """
    _check(conversations)
    rows: list[list[Conversation]] = []
    room: list[int] = []
    for conversation in sorted(conversations, key=lambda one: -len(one[0])):
        needed = len(conversation[0]) - 1
        if needed > seq_len:
            raise ValueError(
                f"a conversation has {needed + 1} tokens and seq_len is {seq_len}: cut it, or make rows longer"
            )
        place = next((row for row, left in enumerate(room) if left >= needed), None)
        if place is None:
            place = len(rows)
            rows.append([])
            room.append(seq_len)
        rows[place].append(conversation)
        room[place] -= needed
    return _stack(rows, seq_len, pad_token)


def _stack(rows: list[list[Conversation]], seq_len: int, pad_token: int) -> MicroBatch:
    inputs = torch.full((len(rows), seq_len), pad_token)
    labels, mask, document_ids = inputs.clone(), torch.zeros_like(inputs, dtype=torch.bool), torch.zeros_like(inputs)
    for row, conversations in enumerate(rows):
        start = 0
        for number, (tokens, learnt) in enumerate(conversations):
            stop = start + len(tokens) - 1
            inputs[row, start:stop] = torch.tensor(list(tokens[:-1]))
            labels[row, start:stop] = torch.tensor(list(tokens[1:]))
            mask[row, start:stop] = torch.tensor(list(learnt[1:]))
            document_ids[row, start:] = number
            start = stop
        document_ids[row, start:] = len(conversations)
    return MicroBatch(inputs, labels, mask, document_ids)


def _check(conversations: Sequence[Conversation]) -> None:
    if not conversations:
        raise ValueError("there are 0 conversations: give at least one")
    for tokens, learnt in conversations:
        if len(tokens) < 2 or len(tokens) != len(learnt):
            raise ValueError(f"a conversation has {len(tokens)} tokens and a mask of {len(learnt)}: at least 2 of each")
