# Steps with their seconds, some beside others; the first that fails ends all of them.
# shellcheck shell=bash

set -m # each job is a process group, which can be ended whole
work=$(mktemp -d)
began=$SECONDS
jobs=()          # all of them, by process id
declare -A log=() # of what runs beside, by process id
declare -A since=()
step_limit=3000 # seconds, more than the longest takes on a slow day: a test that hangs is to be named

at_exit() { :; }
end_all() {
    local code=$? job
    trap - EXIT INT TERM
    for job in "${jobs[@]}"; do
        disown "$job" 2>/dev/null || true # and no word of its end
        kill -TERM -- "-$job" 2>/dev/null || true
    done
    at_exit || true
    rm -rf "$work"
    exit "$code"
}
trap end_all EXIT INT TERM

# part NAME COMMAND...
part() {
    local name=$1 from=$SECONDS
    shift
    printf '\n== %s\n' "$name"
    "$@"
    printf -- '-- %s: %d s\n' "$name" $((SECONDS - from))
    printf '%5d s  %s\n' $((SECONDS - from)) "$name" >>"$work/seconds"
}

# start NAME COMMAND...: a part in the background, which leaves its exit code in a file.
start() {
    (
        set +e
        (
            set -e
            part "$@"
        )
        code=$?
        [ "$code" = 0 ] || printf "failed: %s\n" "$1"
        echo "$code" >"$work/code.$BASHPID"
    ) </dev/null &
    jobs+=($!)
    since[$!]=$SECONDS
}

# step NAME COMMAND...: a part; ends too when something beside it fails.
step() {
    start "$@"
    until_ended "$!"
}

# beside NAME COMMAND...: goes on at once; what it prints is shown when it has ended.
beside() {
    local file
    file=$(mktemp -p "$work")
    start "$@" >"$file" 2>&1
    log[$!]=$file
}

has_ended() { [ -s "$work/code.$1" ]; }
exit_if_failed() { [ "$(cat "$work/code.$1")" = 0 ] || exit 1; }

# fail_if_over_limit PID: what it has printed and what it still runs, where it should have ended long ago.
fail_if_over_limit() {
    ((SECONDS - since[$1] > step_limit)) || return 0
    [ -z "${log[$1]:-}" ] || tail -n 200 "${log[$1]}"
    echo "failed: no end after $step_limit s; its processes:"
    pgrep -g "$1" | xargs -r ps -o pid=,etimes=,args= --forest | cut -c 1-200
    exit 1
}

# until_ended PID: waits for it, and shows what ends beside it meanwhile.
until_ended() {
    local job
    while :; do
        for job in "${!log[@]}"; do
            if has_ended "$job"; then
                cat "${log[$job]}"
                unset "log[$job]"
                exit_if_failed "$job"
            else
                fail_if_over_limit "$job"
            fi
        done
        if has_ended "$1"; then
            exit_if_failed "$1"
            return
        fi
        fail_if_over_limit "$1"
        sleep 0.1
    done
}

# together: waits for all that runs beside.
together() {
    local job
    for job in "${!log[@]}"; do until_ended "$job"; done
}

# reached NAME, await NAME: something beside waits until the steps have come so far.
reached() { : >"$work/reached.$1"; }
await() { until [ -e "$work/reached.$1" ]; do sleep 0.2; done; }

summary() {
    printf '\n== seconds\n'
    cat "$work/seconds"
    printf '%5d s  in all, %s free\n' $((SECONDS - began)) "$(df -h --output=avail . | tail -1 | tr -d ' ')"
}
