"""From a CTranslate2 file of whisper to the tensors of a whisper.cpp file: names, shapes, types.

Both keep OpenAI's numbers: CTranslate2 in float16, whisper.cpp vectors and positions in float32
and all else in float16, so that nothing is rounded.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

FLOAT16 = 4  # CTranslate2's number for it
HEAD = 64  # width of a head of attention in every whisper


class Tensor(NamedTuple):
    shape: tuple[int, ...]
    halves: memoryview

    def part(self, which: int, of: int) -> Tensor:
        """One of several tensors that are stored one below the other."""
        rows, size = self.shape[0] // of, len(self.halves) // of
        return Tensor((rows, *self.shape[1:]), self.halves[which * size : (which + 1) * size])


# whisper.cpp's name and CTranslate2's, of a weight and its bias, and which part of how many it is;
# `*` is the number of a layer.
LAYER = """
blocks.*.mlp_ln            layer_*/ffn/layer_norm
blocks.*.mlp.0             layer_*/ffn/linear_0
blocks.*.mlp.2             layer_*/ffn/linear_1
blocks.*.attn_ln           layer_*/self_attention/layer_norm
blocks.*.attn.query        layer_*/self_attention/linear_0  0 3
blocks.*.attn.key          layer_*/self_attention/linear_0  1 3
blocks.*.attn.value        layer_*/self_attention/linear_0  2 3
blocks.*.attn.out          layer_*/self_attention/linear_1
"""
CROSS = """
blocks.*.cross_attn_ln     layer_*/attention/layer_norm
blocks.*.cross_attn.query  layer_*/attention/linear_0
blocks.*.cross_attn.key    layer_*/attention/linear_1       0 2
blocks.*.cross_attn.value  layer_*/attention/linear_1       1 2
blocks.*.cross_attn.out    layer_*/attention/linear_2
"""
# Each side: what comes before its layers, a layer, what comes behind them.
SIDES = {
    "decoder": ("", LAYER + CROSS, "ln layer_norm"),
    "encoder": ("conv1 conv1\nconv2 conv2", LAYER, "ln_post layer_norm"),
}


def read(file: bytes) -> dict[str, Tensor]:
    """Reads the float16 variables of a CTranslate2 file, format 6."""
    at = 0

    def numbers(kind: str) -> tuple[int, ...]:
        nonlocal at
        found = struct.unpack_from("<" + kind, file, at)
        at += struct.calcsize("<" + kind)
        return found

    def text() -> str:
        nonlocal at
        (length,) = numbers("H")  # with the zero at its end
        at += length
        return file[at - length : at - 1].decode()

    head = (*numbers("I"), text())
    if head != (6, "WhisperSpec"):
        raise SystemExit(f"no whisper model of CTranslate2's format 6, but {head}")
    _revision, count = numbers("II")
    found = {}
    for _ in range(count):
        name = text()
        (axes,) = numbers("B")
        shape = numbers(f"{axes}I")
        kind, size = numbers("BI")
        if kind == FLOAT16:
            found[name] = Tensor(shape, memoryview(file)[at : at + size])
        at += size
    return found


def layers(weights: dict[str, Tensor], side: str) -> int:
    return sum(f"{side}/layer_{n}/ffn/linear_0/bias" in weights for n in range(99))


def sizes(weights: dict[str, Tensor]) -> Iterator[int]:
    """The numbers of a whisper.cpp file's head, between its magic number and its type."""
    yield weights["decoder/embeddings/weight"].shape[0]
    for side in ("encoder", "decoder"):
        positions, width = weights[f"{side}/position_encodings/encodings"].shape
        yield from (positions, width, width // HEAD, layers(weights, side))
    yield weights["encoder/conv1/weight"].shape[1]


def named(weights: dict[str, Tensor]) -> Iterator[tuple[str, Tensor]]:
    """All tensors by their names there, in the order of OpenAI's checkpoints."""
    for side in SIDES:
        yield f"{side}.positional_embedding", weights[f"{side}/position_encodings/encodings"]
    yield "decoder.token_embedding.weight", weights["decoder/embeddings/weight"]
    for side, (before, layer, behind) in SIDES.items():
        inner = [layer.replace("*", str(n)) for n in range(layers(weights, side))]
        for row in "\n".join([before, *inner, behind]).splitlines():
            if not row:
                continue
            name, source, *part = row.split()
            norm = source.endswith("layer_norm")
            for ours, theirs in (("weight", "gamma"), ("bias", "beta")):
                if name.endswith(".key") and ours == "bias":
                    continue  # whisper's keys have none; CTranslate2 stores zeros
                tensor = weights[f"{side}/{source}/{theirs if norm else ours}"]
                yield f"{side}.{name}.{ours}", tensor.part(*map(int, part)) if part else tensor


def write(weights: dict[str, Tensor]) -> Iterator[bytes]:
    """Makes the tensors of a whisper.cpp file: a head, a name and the numbers of each."""
    for name, tensor in named(weights):
        shape, label = tensor.shape, name.encode()
        single = len(shape) == 1 or name.endswith("positional_embedding")
        if name.startswith("encoder.conv") and name.endswith("bias"):
            shape = (*shape, 1)  # a column there
        yield struct.pack("<3i", len(shape), len(label), 0 if single else 1)
        yield struct.pack(f"<{len(shape)}i", *reversed(shape)) + label
        if single:
            count = len(tensor.halves) // 2
            yield struct.pack(f"<{count}f", *struct.unpack(f"<{count}e", tensor.halves))
        else:
            yield bytes(tensor.halves)
