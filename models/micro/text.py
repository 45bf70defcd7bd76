"""Sentences to synthesise: a grammar of what callers say, and strings of random words."""

from __future__ import annotations

import hashlib
import random
import re
from pathlib import Path

HERE = Path(__file__).parent
FIXTURES = HERE.parent.parent / "audio-fixtures"

# One sentence in so many is never trained on; `evaluate` asks for these.
HELD_OUT_SHARE = 40

# Of the sentences: random words, so that the model listens instead of guessing what comes next.
RANDOM_SHARE = 0.22
# Of the sentences: several in one breath, as in a long note.
LONG_SHARE = 0.06

_CHOICE = re.compile(r"\[([^\[\]]*)\]")
_SLOT = re.compile(r"\{(\w+)(?::(\w+))?\}")
_WORD = re.compile(r"[A-Za-z']+")


def words(text: str) -> list[str]:
    """The words of `text`, lowercase, without punctuation: what error rates count."""
    return [word.lower() for word in _WORD.findall(text)]


def sentences(text: str) -> list[tuple[str, ...]]:
    """The sentences of `text` that count as known or unknown, as words.

    Fewer than five words are too few: there would be no "yes" in training, and no "thank you".
    """
    split = (tuple(words(part)) for part in re.split(r"[.?]", text))
    return [part for part in split if len(part) > 4]


def is_held_out(sentence: tuple[str, ...]) -> bool:
    """Whether training never sees `sentence`: decided by its words alone."""
    digest = hashlib.sha256(" ".join(sentence).encode()).digest()
    return int.from_bytes(digest[:4], "big") % HELD_OUT_SHARE == 0


def fixture_sentences() -> set[tuple[str, ...]]:
    """The sentences of the repository's voice notes, which training never sees either."""
    return {part for path in FIXTURES.glob("*.txt") for part in sentences(path.read_text())}


class Grammar:
    """The sentences of a grammar file; see the head of `grammar.txt` for its form."""

    def __init__(self, path: Path = HERE / "grammar.txt") -> None:
        self.rules: dict[str, list[str]] = {}
        name = None
        for line in path.read_text().splitlines():
            if not line.strip() or line.startswith("#"):
                continue
            if not line.startswith(" "):
                name, line = (part.strip() for part in line.split("=", 1))
            alternatives = self._alternatives(line)
            self.rules.setdefault(name, []).extend(alternatives)
        for rule, alternatives in self.rules.items():
            for slot, _ in _SLOT.findall(" ".join(alternatives)):
                if slot not in self.rules:
                    raise ValueError(f"{path}: rule {rule} uses {{{slot}}}, which is not defined")

    @staticmethod
    def _alternatives(line: str) -> list[str]:
        # A bar inside brackets belongs to the choice, not to the rule.
        parts = re.split(r"\|(?![^\[]*\])", line)
        return [part.strip() for part in parts if part.strip()]

    def vocabulary(self) -> list[str]:
        """Every word the grammar can say, as it is written, sorted."""
        found: set[str] = set()
        for alternatives in self.rules.values():
            for alternative in alternatives:
                found.update(_WORD.findall(_SLOT.sub(" ", alternative)))
        # A name is capital wherever it stands; other words only where a sentence begins.
        lower = {word for word in found if word == word.lower()}
        starts = {word for word in found if word.lower() not in lower}
        names = {word for word in starts if word in NAMES or word in DAYS or word == "I"}
        return sorted(lower | names | {word.lower() for word in starts - names})

    def sentence(self, rng: random.Random) -> str:
        """One sentence, in sentence case and punctuated."""
        return self._tidy(self._expand("utterance", rng))

    def _expand(self, name: str, rng: random.Random) -> str:
        text = rng.choice(self.rules[name])
        text = _CHOICE.sub(lambda match: self._choose(match[1], rng), text)
        return _SLOT.sub(lambda match: self._form(self._expand(match[1], rng), match[2]), text)

    @staticmethod
    def _choose(inside: str, rng: random.Random) -> str:
        options = inside.split("|")
        # A lone option is there or not; of several, nothing is one more.
        return rng.choice([*options, ""])

    @staticmethod
    def _form(text: str, form: str | None) -> str:
        text = text.strip()
        if form == "cap":
            return text[:1].upper() + text[1:]
        if form == "lower" and not text.startswith(("I ", "I'")) and text.split()[0] not in DAYS:
            return text[:1].lower() + text[1:]
        return text

    @staticmethod
    def _tidy(text: str) -> str:
        text = re.sub(r"\s+", " ", text).strip()
        return re.sub(r" ([?.,])", r"\1", text)


# These stay capital inside a sentence.
DAYS = {f"{day}day" for day in ("Mon", "Tues", "Wednes", "Thurs", "Fri", "Satur", "Sun")}
NAMES = set(
    "January February March April May June July August September October November December "
    "Spain France Germany Mexico Brazil India Italy England Canada America Portugal London Paris "
    "Smith Brown Miller Maria Anna John Peter David Garcia Taylor Martin Thomas Sarah Emma "
    "English Spanish German French Portuguese Italian Road Street".split()
)


class Stream:
    """An endless, seeded stream of sentences, held-out ones or those for training."""

    def __init__(self, seed: int, held_out: bool) -> None:
        self.grammar = Grammar()
        self.rng = random.Random(f"sentences {seed} {held_out}")
        self.held_out = held_out
        self.vocabulary = self.grammar.vocabulary()
        self.fixtures = fixture_sentences()

    def next(self, max_words: int = 36) -> str:
        """The next sentence of 1 to `max_words` words."""
        while True:
            if not self.held_out and self.rng.random() < RANDOM_SHARE:
                text = self._random_words()
            elif self.rng.random() < LONG_SHARE:
                parts = range(self.rng.choice((2, 3, 4)))
                text = " ".join(self.grammar.sentence(self.rng) for _ in parts)
            else:
                text = self.grammar.sentence(self.rng)
            if len(words(text)) > max_words:
                continue
            known = [part in self.fixtures or is_held_out(part) for part in sentences(text)]
            if self.held_out and known and all(known) or not self.held_out and not any(known):
                return text

    def _random_words(self) -> str:
        count = self.rng.choice((1, 2, 3, 4, 5, 6, 7, 8))
        text = " ".join(self.rng.choice(self.vocabulary) for _ in range(count))
        return text[:1].upper() + text[1:] + self.rng.choice((".", ".", "?"))


if __name__ == "__main__":
    for held_out in (False, True):
        stream = Stream(0, held_out)
        print(f"held out: {held_out}; {len(stream.vocabulary)} words")
        for _ in range(30):
            print("   ", stream.next())
