"""Packing: documents of many lengths in rows of one length, with no padding but at the end."""

from collections.abc import Sequence

import torch
from jaxtyping import Int
from torch import Tensor

from llmcourse.pretraining.micro_batch import MicroBatch

__all__ = ["pack"]

# What stands where no document is: its labels are masked, and it sees only its own kind.
_PADDING = -1


def pack(
    documents: Sequence[Sequence[int] | Int[Tensor, " n_tokens"]], seq_len: int, *, end_id: int, cut: bool = True
) -> MicroBatch:
    r"""Pack documents into rows, each document followed by an end token, so that no token sees another document.

    With ``cut`` documents are laid end to end and cut where a row is full, as GPT-3 was trained (Brown et al. 2020,
    arXiv:2005.14165, appendix B), who let documents see one another; here ``document_ids`` keeps them apart (Llama 3,
    arXiv:2407.21783, section 3.2). Without it, each document that fits in a row stands in one whole (best fit, the
    longest first: Ding et al. 2024, arXiv:2404.10830), for a little padding; only longer ones are cut.

    Args:
        documents: Ids of each; those without a token are left out.
        seq_len: Tokens in a row.
        end_id: What ends a document: the model learns to predict it.
        cut: Whether a document may be cut where a row is full.

    Returns:
        Inputs, labels, a mask and document ids of (rows, ``seq_len``). Labels are the next token of the *same*
        document; the mask is False at an end token and at padding. Rows' ids begin at 0.

    Raises:
        ValueError: There is no document, or ``seq_len`` is below 1.

    Cost: with ``cut`` linear in the tokens; without, also the documents times the rows that are still open.

    Example:
        >>> batch = pack([[5, 6], [7, 8, 9]], 4, end_id=0)
        >>> batch.inputs.tolist(), batch.document_ids.tolist()
        ([[5, 6, 0, 7], [8, 9, 0, 0]], [[0, 0, 0, 1], [0, 0, 0, -1]])
        >>> batch.labels[batch.mask].tolist()
        [6, 0, 8, 9, 0]
    """
    if seq_len < 1:
        raise ValueError(f"seq_len is {seq_len}: it is at least 1")
    ended = [[*map(int, document), end_id] for document in documents if len(document)]
    if not ended:
        raise ValueError(f"{len(documents)} documents hold no token: there is nothing to pack")
    rows = _cut_rows(ended, seq_len) if cut else _best_fit_rows(ended, seq_len)
    shape = len(rows), seq_len
    inputs, labels = torch.full(shape, end_id), torch.full(shape, end_id)
    ids, mask = torch.full(shape, _PADDING), torch.zeros(shape, dtype=torch.bool)
    for row, pieces in enumerate(rows):
        place = 0
        for number, (piece, following) in enumerate(pieces):
            start, place = place, place + len(piece)
            inputs[row, start:place] = torch.tensor(piece)
            labels[row, start:place] = torch.tensor([*piece[1:], end_id if following is None else following])
            ids[row, start:place] = number
            # What follows an end token is another document's, and was never its text.
            mask[row, start : place - (following is None)] = True
    return MicroBatch(inputs, labels, mask, ids)


# A stretch of a document, and the token that follows it there; None where the document ends.
_Piece = tuple[list[int], int | None]


def _pieces(document: list[int], lengths: Sequence[int]) -> list[_Piece]:
    found, place = [], 0
    for length in lengths:
        stop = place + length
        found.append((document[place:stop], document[stop] if stop < len(document) else None))
        place = stop
    return found


def _cut_rows(documents: Sequence[list[int]], seq_len: int) -> list[list[_Piece]]:
    rows: list[list[_Piece]] = [[]]
    room = seq_len
    for document in documents:
        lengths, left = [], len(document)
        while left:
            lengths.append(min(left, room))
            left, room = left - lengths[-1], (room - lengths[-1]) or seq_len
        for piece in _pieces(document, lengths):
            if sum(len(one) for one, _ in rows[-1]) == seq_len:
                rows.append([])
            rows[-1].append(piece)
    return rows


def _best_fit_rows(documents: Sequence[list[int]], seq_len: int) -> list[list[_Piece]]:
    pieces = []
    for document in documents:
        whole, rest = divmod(len(document), seq_len)
        pieces += _pieces(document, [seq_len] * whole + [rest] * (rest > 0))
    rows: list[list[_Piece]] = []
    rooms: list[int] = []
    for piece in sorted(pieces, key=lambda one: -len(one[0])):
        fitting = [index for index, room in enumerate(rooms) if room >= len(piece[0])]
        if not fitting:
            rows.append([])
            rooms.append(seq_len)
            fitting = [len(rows) - 1]
        best = min(fitting, key=rooms.__getitem__)
        rows[best].append(piece)
        rooms[best] -= len(piece[0])
    return rows
