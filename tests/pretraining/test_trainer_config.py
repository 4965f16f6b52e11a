from dataclasses import asdict, replace

import pytest

from llmcourse.pretraining import TrainerConfig

CONFIG = TrainerConfig(total_steps=100, batch_size=8, seq_len=4, max_lr=1.0, min_lr=0.1, warmup_steps=10)


def test_the_first_step_moves_and_the_last_has_the_least_rate():
    assert CONFIG.lr(0) == 0.1
    assert CONFIG.lr(9) == 1.0
    assert CONFIG.lr(99) == 0.1
    wsd = replace(CONFIG, schedule="wsd", decay_steps=20)
    assert [wsd.lr(step) for step in (9, 50, 79)] == [1.0, 1.0, 1.0]
    assert wsd.lr(99) == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"total_steps": 0}, "total_steps is 0"),
        ({"batch_size": 0}, "batch_size is 0"),
        ({"keep": 0}, "keep is 0"),
        ({"schedule": "linear"}, "schedule is 'linear'"),
        ({"n_micro_batches": 3}, "batch_size is 8 and n_micro_batches 3"),
        ({"validation_batches": 0}, "validation_batches is 0"),
        ({"max_norm": 0}, "max_norm is 0"),
        ({"warmup_steps": 101}, "warmup_steps is 101"),
        ({"schedule": "wsd", "decay_steps": 91}, "decay_steps is 91"),
    ],
)
def test_bad_numbers_are_quoted(change, message):
    with pytest.raises(ValueError, match=message):
        replace(CONFIG, **change)


def test_what_changes_no_loss_may_differ():
    replace(CONFIG, checkpoint_every=3, validate_every=7, keep=9).check_resumes(asdict(CONFIG), 50)


@pytest.mark.parametrize("change", [{"max_lr": 2.0}, {"seed": 1}, {"batch_size": 16}, {"total_steps": 200}])
def test_what_changes_a_loss_may_not(change):
    (name,) = change
    with pytest.raises(ValueError, match=f"{name} is .* but the checkpoint of step 50 was made with"):
        replace(CONFIG, **change).check_resumes(asdict(CONFIG), 50)


def test_a_run_that_has_not_begun_to_decay_can_be_made_longer():
    short = replace(CONFIG, schedule="wsd", decay_steps=20)
    longer = replace(short, total_steps=200, decay_steps=40)
    longer.check_resumes(asdict(short), 80)
    with pytest.raises(ValueError, match="total_steps is 200"):
        longer.check_resumes(asdict(short), 81)
