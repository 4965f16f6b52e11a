"""Widgets that compute in JupyterLab and, with neither a kernel nor a network, in the pages of the book."""

from llmcourse.widgets.bpe_player import BPEPlayer
from llmcourse.widgets.compute_budget import ComputeBudget
from llmcourse.widgets.dpo_explorer import DPOExplorer
from llmcourse.widgets.head_sharing import HeadSharing
from llmcourse.widgets.memory_planner import MemoryPlanner
from llmcourse.widgets.model_table import ModelTable
from llmcourse.widgets.paging_explorer import PagingExplorer
from llmcourse.widgets.ppo_clip_explorer import PPOClipExplorer
from llmcourse.widgets.rope_explorer import RoPEExplorer
from llmcourse.widgets.schedule_explorer import ScheduleExplorer
from llmcourse.widgets.speculative_explorer import SpeculativeExplorer
from llmcourse.widgets.vram_calculator import VRAMCalculator

__all__ = [
    "BPEPlayer",
    "ComputeBudget",
    "DPOExplorer",
    "HeadSharing",
    "MemoryPlanner",
    "ModelTable",
    "PPOClipExplorer",
    "PagingExplorer",
    "RoPEExplorer",
    "ScheduleExplorer",
    "SpeculativeExplorer",
    "VRAMCalculator",
]
