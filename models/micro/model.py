"""Whisper's architecture, small: the shapes and the arithmetic that whisper.cpp runs."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@dataclass(frozen=True)
class Size:
    width: int = 192
    heads: int = 6
    encoder_layers: int = 4
    decoder_layers: int = 3  # not 2: whisper.cpp takes that for distil-whisper
    mels: int = 80
    audio_positions: int = 1_500
    text_positions: int = 448


class Attention(nn.Module):
    """Query, key and value in one matrix: `export` takes it apart, less the key's bias, which
    changes nothing (it adds the same to every score of a query) and which whisper does not have.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)

    def forward(self, x: Tensor, source: Tensor | None = None, mask: Tensor | None = None):
        """`x` (B, T, W) attends to `source` (B, S, W) or itself; `mask` (T, S) is added."""
        batch, length, width = x.shape
        if source is None:
            query, key, value = self.qkv(x).chunk(3, -1)
        else:
            weight, bias = self.qkv.weight, self.qkv.bias
            query = F.linear(x, weight[:width], bias[:width])
            key, value = F.linear(source, weight[width:], bias[width:]).chunk(2, -1)

        def split(y: Tensor) -> Tensor:
            return y.reshape(batch, -1, self.heads, width // self.heads).transpose(1, 2)

        scores = split(query * (width // self.heads) ** -0.5) @ split(key).transpose(2, 3)
        if mask is not None:
            scores = scores + mask.to(scores.dtype)
        mixed = scores.softmax(-1) @ split(value)
        return self.out(mixed.transpose(1, 2).reshape(batch, length, width))


class Block(nn.Module):
    def __init__(self, size: Size, cross: bool) -> None:
        super().__init__()
        width = size.width
        self.attn_ln, self.attn = nn.LayerNorm(width), Attention(width, size.heads)
        self.cross_attn_ln = nn.LayerNorm(width) if cross else None
        self.cross_attn = Attention(width, size.heads) if cross else None
        self.mlp_ln = nn.LayerNorm(width)
        self.mlp = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)
        )

    def forward(
        self, x: Tensor, source: Tensor | None = None, mask: Tensor | None = None
    ) -> Tensor:
        x = x + self.attn(self.attn_ln(x), mask=mask)
        if self.cross_attn is not None:
            x = x + self.cross_attn(self.cross_attn_ln(x), source)
        return x + self.mlp(self.mlp_ln(x))


def sinusoids(length: int, width: int) -> Tensor:
    """(length, width) positions: sines, then cosines, of rates from 1 to 1 / 10,000."""
    rates = torch.exp(-math.log(10_000) / (width // 2 - 1) * torch.arange(width // 2))
    angles = torch.arange(length)[:, None] * rates[None, :]
    return torch.cat([angles.sin(), angles.cos()], dim=1)


class Encoder(nn.Module):
    def __init__(self, size: Size) -> None:
        super().__init__()
        self.conv1 = nn.Conv1d(size.mels, size.width, 3, padding=1)
        self.conv2 = nn.Conv1d(size.width, size.width, 3, stride=2, padding=1)
        self.register_buffer("positions", sinusoids(size.audio_positions, size.width))
        self.blocks = nn.ModuleList(Block(size, False) for _ in range(size.encoder_layers))
        self.ln_post = nn.LayerNorm(size.width)

    def forward(self, mel: Tensor) -> Tensor:
        """(B, 80, 2 T) to (B, T, W); T is the audio context, at most 1,500."""
        x = F.gelu(self.conv1(mel))
        # Contiguous, or torch 1.13 computes gelu's gradient from the wrong memory on the CPU.
        x = F.gelu(self.conv2(x).transpose(1, 2).contiguous())
        # The sums stay float32 whatever the products are computed in.
        x = x.float() + self.positions[: x.shape[1]]
        for block in self.blocks:
            x = block(x)
        return self.ln_post(x)


class Decoder(nn.Module):
    """Knows the tokens in use only; `export` puts their rows where whisper's tokenizer has them."""

    def __init__(self, size: Size, tokens: int) -> None:
        super().__init__()
        self.token_embedding = nn.Embedding(tokens, size.width)
        self.positions = nn.Parameter(torch.empty(size.text_positions, size.width))
        self.blocks = nn.ModuleList(Block(size, True) for _ in range(size.decoder_layers))
        self.ln = nn.LayerNorm(size.width)
        nn.init.normal_(self.token_embedding.weight, std=0.02)
        nn.init.normal_(self.positions, std=0.01)

    def forward(self, tokens: Tensor, audio: Tensor) -> Tensor:
        """(B, L) token places and (B, T, W) to logits (B, L, tokens)."""
        length = tokens.shape[1]
        mask = torch.full((length, length), -1e9, device=tokens.device).triu(1)
        x = self.token_embedding(tokens) + self.positions[:length]
        for block in self.blocks:
            x = block(x, audio, mask)
        return self.ln(x) @ self.token_embedding.weight.t()


class Whisper(nn.Module):
    """With a head for CTC over phonemes, which makes the encoder align early; not exported."""

    def __init__(self, size: Size, tokens: int, phonemes: int) -> None:
        super().__init__()
        self.encoder = Encoder(size)
        self.decoder = Decoder(size, tokens)
        self.ctc = nn.Linear(size.width, phonemes + 1)  # place 0 is CTC's blank
