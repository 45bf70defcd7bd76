#!/bin/sh
# Keeps the sound of a turn at a server that speaks S3's API and is nobody's here: moto, of PyPI. A
# voice note comes from the simulator, its sound lies in the bucket, is read back with a range, and goes
# with its person. `make blobs-cloud`; $1 is the program, $2 a voice note, and moto_server is on the path.
set -eu

hark=$1 note=$2
folder=$(mktemp -d)
service='' simulator='' s3=''
trap 'for pid in $service $simulator $s3; do kill "$pid" || true; done; wait; rm -rf "$folder"' EXIT
cd "$folder"
port=18180 graph=18190 bucket=18195

moto_server -H 127.0.0.1 -p $bucket > moto.log 2>&1 &
s3=$!
until curl -sf -o buckets.xml http://127.0.0.1:$bucket/; do sleep 0.1; done
curl -sf -X PUT -o made.xml http://127.0.0.1:$bucket/calls
cat > hark.toml <<EOT
[server]
admin_listen = ""
[stt]
engine = "scripted"
[llm]
engine = "scripted"
[tts]
engine = "scripted"
[log]
level = "warn"
[blobs]
url = "s3://calls/sound"
endpoint = "http://127.0.0.1:$bucket"
access_key_id = "any"
secret_access_key = "any"
[[numbers]]
phone_number_id = "200"
provider = "simulator"
access_token = "any"
app_secret = "s3-app-secret"
api_url = "http://127.0.0.1:$graph"
EOT
chmod 600 hark.toml
"$hark" doctor | grep 's3://calls/sound' | grep 'written, read and deleted'
"$hark" simulate --listen 127.0.0.1:$graph --webhook http://127.0.0.1:$port/webhook \
    --app-secret s3-app-secret --phone-number-id 200 2> simulator.log &
simulator=$!
token=$("$hark" token create --role operator --name s3)
"$hark" serve --listen 127.0.0.1:$port 2> service.log &
service=$!
until curl -sf -o health http://127.0.0.1:$port/health; do sleep 0.1; done
curl -sf -d '{"from": "15550001111", "file": "'"$note"'"}' -H 'Content-Type: application/json' \
    -o message.json http://127.0.0.1:$graph/sim/messages

api() { curl -sf -H "Authorization: Bearer $token" "$@"; }
tries=0
until turn=$(api http://127.0.0.1:$port/api/v1/turns | grep -o '"id":"[0-9a-f]\{16\}"' | head -1 | cut -d'"' -f4) &&
    [ -n "$turn" ] && api -o in.ogg http://127.0.0.1:$port/api/v1/turns/"$turn"/audio/in &&
    api -o out.ogg http://127.0.0.1:$port/api/v1/turns/"$turn"/audio/out; do
    tries=$((tries + 1)) && [ $tries -lt 100 ] || { cat service.log; exit 1; }
    sleep 0.1
done
cmp in.ogg "$note"
api -r 10-19 -o part http://127.0.0.1:$port/api/v1/turns/"$turn"/audio/in
[ "$(wc -c < part)" -eq 10 ]
curl -sf http://127.0.0.1:$bucket/calls | grep -o '<Key>[^<]*</Key>'
contact=$(api http://127.0.0.1:$port/api/v1/contacts | grep -o '"id":"[^"]*"' | head -1 | cut -d'"' -f4)
api -X DELETE http://127.0.0.1:$port/api/v1/contacts/"$contact"
if curl -sf http://127.0.0.1:$bucket/calls | grep '<Key>'; then
    echo "sound of a person who was forgotten is still there" >&2
    exit 1
fi
echo 'sound was kept, read and deleted'
