"""The corpora that need no network: what they hold, that they stay the same, and how they refuse."""

import unicodedata

import pytest

from llmcourse.pretraining import docstrings, documentation, each_docstring, human_rights, language_names, source_code


def test_documentation_is_prose() -> None:
    text = documentation()
    assert len(text) > 300_000
    assert text.count(" the ") > 3_000


def test_docstrings_come_in_the_same_order_every_time() -> None:
    assert docstrings("numpy", max_bytes=200_000) == docstrings("numpy", max_bytes=200_000)


def test_a_smaller_cut_is_the_beginning_of_a_larger() -> None:
    small, large = docstrings("numpy", max_bytes=50_000), docstrings("numpy", max_bytes=100_000)
    assert 45_000 < len(small.encode()) <= 50_000
    assert large.startswith(small)


def test_source_code_leaves_out_tests() -> None:
    text = source_code("numpy", max_bytes=2_000_000)
    assert "import" in text
    assert "def test_" not in text[:100_000]


def test_standard_library_is_there() -> None:
    assert 900_000 < len(source_code(max_bytes=1_000_000).encode()) <= 1_000_000


@pytest.mark.parametrize("corpus", [docstrings, source_code])
def test_an_unknown_package_is_refused_by_name(corpus) -> None:
    with pytest.raises(ValueError, match="'no_such_package' is not installed"):
        corpus("no_such_package")


def test_names_are_written_in_the_script_of_the_language() -> None:
    assert "Deutsch" in language_names("de")
    assert any("ก" <= letter <= "๛" for letter in "".join(language_names("th")))


@pytest.mark.parametrize("locale", ["xx-nowhere", "", "not a locale"])
def test_an_unknown_locale_is_refused_by_name(locale: str) -> None:
    with pytest.raises(ValueError, match="is not in Babel's CLDR data"):
        language_names(locale)


def test_human_rights_stand_in_the_script_of_each_language() -> None:
    texts = human_rights()
    assert next(iter(texts)) == "English"
    scripts = {unicodedata.name(letter).split()[0] for text in texts.values() for letter in text if letter.isalpha()}
    assert scripts == {
        *("ARABIC", "BENGALI", "CJK", "CYRILLIC", "DEVANAGARI", "ETHIOPIC", "GEORGIAN", "GREEK", "HANGUL", "HEBREW"),
        *("HIRAGANA", "LATIN", "TAMIL", "THAI"),
    }
    assert len(texts) == 27


def test_human_rights_are_written_with_composed_letters() -> None:
    assert all(unicodedata.is_normalized("NFC", text) for text in human_rights().values())


def test_docstrings_one_by_one_are_those_of_the_whole_text():
    each = list(each_docstring("numpy"))
    assert "\n\n".join(each) == docstrings("numpy")
    assert len(each) > 1000
