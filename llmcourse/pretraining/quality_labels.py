"""Texts with labels to learn quality from: documentation against generated text and boiler-plate, reproducible."""

import random
from collections.abc import Callable, Iterator
from functools import cache
from typing import NamedTuple

from llmcourse.pretraining.corpora import docstrings, documentation

__all__ = ["Labelled", "boilerplate_page", "quality_labels", "word_salad"]

# What stands around the text of a page. The halves are for learning and for judging: a page of one has no sentence of
# the other, so that what is learned must carry over.
_SENTENCES = (
    (
        "We use cookies to give you the best experience on our website",
        "By continuing to browse you agree to our privacy policy",
        "Subscribe to our newsletter and never miss a deal",
        "Sign up now and get 20% off your first order",
        "Free shipping on all orders over $50",
        "All rights reserved",
        "Share this article on Facebook and Twitter",
        "You must be logged in to post a comment",
        "Click here to read more",
        "Add to cart",
        "Related posts you may like",
        "Your email address will not be published",
    ),
    (
        "This site uses cookies and similar technologies for analytics and advertising",
        "Accept all cookies or manage your preferences",
        "Enter your email to receive weekly offers",
        "Limited time only, buy one and get one free",
        "Read our terms of service and privacy notice",
        "Copyright 2024, all trademarks belong to their owners",
        "Follow us on Instagram, YouTube and LinkedIn",
        "Log in or register to leave a reply",
        "Continue reading this post",
        "Add this product to your wish list",
        "You might also be interested in these articles",
        "Required fields are marked with a star",
    ),
)
_MENUS = (
    ("Home", "About us", "Contact", "Shop", "Blog", "FAQ", "Login", "Sitemap", "Careers", "Cart", "Help", "Next page"),
    ("Start", "Who we are", "Get in touch", "Store", "News", "Support", "Sign in", "Archive", "Jobs", "Checkout"),
)
_GOODS = ("shoes", "phones", "watches", "jackets", "laptops", "cameras", "bags", "hotels", "loans", "tickets")


class Labelled(NamedTuple):
    """Texts and what they are.

    Attributes:
        texts: Passages of about a hundred words.
        good: True for documentation, False for generated text and boiler-plate.
    """

    texts: list[str]
    good: list[bool]


def quality_labels(n_each: int = 600, *, held_out: bool = False, seed: int = 0) -> Labelled:
    r"""Return passages of documentation and, as many, of what a crawl is full of.

    FineWeb-Edu (Penedo et al. 2024, arXiv:2406.17557, section 4) has a language model grade pages; DCLM (Li et al.
    2024, arXiv:2406.11794, section 4.4) takes answers to instructions as good, and a crawl as bad. Here the good are
    Python's language reference and numpy's docstrings, the bad in equal parts boiler-plate pages, and words of the good
    text drawn by their frequency: what a generator without grammar writes.

    Args:
        n_each: How many are good, and how many are not.
        held_out: Give others: no passage, sentence of boiler-plate or menu stands in both.
        seed: Of the draws.

    Returns:
        Texts and labels, good and bad by turns.

    Raises:
        ValueError: There are not so many good passages; quotes how many there are.

    Example:
        >>> labelled = quality_labels(4)
        >>> labelled.good
        [True, False, True, False, True, False, True, False]
    """
    passages = [text for number, text in enumerate(_passages()) if (number % 5 == 4) == held_out]
    if not 1 <= n_each <= len(passages):
        raise ValueError(f"n_each is {n_each}: it is from 1 to {len(passages)}, the good passages that there are")
    rng = random.Random(2 * seed + held_out)
    good = rng.sample(passages, n_each)
    words = " ".join(passages).split()
    # As long as the good one before it: no label may be read from the length.
    bad: tuple[Callable[[int], str], ...] = (
        lambda n_words: boilerplate_page(rng, held_out=held_out, n_lines=n_words // 7),
        lambda n_words: word_salad(rng, words, n_words=n_words),
    )
    texts = [text for number, one in enumerate(good) for text in (one, bad[number % 2](len(one.split())))]
    return Labelled(texts, [True, False] * n_each)


def boilerplate_page(rng: random.Random, *, held_out: bool = False, n_lines: int = 14) -> str:
    """Return a page that is all menu, notices and offers.

    Args:
        rng: The source of chance.
        held_out: Of the sentences that are kept for judging.
        n_lines: How many lines it has.

    Returns:
        Lines.
    """
    sentences, menu = _SENTENCES[held_out], _MENUS[held_out]
    makers: tuple[Callable[[], str], ...] = (
        lambda: rng.choice([" | ", " » ", " - ", "  "]).join(rng.sample(menu, rng.randint(3, 7))),
        lambda: rng.choice(sentences) + rng.choice(["", ".", "!", "..."]),
        lambda: f"{rng.choice(['Cheap', 'Best', 'Top 10', 'Buy'])} {rng.choice(_GOODS)} from ${rng.randint(5, 900)}.99",
        lambda: f"Posted on {rng.randint(1, 12)}/{rng.randint(1, 28)}/20{rng.randint(10, 24)} by admin",
    )
    return "\n".join(rng.choices(makers, weights=(2, 5, 2, 1))[0]() for _ in range(n_lines))


def word_salad(rng: random.Random, words: list[str], *, n_words: int = 100) -> str:
    """Return words that were drawn one by one: the vocabulary of good text without its grammar.

    Args:
        rng: The source of chance.
        words: To draw from; one that stands there twice comes twice as often.
        n_words: How many.

    Returns:
        Lines of about twelve words.
    """
    drawn = rng.choices(words, k=n_words)
    return "\n".join(" ".join(drawn[start : start + 12]) for start in range(0, n_words, 12))


@cache
def _passages(n_words: int = 100) -> tuple[str, ...]:
    return tuple(_runs_of_paragraphs(n_words))


def _runs_of_paragraphs(n_words: int) -> Iterator[str]:
    """Give runs of whole paragraphs, as soon as they have so many words; each paragraph once, since topics repeat."""
    text = f"{documentation()}\n\n{docstrings('numpy', max_bytes=600_000)}"
    taken: list[str] = []
    for paragraph in dict.fromkeys(text.split("\n\n")):
        taken.append(paragraph)
        if sum(len(part.split()) for part in taken) >= n_words:
            yield "\n\n".join(taken)
            taken = []
