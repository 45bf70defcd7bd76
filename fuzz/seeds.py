#!/usr/bin/env python3
"""Writes fuzz/seeds/ anew: small inputs of every kind, made of the project's own fixtures and cases.

A file is named by what it is. In those of wav, table and model the first byte is the target's choice
(see targets/). Needs ffmpeg.
"""
import json
import pathlib
import shutil
import struct
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
CASES = HERE.parent / "tests" / "it" / "cases"
NOTE = HERE.parent / "audio-fixtures" / "en_yes.ogg"

# What ffmpeg makes of a fifth of a second of speech.
SOUNDS = {
    "opus.ogg": "-c:a libopus -b:a 16k",
    "surround.ogg": "-ac 6 -c:a libopus -mapping_family 1",
    "vorbis.ogg": "-ar 16000 -c:a libvorbis",
    "flac.ogg": "-ar 16000 -c:a flac",
    "opus.webm": "-c:a libopus -b:a 16k",
    "vorbis.webm": "-ar 16000 -c:a libvorbis",
    "opus.mp4": "-c:a libopus -b:a 16k",
    "aac.m4a": "-ar 16000 -c:a aac -b:a 32k",
    "fragments.mp4": "-ar 16000 -c:a aac -movflags frag_keyframe+empty_moov",
    "alac.m4a": "-ar 16000 -c:a alac",
    "aac.aac": "-ar 16000 -c:a aac -b:a 32k",
    "mp3.mp3": "-ar 16000 -c:a libmp3lame -b:a 32k",
    "flac.flac": "-ar 16000 -c:a flac",
    "stereo.wav": "-ar 8000 -ac 2",
    "adpcm.wav": "-ar 8000 -c:a adpcm_ima_wav",
    "ms.wav": "-ar 8000 -c:a adpcm_ms",
    "a-law.wav": "-ar 8000 -c:a pcm_alaw",
    "float.wav": "-ar 8000 -c:a pcm_f32le",
    "aiff.aiff": "-ar 8000",
}
AMR_BYTES = {"nb": (b"#!AMR\n", 0x3C, 31), "wb": (b"#!AMR-WB\n", 0x14, 23)}


def write(target, name, *parts):
    file = HERE / "seeds" / target / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"".join(parts))


def sounds():
    for name, arguments in SOUNDS.items():
        made = HERE / "seeds" / f"made.{name}"
        subprocess.run(
            ["ffmpeg", "-v", "error", "-y", "-ss", "0.2", "-t", "0.2", "-i", NOTE]
            + ["-map_metadata", "-1", "-fflags", "+bitexact", "-flags", "+bitexact"]
            + arguments.split() + [made],
            check=True,
        )
        file = made.read_bytes()
        made.unlink()
        target = "ogg" if name.endswith(".ogg") else "sound"
        write(target, name, file)
        if name.endswith(".wav"):
            write("wav", name, b"\0", file)
    write("ogg", "two_links.ogg", (HERE / "seeds/ogg/opus.ogg").read_bytes() * 2)
    for band, (magic, header, length) in AMR_BYTES.items():
        frames = (bytes([header]) + bytes(7 * at * frame % 256 for at in range(length))
                  for frame in range(8))
        write("sound", f"{band}.amr", magic, *frames)
    tone = b"".join(struct.pack("<h", at % 50 * 300 - 7500) for at in range(400))
    for choice, name in [(3, "little"), (4, "big"), (5, "float"), (6, "mu-law"), (7, "a-law")]:
        write("wav", f"{name}.pcm", bytes([choice]), tone)


def webhooks():
    cases = json.loads((CASES / "webhook.json").read_text())
    kinds = {}
    for case in cases:
        message = case.get("message")
        if message:
            kinds.setdefault((message["type"], *sorted(message)), message)
    messages = list(kinds.values())
    batch = []
    for at, message in enumerate(messages):
        message = {"from": "15550001", "id": f"wamid.{at}", "timestamp": "1700000000"} | message
        batch.append(message)
        write("webhook", f"{message['type']}_{at}.json", body([message]).encode())
    write("webhook", "batch.json", body(batch[:6]).encode())
    write("webhook", "odd.json", body(batch[:3]).replace('"wamid.1"', '"wamid\\ud83d"').encode())
    write("webhook", "mark.json", "\ufeff".encode(), body(batch[:1]).encode())
    status = {"id": "wamid.9", "status": "failed", "timestamp": "1700000000", "recipient_id": "1",
              "biz_opaque_callback_data": "hark:00ff11ee22dd33cc:0",
              "errors": [{"code": 131053, "title": "Media upload error"}]}
    write("webhook", "status.json", body([], statuses=[status]).encode())


def body(messages, **more):
    value = {"messaging_product": "whatsapp",
             "metadata": {"display_phone_number": "15550000", "phone_number_id": "106"},
             "contacts": [{"profile": {"name": "Ada"}, "wa_id": "15550001", "user_id": "US.1"}],
             "messages": messages} | more
    change = {"field": "messages", "value": value}
    return json.dumps({"object": "whatsapp_business_account",
                       "entry": [{"id": "1", "time": 1700000000, "changes": [change]}]})


def streams():
    seen = set()
    for case in json.loads((CASES / "llm.json").read_text()):
        text = "".join(case.get("chunks", []))
        if text and case["kind"] not in seen and len(text) < 1500:
            seen.add(case["kind"])
            write("stream", f"{case['id']}.txt", text.encode())
    write("stream", "whole.json", b'{"choices": [{"message": {"content": "We open at '
          b'nine."}, "finish_reason": "stop"}], "usage": {"prompt_tokens": 5}}')
    write("stream", "error.txt", b'data: {"choices": [{"delta": {"content": "Hi"}}]}\r\n'
          b'\r\nerror: {"message": "overloaded", "code": 503}\r\n\r\n')


def tables():
    for file in sorted((CASES / "files").glob("faq_*.csv")):
        write("table", file.name, b"\0", file.read_bytes())
    write("table", "faq.csv", b"\0", (HERE.parent / "src/agent/faq.csv").read_bytes()[:1500])
    write("table", "prices.tsv", b"\x03", b'Prices\t\nname\tprice\tsize\n"Tea\nblack"\t3.50\t\n')
    write("table", "utf16.csv", b"\0", "question,answer\nWhen?,Nine.\n".encode("utf-16"))
    write("table", "text.md", b"\x05", b"# Hours\n\nWe open\nat nine.\n\n- dogs\n- cats\n")


def models():
    numbers = lambda *values: struct.pack(f"<{len(values)}i", *values)
    head = numbers(0x67676D6C, 51_864, 1_500, 64, 2, 1, 448, 64, 2, 1, 80, 1, 80, 201)
    record = numbers(2, 4, 0, 8, 2) + b"name"
    tensor = bytes([len(record)]) + (4 * 8 * 2).to_bytes(3, "little") + record
    write("model", "complete", b"\x01", head, tensor * 50)
    write("model", "without_weights", b"\x01", head)
    write("model", "cut_off", b"\x01", head, tensor * 3)
    write("model", "page", b"\0", b"<!DOCTYPE html><html>")


if __name__ == "__main__":
    shutil.rmtree(HERE / "seeds", ignore_errors=True)
    (HERE / "seeds").mkdir()
    sounds()
    webhooks()
    streams()
    tables()
    models()
