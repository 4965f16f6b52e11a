"""The text of a page: what its author wrote, without menus, notices and offers."""

from llmcourse.pretraining.warc import Page

__all__ = ["extract_text"]


def extract_text(html: str | bytes | Page) -> str:
    r"""Return the main text of an HTML page.

    Trafilatura (Barbaresi 2021, aclanthology.org/2021.acl-demo.15), which FineWeb (Penedo et al. 2024,
    arXiv:2406.17557, section 3.2) found to leave better text than CommonCrawl's own extraction: by its rules for
    precision, with tables, without readers' comments. Its own deduplication stays off: it remembers what other pages
    of the same process held, so that the text of a page would depend on which worker it came to.

    Args:
        html: The page; of bytes the encoding is found from the page itself, of a ``Page`` from its header first.

    Returns:
        Paragraphs, each a line; nothing where there is no text or what was given is no HTML.

    Raises:
        ImportError: trafilatura is not installed.

    Example:
        >>> page = "<nav><a href='/'>Home</a></nav><article><p>{}</p></article><footer>All rights reserved</footer>"
        >>> extract_text(page.format("The cat sat on the mat and looked at the dog, which slept in the sun."))
        'The cat sat on the mat and looked at the dog, which slept in the sun.'
    """
    try:
        import trafilatura
    except ImportError as error:
        raise ImportError(
            "text is extracted by trafilatura: pip install 'llmcourse[data]', or pip install trafilatura"
        ) from error
    if isinstance(html, Page):
        html = _decoded(html)
    text = trafilatura.extract(html, favor_precision=True, include_comments=False, deduplicate=False)
    return text or ""


def _decoded(page: Page) -> str | bytes:
    """Return the page as text where its header says how, and says it rightly."""
    try:
        return page.body.decode(page.charset) if page.charset else page.body
    except (LookupError, UnicodeDecodeError):
        return page.body
