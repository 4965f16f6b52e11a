"""Strategies by name."""

import importlib
import os
import subprocess
import sys

import pytest

from llmcourse.cli.train import _PARALLEL
from llmcourse.pretraining import data_parallel, parallelism, pipeline_parallel, tensor_parallel
from llmcourse.pretraining.parallelism import STRATEGIES, make_strategy


@pytest.fixture
def alone(tmp_path):
    """Join one process with itself."""
    dist = importlib.import_module("torch.distributed")
    dist.init_process_group("gloo", store=dist.FileStore(str(tmp_path / "store"), 1), rank=0, world_size=1)
    yield
    dist.destroy_process_group()


def test_each_name_makes_its_strategy(alone):
    made = {name: type(make_strategy(name)).__name__ for name in STRATEGIES}
    assert made == {
        "data": "DataParallel", "zero1": "Zero", "zero2": "Zero", "zero3": "Zero", "tensor": "TensorParallel",
        "pipeline": "Pipeline", "gpipe": "Pipeline", "ddp": "TorchDDP", "fsdp": "TorchFSDP",
        "dtensor": "TorchTensorParallel", "torch-pipeline": "TorchPipeline", "torch-gpipe": "TorchPipeline",
    }  # fmt: skip
    assert [make_strategy(f"zero{stage}").stage for stage in (1, 2, 3)] == [1, 2, 3]
    assert [make_strategy(name).schedule for name in ("pipeline", "gpipe")] == ["1f1b", "gpipe"]
    assert make_strategy("torch-gpipe").schedule == "gpipe"


def test_the_command_lines_help_names_them_all():
    assert set(_PARALLEL.replace(";", ",").split(", ")) == set(STRATEGIES)


@pytest.mark.parametrize("make", [data_parallel, tensor_parallel, pipeline_parallel])
@pytest.mark.parametrize("engine", [True, False])
def test_without_processes_it_is_told_how_to_start_them(make, engine):
    with pytest.raises(ValueError, match="start with torchrun --nproc-per-node 2"):
        make(engine=engine)


def test_stages_that_are_not_there_are_refused():
    with pytest.raises(ValueError, match="zero_stage is 2: torch's engines"):
        data_parallel(zero_stage=2, engine=True)
    with pytest.raises(ValueError, match="stage is 4: choose 1, 2 or 3"):
        data_parallel(zero_stage=4)


def test_engines_are_imported_only_when_they_are_asked_for():
    program = (
        "import sys, llmcourse.pretraining as p; "
        "assert not {'torch.distributed.tensor', 'torch.distributed.pipelining'} & set(sys.modules); "
        "assert p.parallelism.TorchFSDP.__name__ == 'TorchFSDP'; assert 'torch.distributed.tensor' in sys.modules"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60, env=environment)
    with pytest.raises(AttributeError, match="no attribute 'TorchMagic'"):
        parallelism.TorchMagic  # noqa: B018
