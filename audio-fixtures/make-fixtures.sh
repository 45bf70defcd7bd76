#!/usr/bin/env bash
# Makes the voice notes of this folder with espeak-ng and ffmpeg: Ogg/Opus, mono, 16 kHz, 16 kb/s,
# as WhatsApp's are. Run by `make fixtures`; the transcripts beside the notes are written as well.
set -euo pipefail
cd "$(dirname "$0")"
wav=$(mktemp --suffix=.wav)
trap 'rm -f "$wav"' EXIT

# note NAME VOICE WORDS_PER_MINUTE PITCH TEXT
note() {
    espeak-ng -v "$2" -s "$3" -p "$4" -w "$wav" "$5"
    ffmpeg -nostdin -loglevel error -y -i "$wav" -map_metadata -1 -fflags +bitexact \
        -flags:a +bitexact -ac 1 -ar 16000 -c:a libopus -b:a 16k -vbr on -application voip \
        -frame_duration 60 "$1.ogg"
    printf '%s\n' "$5" > "$1.txt"
}

note en_hours    en-us     160 50 "When do you open on Saturday?"
note en_delivery en-gb+f3  155 55 "How long does the delivery take?"
note en_refund   en-us+m2  160 45 "Can I send it back and get a refund?"
note en_person   en-us+f3  155 60 "I would like to talk to a person, please."
note en_price    en-gb     155 50 "How much does the coffee cost?"
note en_long     en-gb+m2  170 50 "Hello, I placed an order last week and it has not arrived yet. I was wondering whether you could tell me where my order is, and if there is any tracking number for it. Thank you very much."
