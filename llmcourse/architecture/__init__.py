"""Chapter 2: the Transformer, block by block, and real checkpoints in it."""

from llmcourse.architecture.config import LatentAttentionConfig, ModelConfig

__all__ = ["LatentAttentionConfig", "ModelConfig"]
