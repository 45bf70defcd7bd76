"""Writes what the published package hibari-tts reads: words.tsv and sentences.tsv, each a text, a tab
and its phonemes, which `cargo test english` compares with ours.

    python -m venv venv && venv/bin/pip install hibari-tts==0.2.1
    venv/bin/python tests/voices/oracle.py

The words are those that stand in words.tsv; the sentences are the first hundred of business.txt and of
news.txt. Change these, then run it again.
"""

from pathlib import Path

from hibari.g2p import G2P

HERE = Path(__file__).parent


def write(name, texts):
    """Writes the texts with their phonemes."""
    read = G2P()
    rows = [f"{text}\t{read(text)}\n" for text in texts]
    (HERE / name).write_text("".join(rows), encoding="utf-8")


def lines(name):
    """Returns the lines of a file."""
    return (HERE / name).read_text(encoding="utf-8").splitlines()


if __name__ == "__main__":
    write("words.tsv", [row.split("\t")[0] for row in lines("words.tsv")])
    write("sentences.tsv", lines("business.txt")[:100] + lines("news.txt")[:100])
