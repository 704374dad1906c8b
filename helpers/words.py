"""What counts as a word, in any script: for search by words and for the names of clusters."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

#: Scripts in which no space, or not every space, parts one word from the next: Thai, Lao, Burmese,
#: Khmer, kana, Chinese characters; and Korean, whose particles stick to the word.
UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff"
    "\u3400-\u9fff\uac00-\ud7a3\uf900-\ufaff\U00020000-\U0003ffff"
)
#: Signs that may stand in a word or not (soft hyphens, joiners, the vowel points of Arabic and
#: Hebrew), and those that part words.
_SIGNS = str.maketrans(
    dict.fromkeys([0x00AD, 0x0640, 0x0670, 0x200C, 0x200D, 0x2060, 0xFE0E, 0xFE0F, 0xFEFF])
    | dict.fromkeys([*range(0x064B, 0x0660), *range(0x0591, 0x05BE), 0x05BF, 0x05C1, 0x05C2])
    | {"_": " ", "\u200b": " "}
)


def words_in(text: str) -> list[str]:
    """Return the words of `text`, in order, as they are written.

    A word is a run of letters, digits and the marks that belong to them, however accents and vowel
    signs are stored (Unicode's NFKC). In a script without spaces, each two neighbouring characters
    are one: ``"首都で"`` gives ``["首都", "都で"]``. Underscores part words; emoji are none.
    """
    text = unicodedata.normalize("NFKC", text).translate(_SIGNS)
    if text.isascii():
        return re.findall(r"\w+", text)
    words = []
    for unspaced, word in _pattern().findall(text):
        if len(unspaced) > 1:
            words += [unspaced[i : i + 2] for i in range(len(unspaced) - 1)]
        else:
            words.append(unspaced or word)
    return words


def is_unspaced(word: str) -> bool:
    """Return whether `word` begins with a character of a script without spaces."""
    return re.match(f"[{UNSPACED}]", word) is not None


def lower(word: str) -> str:
    """Return `word` in lower case, the Turkish letters i among them."""
    return word.lower().replace("i\u0307", "i").replace("ı", "i")


@lru_cache(maxsize=1)
def _pattern() -> re.Pattern:
    # Python's \w has letters and digits, but not the marks that belong to letters: Hindi's vowels.
    marks = (chr(n) for n in range(0x300, 0xE01F0))
    marks = "".join(mark for mark in marks if unicodedata.category(mark) in ("Mn", "Mc"))
    unspaced, other = (
        rf"{ahead}\w(?:{ahead}[\w{marks}])*" for ahead in (f"(?=[{UNSPACED}])", f"(?![{UNSPACED}])")
    )
    return re.compile(f"({unspaced})|({other})")
