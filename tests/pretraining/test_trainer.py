"""A run equals a plain loop; and one that is stopped, killed or fails goes on bit for bit."""

import math
import os
import signal
import subprocess
import sys
import textwrap

import pytest
import torch

from llmcourse.architecture import ModelConfig, Transformer
from llmcourse.pretraining import (
    BatchStream,
    LossGuard,
    Trainer,
    TrainerConfig,
    TrainingStopped,
    cosine_schedule,
    latest_checkpoint,
    load_checkpoint,
)

CONFIG = {"total_steps": 12, "batch_size": 4, "seq_len": 8, "max_lr": 1e-2, "warmup_steps": 3, "checkpoint_every": 5}
TEXT = torch.randint(32, (1000,), generator=torch.Generator().manual_seed(5)).cumsum(0) % 32
HELD_OUT = TEXT[:100]


def trainer(folder=None, *, seed=0, **options):
    torch.manual_seed(seed)
    model = Transformer(ModelConfig(vocab_size=32, d_model=16, n_layers=2, n_heads=2))
    names = ("validation", "guard", "strategy")
    more = {name: options.pop(name) for name in names if name in options}
    return Trainer(model, TEXT, TrainerConfig(**CONFIG | options), folder=folder, **more)


def losses_of(run):
    return [step.loss for step in run.steps()]


def weights_of(run):
    return torch.cat([parameter.detach().flatten() for parameter in run.model.parameters()])


def test_a_run_is_a_plain_loop_with_torchs_adamw():
    run = trainer()
    torch.manual_seed(0)
    model = Transformer(run.model.config)
    matrices = [p for p in model.parameters() if p.ndim >= 2]
    vectors = [p for p in model.parameters() if p.ndim < 2]
    groups = [{"params": matrices, "weight_decay": 0.1}, {"params": vectors, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, betas=(0.9, 0.95))
    stream, expected = BatchStream(TEXT, batch_size=4, seq_len=8), []
    for step in range(12):
        batch = next(stream)
        loss = torch.nn.functional.cross_entropy(model(batch.inputs).flatten(0, 1), batch.labels.flatten())
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for group in optimizer.param_groups:
            group["lr"] = cosine_schedule(step + 1, max_lr=1e-2, min_lr=0.0, warmup_steps=3, total_steps=12)
        optimizer.step()
        expected.append(loss.item())
    assert losses_of(run) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("precision", ["fp32", "bf16", "fp16"])
def test_a_run_that_is_stopped_at_any_step_goes_on_bit_for_bit(tmp_path, precision):
    whole = trainer(precision=precision)
    expected = losses_of(whole)
    for stop_at in (1, 5, 7):
        folder = tmp_path / str(stop_at)
        first = trainer(folder, precision=precision)
        losses = []
        for step in first.steps():
            losses.append(step.loss)
            if step.number == stop_at:
                first.stop()
        second = trainer(folder, precision=precision, seed=99)  # what it begins with does not matter
        assert second.resume() == stop_at
        assert losses + losses_of(second) == expected
        assert torch.equal(weights_of(second), weights_of(whole))


def test_micro_batches_give_the_losses_of_the_whole_batch():
    assert losses_of(trainer(n_micro_batches=4)) == pytest.approx(losses_of(trainer()), rel=1e-5)


def test_validation_is_the_mean_over_the_held_out_text_and_changes_nothing():
    run = trainer(validation=HELD_OUT, validate_every=4)
    steps = list(run.steps())
    assert [step.number for step in steps if step.validation_loss is not None] == [4, 8, 12]
    assert [step.loss for step in steps] == losses_of(trainer())
    inputs, labels = HELD_OUT[:96].view(12, 8), HELD_OUT[1:97].view(12, 8)
    expected = torch.nn.functional.cross_entropy(run.model(inputs).flatten(0, 1), labels.flatten()).item()
    assert steps[-1].validation_loss == pytest.approx(expected, rel=1e-5)
    assert run.model.training
    assert math.isnan(trainer().validate())


def test_checkpoints_are_written_on_time_and_at_the_end_and_old_ones_go(tmp_path):
    losses_of(trainer(tmp_path))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["step-00000010.pt", "step-00000012.pt"]
    again = trainer(tmp_path)
    assert again.resume() == 12
    assert losses_of(again) == []


def test_a_loss_that_is_no_number_stops_and_leaves_weights_and_checkpoint(tmp_path):
    run = trainer(tmp_path)
    with pytest.raises(TrainingStopped, match="the loss is nan at step 7: look at this step's batch"):
        for step in run.steps():
            if step.number == 6:
                with torch.no_grad():
                    run.model.output.weight[0, 0] = math.nan
                before = weights_of(run)
    assert torch.equal(weights_of(run).nan_to_num(7.0), before.nan_to_num(7.0))
    state = load_checkpoint(latest_checkpoint(tmp_path))
    assert state["step"] == 5
    assert all(bool(tensor.isfinite().all()) for tensor in state["model"].values())


def test_a_spike_stops(tmp_path):
    run = trainer(tmp_path, guard=LossGuard(window=4, spike_nats=1.0, patience=1))
    with pytest.raises(TrainingStopped, match="above the median of the 4 steps before"):
        for step in run.steps():
            if step.number == 6:
                with torch.no_grad():
                    run.model.output.weight.mul_(100)


def test_an_overflow_in_fp16_skips_the_step_and_makes_the_scale_smaller():
    run = trainer(precision="fp16")
    run._scaler.scale = 2.0**60
    before = weights_of(run)
    step = next(iter(run.steps()))
    assert step.skipped
    assert math.isfinite(step.loss)
    assert torch.equal(weights_of(run), before)
    assert run._scaler.scale == 2.0**59


def test_another_text_or_setting_is_refused(tmp_path):
    losses_of(trainer(tmp_path))
    with pytest.raises(ValueError, match=r"max_lr is 0\.5, but the checkpoint of step 12 was made with 0\.01"):
        trainer(tmp_path, max_lr=0.5).resume()
    model = Transformer(ModelConfig(vocab_size=32, d_model=16, n_layers=2, n_heads=2))
    with pytest.raises(ValueError, match="was trained on another text"):
        Trainer(model, TEXT.flip(0), TrainerConfig(**CONFIG), folder=tmp_path).resume()


@pytest.mark.parametrize("length", [0, 1, 8, 32])
def test_a_text_too_short_is_refused(length):
    with pytest.raises(ValueError, match=f"the text has {length} tokens: a batch of 4 sequences of 8 needs 33"):
        Trainer(torch.nn.Embedding(32, 32), TEXT[:length], TrainerConfig(**CONFIG))


def test_an_id_beyond_the_vocabulary_is_refused():
    model = Transformer(ModelConfig(vocab_size=16, d_model=16, n_layers=1, n_heads=2))
    with pytest.raises(ValueError, match="the text has the id 31, the model a vocabulary of 16"):
        Trainer(model, TEXT, TrainerConfig(**CONFIG))


PROGRAM = """
    import sys, torch
    sys.path.insert(0, sys.argv[2])
    from test_trainer import trainer
    run = trainer(sys.argv[1], checkpoint_every=3, total_steps=40)
    run.resume()
    for step in run.steps():
        print(step.number, repr(step.loss), flush=True)
"""


def test_a_run_killed_twice_gives_the_losses_of_one_that_was_not(tmp_path):
    from pathlib import Path

    command = [sys.executable, "-c", textwrap.dedent(PROGRAM), str(tmp_path), str(Path(__file__).parent)]
    seen: dict[int, str] = {}
    for last in (10, 23, None):
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ) as process:
            for line in process.stdout:
                number, loss = line.split()
                assert seen.setdefault(int(number), loss) == loss
                if last is not None and int(number) >= last:
                    process.send_signal(signal.SIGKILL)
                    break
            process.stdout.read()
        assert process.returncode == (0 if last is None else -signal.SIGKILL)
    expected = losses_of(trainer(total_steps=40))
    assert [seen[number] for number in range(1, 41)] == [repr(loss) for loss in expected]
