"""Each document's loss in a packed row is the loss of that document alone."""

from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from llmcourse.architecture import ModelConfig, Transformer
from llmcourse.pretraining import NextToken, pack

END = 0
DOCUMENTS = st.lists(st.lists(st.integers(1, 31), max_size=20), min_size=1, max_size=8).filter(any)


@settings(max_examples=60, deadline=None)
@given(documents=DOCUMENTS, seq_len=st.integers(1, 12), cut=st.booleans())
def test_every_label_is_there_once_and_follows_its_input(documents, seq_len, cut):
    batch = pack(documents, seq_len, end_id=END, cut=cut)
    found = sorted(zip(batch.inputs[batch.mask].tolist(), batch.labels[batch.mask].tolist(), strict=True))
    ended = [[*document, END] for document in documents if document]
    expected = sorted(pair for document in ended for pair in pairwise(document))
    assert found == expected
    assert int((batch.document_ids >= 0).sum()) == sum(map(len, ended))


@settings(max_examples=60, deadline=None)
@given(documents=DOCUMENTS, seq_len=st.integers(2, 12))
def test_cutting_pads_only_the_last_row_and_best_fit_cuts_only_what_is_too_long(documents, seq_len):
    n_tokens = sum(len(document) + 1 for document in documents if document)
    assert len(pack(documents, seq_len, end_id=END).inputs) == -(-n_tokens // seq_len)
    whole = pack(documents, seq_len, end_id=END, cut=False)
    n_pieces = sum(len(set(row[row >= 0].tolist())) for row in whole.document_ids)
    assert n_pieces == sum(-(-(len(document) + 1) // seq_len) for document in documents if document)


def test_losses_are_those_of_the_documents_alone():
    torch.manual_seed(0)
    model = Transformer(ModelConfig(vocab_size=32, d_model=32, n_layers=2, n_heads=4))
    generator = torch.Generator().manual_seed(1)
    documents = [torch.randint(1, 32, (n,), generator=generator) for n in (3, 9, 1, 7, 12, 4)]
    batch = pack(documents, 16, end_id=END, cut=False)
    total = NextToken()(model, batch) * batch.n_kept
    alone = torch.zeros(())
    for document in documents:
        ended = torch.cat([document, torch.tensor([END])])[None]
        logits = model(ended[:, :-1])
        alone = alone + torch.nn.functional.cross_entropy(logits[0], ended[0, 1:], reduction="sum")
    torch.testing.assert_close(total, alone, rtol=1e-5, atol=1e-4)
    total.backward()


def test_bad_input_is_quoted():
    with pytest.raises(ValueError, match="seq_len is 0"):
        pack([[1]], 0, end_id=END)
    with pytest.raises(ValueError, match="2 documents hold no token"):
        pack([[], []], 4, end_id=END)
