"""With a stand-in for ``datasets``: no test goes to a network, but one knocks at a closed door of this machine."""

import socket
import sys
import types
import urllib.request

import pytest

from llmcourse.pretraining import fineweb_edu, tiny_stories


class Hub(types.ModuleType):
    """A ``datasets`` that counts what is read from it, and may fail at a row."""

    def __init__(self, *, fails_at=None, on_load=None):
        super().__init__("datasets")
        self.asked, self.read, self.fails_at, self.on_load = [], 0, fails_at, on_load

    def load_dataset(self, path, **options):
        self.asked.append((path, options))
        if self.on_load is not None:
            self.on_load()
        return self.rows()

    def rows(self):
        for number in range(1000):
            if number == self.fails_at:
                raise RuntimeError("connection reset")
            self.read += 1
            yield {"text": f"document {number}", "id": number}


@pytest.fixture
def hub(monkeypatch):
    def give(**options):
        module = Hub(**options)
        monkeypatch.setitem(sys.modules, "datasets", module)
        return module

    return give


def test_documents_are_streamed_and_no_more_is_read_than_taken(hub):
    module = hub()
    assert list(tiny_stories(max_documents=3)) == ["document 0", "document 1", "document 2"]
    assert module.read == 3
    assert module.asked == [("roneneldan/TinyStories", {"streaming": True, "split": "train", "revision": None})]
    assert len(list(tiny_stories())) == 1000
    assert list(tiny_stories(max_documents=0)) == []


def test_what_is_asked_for_reaches_the_hub(hub):
    module = hub()
    next(fineweb_edu(subset="CC-MAIN-2024-10", revision="abc"))
    path, options = module.asked[-1]
    assert path == "HuggingFaceFW/fineweb-edu"
    assert options == {"streaming": True, "name": "CC-MAIN-2024-10", "split": "train", "revision": "abc"}
    tiny_stories(split="validation", max_documents=1)
    assert module.asked[-1][1]["split"] == "validation"


def test_an_absent_package_is_said_at_once_with_what_does_without(monkeypatch):
    monkeypatch.setitem(sys.modules, "datasets", None)
    for stream in (tiny_stories, fineweb_edu):
        with pytest.raises(ImportError, match=r"pip install 'llmcourse\[streaming\]'.*documentation\(\)"):
            stream(max_documents=1)


def test_a_network_that_refuses_is_said_at_once_with_what_does_without(hub):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    hub(on_load=lambda: urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5))
    with pytest.raises(ConnectionError, match=r"TinyStories' could not be read .* after 0 documents .*refused.*docstr"):
        tiny_stories()


def test_a_network_that_ends_in_the_middle_is_no_end_of_the_corpus(hub):
    hub(fails_at=5)
    stream, taken = fineweb_edu(), []
    with pytest.raises(ConnectionError, match=r"after 5 documents \(RuntimeError: connection reset\); these corpora"):
        taken.extend(stream)
    hub(fails_at=5)
    assert len(list(fineweb_edu(max_documents=5))) == 5


def test_bad_input_is_quoted_before_anything_is_loaded(hub):
    module = hub()
    with pytest.raises(ValueError, match="split is 'test'"):
        tiny_stories(split="test")
    with pytest.raises(ValueError, match="max_documents is -1"):
        fineweb_edu(max_documents=-1)
    assert module.asked == []
