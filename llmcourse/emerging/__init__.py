"""Chapter 8: what is emerging. Importing it registers the feed-forward layer "moe" and RoPE's "yarn" and "ntk"."""

from llmcourse.emerging.argument_schema import check_arguments, check_schema
from llmcourse.emerging.bm25 import BM25, bm25_scores, inverse_document_frequency, split_words
from llmcourse.emerging.context_extension import (
    dynamic_ntk_theta,
    interpolated_frequencies,
    ntk_scaled_theta,
    yarn_attention_factor,
    yarn_frequencies,
)
from llmcourse.emerging.context_parallel import ring_attention, ring_join, ring_split
from llmcourse.emerging.dense_retriever import (
    BiEncoder,
    BiEncoderConfig,
    info_nce,
    inverse_cloze_pairs,
    train_bi_encoder,
)
from llmcourse.emerging.drawn_shapes import DrawnShapes, draw_shapes
from llmcourse.emerging.expert_dispatch import (
    apply_experts,
    combine,
    expert_capacity,
    expert_swiglu,
    sort_by_expert,
)
from llmcourse.emerging.mixture_of_experts import (
    MixtureOfExperts,
    MoEConfig,
    auxiliary_loss,
    balance_experts,
    moe_parameters,
)
from llmcourse.emerging.partial_attention import attend_partially, merge_attention, partial_attention_gradients
from llmcourse.emerging.passages import Passage, Question, course_passages, course_questions
from llmcourse.emerging.rank_fusion import mean_reciprocal_rank, recall_at_k, reciprocal_rank_fusion
from llmcourse.emerging.retriever import Retriever
from llmcourse.emerging.routing import (
    expert_counts,
    load_balancing_loss,
    route_top_k,
    router_z_loss,
    update_selection_bias,
)
from llmcourse.emerging.tool_agent import AgentRun, ToolAgent, mark_as_data
from llmcourse.emerging.tool_loop import Message, ToolCall, find_tool_call, shorten, tool_loop
from llmcourse.emerging.tools import Calculator, PassageSearch, PythonTool, Tool, calculate
from llmcourse.emerging.vision_encoder import VisionConfig, VisionEncoder, patchify, place_image_tokens

__all__ = [
    "BM25",
    "AgentRun",
    "BiEncoder",
    "BiEncoderConfig",
    "Calculator",
    "DrawnShapes",
    "Message",
    "MixtureOfExperts",
    "MoEConfig",
    "Passage",
    "PassageSearch",
    "PythonTool",
    "Question",
    "Retriever",
    "Tool",
    "ToolAgent",
    "ToolCall",
    "VisionConfig",
    "VisionEncoder",
    "apply_experts",
    "attend_partially",
    "auxiliary_loss",
    "balance_experts",
    "bm25_scores",
    "calculate",
    "check_arguments",
    "check_schema",
    "combine",
    "course_passages",
    "course_questions",
    "draw_shapes",
    "dynamic_ntk_theta",
    "expert_capacity",
    "expert_counts",
    "expert_swiglu",
    "find_tool_call",
    "info_nce",
    "interpolated_frequencies",
    "inverse_cloze_pairs",
    "inverse_document_frequency",
    "load_balancing_loss",
    "mark_as_data",
    "mean_reciprocal_rank",
    "merge_attention",
    "moe_parameters",
    "ntk_scaled_theta",
    "partial_attention_gradients",
    "patchify",
    "place_image_tokens",
    "recall_at_k",
    "reciprocal_rank_fusion",
    "ring_attention",
    "ring_join",
    "ring_split",
    "route_top_k",
    "router_z_loss",
    "shorten",
    "sort_by_expert",
    "split_words",
    "tool_loop",
    "train_bi_encoder",
    "update_selection_bias",
    "yarn_attention_factor",
    "yarn_frequencies",
]
