"""Pre-training: corpora, the loss, the learning rate, batches and the loop."""

from llmcourse.pretraining.accumulation import accumulate_gradients
from llmcourse.pretraining.activation_checkpointing import checkpoint_activations
from llmcourse.pretraining.adamw import AdamW, adamw_step
from llmcourse.pretraining.batch_stream import BatchStream
from llmcourse.pretraining.batches import get_batch, one_epoch
from llmcourse.pretraining.checkpoints import latest_checkpoint, load_checkpoint, save_checkpoint
from llmcourse.pretraining.clipping import clip_grad_norm
from llmcourse.pretraining.corpora import (
    docstrings,
    documentation,
    each_docstring,
    human_rights,
    language_names,
    source_code,
)
from llmcourse.pretraining.data_pipeline import prepare_corpus
from llmcourse.pretraining.data_sources import find_sources, read_documents
from llmcourse.pretraining.exact_dedup import exact_dedup, line_dedup
from llmcourse.pretraining.html_extraction import extract_text
from llmcourse.pretraining.loss_guard import LossGuard, TrainingStopped
from llmcourse.pretraining.loss_scaler import LossScaler
from llmcourse.pretraining.lsh_bands import band_probability
from llmcourse.pretraining.micro_batch import MicroBatch
from llmcourse.pretraining.minhash import minhash_signature
from llmcourse.pretraining.minhash_dedup import Duplicates, minhash_dedup
from llmcourse.pretraining.mixtures import Drawn, mix
from llmcourse.pretraining.muon import Muon, orthogonalize
from llmcourse.pretraining.next_token import NextToken
from llmcourse.pretraining.objective import bits_per_byte, cross_entropy, z_loss
from llmcourse.pretraining.packing import pack
from llmcourse.pretraining.parallelism import data_parallel, pipeline_parallel, tensor_parallel
from llmcourse.pretraining.pipeline_config import PipelineConfig
from llmcourse.pretraining.prepared_corpus import PreparedCorpus, open_corpus
from llmcourse.pretraining.public_corpora import fineweb_edu, tiny_stories
from llmcourse.pretraining.quality_classifier import QualityClassifier, train_quality_classifier
from llmcourse.pretraining.quality_filter import c4_lines, quality_filter
from llmcourse.pretraining.quality_labels import quality_labels
from llmcourse.pretraining.schedule import cosine_schedule, wsd_schedule
from llmcourse.pretraining.shards import Shard, open_shard, write_shard
from llmcourse.pretraining.shingles import jaccard, shingles_of
from llmcourse.pretraining.strategy import LossFunction, SingleProcess, Strategy
from llmcourse.pretraining.synthetic_language import SyntheticLanguage
from llmcourse.pretraining.trainer import Step, Trainer
from llmcourse.pretraining.trainer_config import TrainerConfig
from llmcourse.pretraining.training_loop import evaluate, train
from llmcourse.pretraining.warc import Page, read_warc

__all__ = [
    "AdamW",
    "BatchStream",
    "Drawn",
    "Duplicates",
    "LossFunction",
    "LossGuard",
    "LossScaler",
    "MicroBatch",
    "Muon",
    "NextToken",
    "Page",
    "PipelineConfig",
    "PreparedCorpus",
    "QualityClassifier",
    "Shard",
    "SingleProcess",
    "Step",
    "Strategy",
    "SyntheticLanguage",
    "Trainer",
    "TrainerConfig",
    "TrainingStopped",
    "accumulate_gradients",
    "adamw_step",
    "band_probability",
    "bits_per_byte",
    "c4_lines",
    "checkpoint_activations",
    "clip_grad_norm",
    "cosine_schedule",
    "cross_entropy",
    "data_parallel",
    "docstrings",
    "documentation",
    "each_docstring",
    "evaluate",
    "exact_dedup",
    "extract_text",
    "find_sources",
    "fineweb_edu",
    "get_batch",
    "human_rights",
    "jaccard",
    "language_names",
    "latest_checkpoint",
    "line_dedup",
    "load_checkpoint",
    "minhash_dedup",
    "minhash_signature",
    "mix",
    "one_epoch",
    "open_corpus",
    "open_shard",
    "orthogonalize",
    "pack",
    "pipeline_parallel",
    "prepare_corpus",
    "quality_filter",
    "quality_labels",
    "read_documents",
    "read_warc",
    "save_checkpoint",
    "shingles_of",
    "source_code",
    "tensor_parallel",
    "tiny_stories",
    "train",
    "train_quality_classifier",
    "write_shard",
    "wsd_schedule",
    "z_loss",
]
