#!/usr/bin/env bash
# Writes each record of a stream to standard output: stream.sh URL. Needs curl. The exit status is 0 only if all arrived.
set -uo pipefail
url=$1
origin=$(sed -E 's|^([a-z]+://[^/]+).*|\1|' <<<"$url")
most_retries=10 # without a new record in between
head=$(mktemp)
trap 'rm -f "$head"' EXIT

log() { echo "stream: $*" >&2; }

field() { sed -n "s/^$1: *//Ip" "$head" | tr -d '\r' | tail -n 1; }

stream='' received=0 retries=0
while [ "$retries" -le "$most_retries" ]; do
    retries=$((retries + 1))
    options=(--header 'X-Stream-Rate-Limit: 50/second')
    if [ -n "$stream" ]; then options+=(--header "X-Stream-Resume: $stream; after=$received"); fi
    : >"$head"
    # --fail: the body of a rejection is not a record. curl's exit status is 0 only if the response was complete.
    exec 3< <(curl --silent --no-buffer --fail --dump-header "$head" "${options[@]}" "$url")
    curl=$!
    while IFS= read -r -u 3 line; do
        [ -n "$line" ] || continue # a heartbeat is no record
        echo "$line"
        received=$((received + 1)) retries=0
        if [ -z "$stream" ]; then
            stream=$(field X-Stream-Id)
            # weir then sends at most one record in this time.
            curl --silent --output /dev/null --data '{"processingDelay":"5ms"}' "$origin/v1/streams/$stream/feedback"
        fi
    done
    wait "$curl"
    result=$?
    status=$(sed -n 's|^HTTP/[0-9.]* \([0-9]*\).*|\1|p' "$head" | tail -n 1)
    if [ "$result" -eq 0 ]; then
        if [ -n "$line" ]; then echo "$line" && received=$((received + 1)); fi # the last record may lack its newline
        log "complete, $received records"
        exit 0
    fi
    case "$status" in
    429 | 503)
        log "$status, next attempt in $(field Retry-After) s"
        sleep "$(field Retry-After)" # an earlier attempt would be rejected as well
        ;;
    404 | 410)
        log "${stream:+truncated after $received records, }status $status"
        exit 1
        ;;
    *)
        log "curl's exit status is $result after $received records"
        sleep 0.1
        ;;
    esac
done
log "gave up after $received records"
exit 1
