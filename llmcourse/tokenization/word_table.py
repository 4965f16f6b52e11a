"""Numbers for words: a hash table whose probes are array operations.

A text of ten megabytes has two million words and sixty thousand distinct ones. To look each up in a dict costs a
``bytes`` object and a hash a word. Here a word is read as one or two integers of eight bytes, straight from the text,
and a whole chunk of words is looked up by a handful of gathers:

- up to 7 bytes, the integer (the bytes, and the length below them) *is* the word: no hash, no doubt;
- from 8 to 16 bytes, its first and its last eight bytes are mixed to a hash of 56 bits, and then compared with those
  of the word that was found, so that two words with one key are told apart;
- longer words, one in a hundred, and words whose key another word has, are looked up in a dict.
"""

import numpy as np

__all__ = ["WordTable"]

_EXACT = 7  # bytes that fit in a key beside their length
_PACKED = 16  # bytes that the first and the last eight cover
_ODD_1, _ODD_2, _ODD_3 = (np.uint64(n) for n in (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9))


class WordTable:
    """Distinct words in order of first appearance, each with its number.

    Example:
        >>> table = WordTable()
        >>> table.number(b"the cat the", np.array([0, 3, 4, 7, 8])).tolist(), table.distinct
        ([0, 1, 2, 1, 0], [b'the', b' ', b'cat'])
    """

    def __init__(self) -> None:
        self.distinct: list[bytes] = []
        self._in_dict: dict[bytes, int] = {}
        self._keys = np.zeros(1 << 12, np.uint64)  # 0 where nothing is: the low byte of a key is a length
        self._numbers = np.zeros(1 << 12, np.int32)
        self._n_keys = 0
        self._first = np.zeros(1 << 12, np.uint64)  # for each number its word's first eight bytes, and its last
        self._last = np.zeros(1 << 12, np.uint64)

    def number(self, text: bytes, starts: np.ndarray) -> np.ndarray:
        """Return the number of each word of a text, giving new numbers to new words.

        Args:
            text: UTF-8.
            starts: Where words start, in bytes, increasing; each ends where the next starts.

        Returns:
            int32, one entry a word.
        """
        lengths = np.diff(starts, append=len(text))
        keys, hashed, first, last = _read(text, starts, lengths)
        numbers = self._find(keys)
        found = numbers.take(hashed)
        other = (self._first.take(found, mode="clip") != first) | (self._last.take(found, mode="clip") != last)
        in_dict = (other & (found >= 0)) | (lengths.take(hashed) > _PACKED)
        missing = numbers < 0
        missing[hashed[in_dict]] = False
        missing = np.flatnonzero(missing)
        fresh, at, inverse = np.unique(keys[missing], return_index=True, return_inverse=True)
        appear, known = missing[at], len(self.distinct)
        numbers[missing] = known + inverse
        # Of new words with one hash the first has the key; the others go to the dict.
        place = np.minimum(np.searchsorted(hashed, appear), max(hashed.size - 1, 0))
        new = ~in_dict & (found < 0)
        one_of = place[numbers[hashed[new]] - known]
        in_dict[new] = (first[one_of] != first[new]) | (last[one_of] != last[new])
        rest = hashed[in_dict]
        words = _slices(text, starts, lengths, rest)
        appear = np.concatenate([appear, self._look_up(words, rest, numbers, known + appear.size)])
        self._settle(numbers, known, appear)
        self._in_dict.update(zip(words, numbers[rest].tolist(), strict=True))
        self.distinct += _slices(text, starts, lengths, np.sort(appear))
        self._reserve()
        self._first[numbers[hashed[new]]], self._last[numbers[hashed[new]]] = first[new], last[new]
        self._add(fresh, numbers[missing[at]])
        return numbers

    def _look_up(self, words: list[bytes], at: np.ndarray, numbers: np.ndarray, unused: int) -> np.ndarray:
        """Number words by the dict; return where new ones appear first."""
        found = list(map(self._in_dict.get, words))
        new: dict[bytes, int] = {}
        added = []
        for index in [index for index, number in enumerate(found) if number is None]:
            if words[index] not in new:
                new[words[index]] = unused + len(new)
                added.append(index)
            found[index] = new[words[index]]
        numbers[at] = found
        return at[added]

    def _settle(self, numbers: np.ndarray, known: int, appear: np.ndarray) -> None:
        """Replace the provisional number ``known + i`` by the place of ``appear[i]`` among its like."""
        if appear.size:
            place = np.empty(appear.size, np.int32)
            place[np.argsort(appear)] = np.arange(known, known + appear.size)
            new = np.flatnonzero(numbers >= known)
            numbers[new] = place[numbers[new] - known]

    def _find(self, keys: np.ndarray) -> np.ndarray:
        """Return the number of each key or -1, by linear probing: all words one step, then those that need another."""
        slots = _home(keys, self._keys.size)
        here = self._keys.take(slots)
        numbers = self._numbers.take(slots)
        off = np.flatnonzero(here != keys)
        numbers[off] = -1
        left = off[here[off] != 0]
        slots = slots[left]
        while left.size:
            slots = (slots + 1) & (self._keys.size - 1)
            here = self._keys[slots]
            hit = here == keys[left]
            numbers[left[hit]] = self._numbers[slots[hit]]
            on = ~hit & (here != 0)
            left, slots = left[on], slots[on]
        return numbers

    def _reserve(self) -> None:
        if len(self.distinct) > self._first.size:
            self._first = np.resize(self._first, 2 * len(self.distinct))
            self._last = np.resize(self._last, 2 * len(self.distinct))

    def _add(self, keys: np.ndarray, numbers: np.ndarray) -> None:
        """Enter keys that are distinct and not in the table."""
        self._n_keys += keys.size
        if 4 * self._n_keys > self._keys.size:
            used = np.flatnonzero(self._keys)
            keys, numbers = np.append(self._keys[used], keys), np.append(self._numbers[used], numbers)
            size = 1 << (8 * self._n_keys).bit_length()
            self._keys, self._numbers = np.zeros(size, np.uint64), np.zeros(size, np.int32)
        slots = _home(keys, self._keys.size)
        while keys.size:
            free = self._keys[slots] == 0
            self._keys[slots[free]] = keys[free]  # of several writers one wins, and sees it below
            won = self._keys[slots] == keys
            self._numbers[slots[won]] = numbers[won]
            keys, numbers, slots = keys[~won], numbers[~won], (slots[~won] + 1) & (self._keys.size - 1)


def _home(keys: np.ndarray, size: int) -> np.ndarray:
    return ((keys * _ODD_1) >> np.uint64(65 - size.bit_length())).view(np.int64)


def _read(text: bytes, starts: np.ndarray, lengths: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return the key of each word, which words have a hash, and the first and the last eight bytes of those."""
    at_each_byte = np.ndarray((len(text) + 1,), "<u8", text + bytes(8), strides=(1,))
    beyond = (8 - np.minimum(lengths, 8)).view(np.uint64) << np.uint64(3)
    keys = at_each_byte.take(starts)
    hashed = np.flatnonzero(lengths > _EXACT)
    first, size = keys[hashed], lengths[hashed]
    last = at_each_byte.take(starts[hashed] + (size - 8))
    keys <<= beyond  # drops the bytes past the end, and leaves zeros below for the length
    keys |= lengths.view(np.uint64)
    mixed = (first ^ (first >> np.uint64(29))) * _ODD_2 + (last ^ (last >> np.uint64(32))) * _ODD_3
    mixed += size.view(np.uint64) * _ODD_1
    mixed ^= mixed >> np.uint64(31)
    keys[hashed] = (mixed & np.uint64(~0xFF & (1 << 64) - 1)) | np.minimum(size, 255).view(np.uint64)
    return keys, hashed, first, last


def _slices(text: bytes, starts: np.ndarray, lengths: np.ndarray, which: np.ndarray) -> list[bytes]:
    begin = starts[which]
    return [text[a:b] for a, b in zip(begin.tolist(), (begin + lengths[which]).tolist(), strict=True)]
