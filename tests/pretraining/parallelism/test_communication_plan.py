"""What the plan of communication says where nothing has to be run; test_planned_bytes.py has the strategies."""

from llmcourse.architecture import ModelConfig
from llmcourse.pretraining.parallelism import Layout, plan_communication


def test_one_gpu_sends_nothing_and_checkpointing_makes_tensor_parallelism_send_again():
    config = ModelConfig(vocab_size=8, d_model=16, n_layers=2, n_heads=2)
    sizes = {"batch_size": 4, "seq_len": 8, "precision": "fp32"}
    assert plan_communication(config, Layout(), **sizes).total == 0
    plain, again = (plan_communication(config, Layout(tensor=2, checkpointing=c), **sizes) for c in (False, True))
    assert again.tensor == plain.tensor * 5 / 4
