#!/usr/bin/env bash
# Makes the voice notes of this folder with espeak-ng, flite and ffmpeg: Ogg/Opus, mono, 16 kHz,
# 16 kb/s, as WhatsApp's are. Run by `make fixtures`; the transcripts beside the notes are written
# as well.
#
# The training of models/micro leaves out these voices and every sentence of a .txt in this folder:
# the notes tell how the built-in model hears what it has never heard. Voices it may be trained on
# do not belong here.
set -euo pipefail
cd "$(dirname "$0")"
wav=$(mktemp --suffix=.wav)
trap 'rm -f "$wav"' EXIT

# by_espeak NAME VOICE WORDS_PER_MINUTE PITCH TEXT
by_espeak() {
    espeak-ng -v "$2" -s "$3" -p "$4" -w "$wav" "$5"
    note "$1" "$5"
}

# by_flite NAME VOICE TEXT
by_flite() {
    flite -voice "$2" -t "$3" -o "$wav"
    note "$1" "$3"
}

# note NAME TEXT: encodes what was spoken.
note() {
    ffmpeg -nostdin -loglevel error -y -i "$wav" -map_metadata -1 -fflags +bitexact \
        -flags:a +bitexact -ac 1 -ar 16000 -c:a libopus -b:a 16k -vbr on -application voip \
        -frame_duration 60 "$1.ogg"
    printf '%s\n' "$2" > "$1.txt"
}

by_espeak en_hours     en-us+f4       160 50 "When do you open on Saturday?"
by_espeak en_delivery  en-gb+m5       155 50 "How long does the delivery take?"
by_espeak en_refund    en-us+adam     160 45 "Can I send it back and get a refund?"
by_espeak en_person    en-us+linda    155 50 "I would like to talk to a person, please."
by_flite  en_price     rms                   "How much does the coffee cost?"
by_espeak en_long      en-us+Michael  165 50 "Hello, I placed an order last week and it has not arrived yet. I was wondering whether you could tell me where my order is, and if there is any tracking number for it. Thank you very much."
by_espeak en_yes       en-us+f4       165 50 "Yes."
by_espeak en_no        en-gb+m5       165 50 "No."
by_espeak en_number    en-us+steph2   150 50 "My order number is four seven one nine two."
by_flite  en_booking   rms                   "I want to book an appointment for Tuesday at half past three."
by_espeak en_complaint en-gb-scotland 155 50 "The parcel arrived broken and I am not happy."
