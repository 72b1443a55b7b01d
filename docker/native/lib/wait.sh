# Whether a process is healthy, and waiting until it is.
# shellcheck shell=bash disable=SC2154

# A step that takes long says how far it is this often: less than the ten seconds after which silence looks like an end, as
# looking takes time too.
say_every_s=8

get() { curl -fsS -m 5 --noproxy '*' "$@" 2>/dev/null; }

# exchange PORT BYTES REQUEST: sends a request (printf's escapes) and prints at most that many bytes of the reply.
exchange() (
    { exec 3<>"/dev/tcp/127.0.0.1/$1" && printf '%b' "$3" >&3 && timeout 3 head -c "$2" <&3; } 2>/dev/null || true
)

# Whether the process `pid` listens on the port: an answer from another program on the port does not count.
owns_port() {
    local inode sockets
    inode=$(awk -v port="$(printf ':%04X$' "$1")" '$2 ~ port && $4 == "0A" { printf "%s%s", sep, $10; sep = "|" }' /proc/net/tcp /proc/net/tcp6 2>/dev/null)
    [[ -n $inode ]] || return 1
    sockets=$(ls -l "/proc/$pid/fd" 2>/dev/null) || return 1
    [[ $sockets =~ socket:\[($inode)\] ]]
}

# The check of `healthy`, described.
probe() {
    case $1 in
        kafka*) printf 'a broker, of three two, in the metadata of %s' "$(address "$1")" ;;
        zookeeper) printf 'the answer to srvr from %s' "$(address zookeeper)" ;;
        coordinator) printf 'the overlord to lead and to list the worker: http://%s/druid/indexer/v1/isLeader and workers' "$(address coordinator)" ;;
        broker | historical) printf 'http://%s/druid/%s/v1/readiness' "$(address "$1")" "$1" ;;
        indexer) printf 'http://%s/status/health and the overlord to list it as a worker' "$(address indexer)" ;;
        router) printf 'SELECT 1 through http://%s' "$(address router)" ;;
        superset) printf 'http://%s/health' "$(address superset)" ;;
    esac
}

healthy() {
    local pid
    running "$1" && owns_port "$(port_of "$1")" || return 1
    case $1 in
        kafka*) kafka_healthy "$1" ;;
        superset) get -o /dev/null "http://$(address superset)/health" ;;
        *) druid_healthy "$1" ;;
    esac
}

# The last lines of a log, without the inside of stack traces: the cause is in the lines between.
show_log() {
    printf -- '--- last lines of %s\n' "$state/logs/$1.log" >&2
    { grep -vE $'^\t(at|\\.\\.\\.) ' "$state/logs/$1.log" | tail -n "${2:-25}"; } >&2 || true
}

# Waits until the processes in `waiting` that are named are healthy, reporting what it waits for, and removes each
# healthy one from `waiting`. Shows the log of one that fails.
wait_for() {
    local begin=$SECONDS told=$SECONDS name left wanted
    while :; do
        left=()
        wanted=
        for name in "${waiting[@]}"; do
            if ! running "$name"; then
                show_log "$name"
                fail "$name ended: $(cause_of "$name"); what else was started still runs (stack status, stack down)"
            elif healthy "$name"; then
                say "  $name healthy after $((SECONDS - up_begin)) s, $(address "$name"), pid $pid"
            else
                left+=("$name")
                if [[ " $* " == *" $name "* ]]; then wanted=1; fi
            fi
        done
        waiting=("${left[@]}")
        [[ -n $wanted ]] || break
        if ((SECONDS - begin >= wait_s)); then
            show_log "${waiting[0]}"
            fail "${waiting[*]}: not healthy within $wait_s s (TWEETBLAST_STACK_WAIT); ${waiting[0]} should have given $(probe "${waiting[0]}")"
        fi
        if ((SECONDS - told >= say_every_s)); then
            told=$SECONDS
            say "  $((SECONDS - up_begin)) s: still starting: ${waiting[*]}"
        fi
        sleep 0.5
    done
}

# with_progress SIGN COMMAND...: a long step; every few seconds it says what the function SIGN sees of it.
with_progress() {
    local sign=$1 ticker code=0
    shift
    tick "$sign" 8>&- 9>&- </dev/null &
    ticker=$!
    "$@" || code=$?
    kill "$ticker" 2>/dev/null || true
    wait "$ticker" 2>/dev/null || true
    return "$code"
}

# logged FILE COMMAND...
logged() {
    local file=$1
    shift
    "$@" >"$file" 2>&1
}

# Waits without a child process, which would outlive it and keep its output open.
tick() {
    local sign=$1 begin=$SECONDS
    exec 7<> <(:)
    while ! read -rt "$say_every_s" -u 7 && kill -0 "$$" 2>/dev/null; do say "  $((SECONDS - begin)) s: $("$sign")"; done
}
