#!/bin/sh
# Fuzzes the API by its OpenAPI document: schemathesis against a service that runs beside a simulator,
# both for this run alone. `make api-fuzz`; $1 is the program, API_FUZZ_EXAMPLES how many examples an
# operation gets.
set -eu

hark=$1
folder=$(mktemp -d)
service='' simulator=''
trap 'for pid in $service $simulator; do kill "$pid" || true; done; wait; rm -rf "$folder"' EXIT
cd "$folder"

cat > hark.toml <<EOF
[server]
admin_listen = ""
public_url = "https://bot.example"
[stt]
engine = "scripted"
[llm]
engine = "scripted"
[tts]
engine = "scripted"
[log]
level = "warn"
EOF
port=18080 graph=18090
"$hark" simulate --listen 127.0.0.1:$graph --webhook http://127.0.0.1:$port/webhook \
    --app-secret fuzz-app-secret --phone-number-id 200 2> simulator.log &
simulator=$!
admin=$("$hark" token create --role admin --name fuzz)
"$hark" serve --listen 127.0.0.1:$port 2> service.log &
service=$!
until curl -sf http://127.0.0.1:$port/health > health; do sleep 0.1; done
# Something to find: a number with an agent, and a turn.
curl -sf -H "Authorization: Bearer $admin" -H 'Content-Type: application/json' -o agent.json \
    -d '{"name": "desk", "reply": "text"}' http://127.0.0.1:$port/api/v1/agents
curl -sf -H "Authorization: Bearer $admin" -H 'Content-Type: application/json' -o number.json -d '{
        "phone_number_id": "200", "provider": "simulator", "access_token": "any", "agent": "desk",
        "app_secret": "fuzz-app-secret", "api_url": "http://127.0.0.1:'$graph'"
    }' http://127.0.0.1:$port/api/v1/numbers
curl -sf -d '{"from": "15550001111", "text": "hello"}' -H 'Content-Type: application/json' \
    -o message.json http://127.0.0.1:$graph/sim/messages

status=0
schemathesis run http://127.0.0.1:$port/api/v1/openapi.json \
    --header "Authorization: Bearer $admin" --max-examples "${API_FUZZ_EXAMPLES:-50}" \
    --mode all --workers 2 --continue-on-failure \
    --checks not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,response_schema_conformance,unsupported_method,ignored_auth \
    || status=$?
kill -0 $service || { echo "the service ended" >&2; status=1; }
grep -E 'ERROR.*panicked' service.log && status=1
exit $status
