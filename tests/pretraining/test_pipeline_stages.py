from llmcourse.pretraining import PipelineConfig
from llmcourse.pretraining.pipeline_stages import PipelineStages, Stage


def test_each_stage_notes_what_it_dropped_and_tells_how_far_it_is(tmp_path):
    told = []
    stages = PipelineStages(
        PipelineConfig(near_duplicates=None), tmp_path, map, lambda name, done, of: told.append((name, done, of))
    )
    kept = stages.deduplicated(["a line of text\nmore", "another", "another", "a line of text\nwhat is new"])
    assert kept == ["a line of text\nmore", "another", "what is new"]
    assert stages.done == [Stage("lines", 4, {"lines": 1}), Stage("exact", 3, {"copies": 1})]
    assert told == [("lines", 1, 1), ("exact", 1, 1)]
