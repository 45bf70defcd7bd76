"""Writes a checkpoint as a whisper.cpp model: `python -m export OUT.bin`.

The file is what whisper.cpp 1.8 loads as an English model: magic, sizes, mel filters, vocabulary,
tensors. Matrices are q8_0, convolutions float16, the rest float32. The rows of tokens that the
model never says are zero: training counted on their logits being 0.
"""

from __future__ import annotations

import argparse
import struct
from pathlib import Path
from typing import BinaryIO

import numpy as np
import torch

from corpus import WORK
from model import Size
from tokens import EOT, VOCABULARY, Tokenizer

MAGIC, Q8_0_FILE = 0x67676D6C, 2_007  # quantisation version 2, mostly q8_0
F32, F16, Q8_0 = 0, 1, 8
BLOCK = 32


def q8_0(matrix: np.ndarray) -> bytes:
    """Blocks of 32 along a row: a float16 scale and 32 signed bytes."""
    blocks = matrix.reshape(-1, BLOCK).astype(np.float32)
    scale = np.abs(blocks).max(1, keepdims=True) / 127
    whole = np.rint(blocks / np.where(scale == 0, 1, scale)).astype(np.int8)
    packed = np.empty(len(blocks), [("scale", "<f2"), ("values", "i1", BLOCK)])
    packed["scale"], packed["values"] = scale[:, 0], whole
    return packed.tobytes()


def write_tensor(out: BinaryIO, name: str, tensor: np.ndarray) -> None:
    # whisper.cpp's tools leave positions and convolution biases alone as well.
    matrix = tensor.ndim == 2 and "positional" not in name and "conv" not in name
    kind = Q8_0 if matrix else F16 if tensor.ndim == 3 else F32
    encoded = name.encode()
    out.write(struct.pack("<3i", tensor.ndim, len(encoded), kind))
    out.write(struct.pack(f"<{tensor.ndim}i", *reversed(tensor.shape)))
    out.write(encoded)
    if kind == Q8_0:
        out.write(q8_0(tensor))
    else:
        out.write(tensor.astype("<f2" if kind == F16 else "<f4").tobytes())


def tensors(state: dict[str, torch.Tensor], used: list[int]):
    """whisper's names and shapes for a checkpoint's: (name, array)."""
    for name, tensor in state.items():
        array = tensor.detach().float().cpu().numpy()
        if name.startswith("ctc."):
            continue
        if name == "decoder.token_embedding.weight":
            rows = np.zeros((VOCABULARY, array.shape[1]), np.float32)
            rows[used] = array
            yield name, rows
        elif name.endswith(".positions"):
            yield name.replace("positions", "positional_embedding"), array
        elif ".qkv." in name:
            for part, piece in zip(("query", "key", "value"), np.split(array, 3)):
                if (part, piece.ndim) != ("key", 1):
                    yield name.replace("qkv", part), piece
        elif name.endswith(("conv1.bias", "conv2.bias")):
            yield name, array[:, None]
        else:
            yield name, array


def write(path: Path, state: dict[str, torch.Tensor], size: Size, assets: Path) -> None:
    tokenizer = Tokenizer(assets)
    with np.load(assets / "mel_filters.npz") as file:
        filters = file["mel_80"].astype("<f4")
    with path.open("wb") as out:
        out.write(struct.pack("<I", MAGIC))
        out.write(
            struct.pack(
                "<11i", VOCABULARY, size.audio_positions, size.width, size.heads,
                size.encoder_layers, size.text_positions, size.width, size.heads,
                size.decoder_layers, size.mels, Q8_0_FILE,
            )
        )  # fmt: skip
        out.write(struct.pack("<2i", *filters.shape) + filters.tobytes())
        out.write(struct.pack("<i", EOT))
        for token in range(EOT):
            word = tokenizer.bytes[token]
            out.write(struct.pack("<I", len(word)) + word)
        for name, array in tensors(state, tokenizer.used()):
            write_tensor(out, name, np.ascontiguousarray(array))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--checkpoint", type=Path, default=WORK / "checkpoint.pt")
    args = parser.parse_args()
    saved = torch.load(args.checkpoint, map_location="cpu")
    write(args.out, saved["model"], Size(), WORK)
    print(f"{args.out}: {args.out.stat().st_size / 1e6:.1f} MB after {saved['step']} steps")


if __name__ == "__main__":
    main()
