# The processes of this stack: starts one detached, checks that it is still ours, ends it.
# shellcheck shell=bash disable=SC2154 # `state` and the tables are the stack script's

# When a process started, in clock ticks since boot: field 22 of /proc/PID/stat, after the name in brackets.
start_time() {
    local line fields
    { line=$(<"/proc/$1/stat"); } 2>/dev/null || return 1
    read -ra fields <<<"${line##*) }"
    [[ ${fields[0]} != Z ]] && printf '%s' "${fields[19]}"
}

# Sets `pid` to the running process NAME, or fails. A process counts as ours only if it started when the pid file says
# and carries our mark on its command line: a pid that now belongs to another process is never mistaken for it.
running() {
    local recorded_start now_start
    pid=
    [[ -r $state/run/$1.pid ]] || return 1
    read -r pid recorded_start <"$state/run/$1.pid" || return 1
    now_start=$(start_time "$pid") || return 1
    [[ $now_start == "$recorded_start" ]] && tr '\0' '\n' 2>/dev/null <"/proc/$pid/cmdline" | grep -qF -- "=$state/run/$1"
}

# Starts COMMAND as process NAME, detached from this terminal, with output to its log. The previous run's log is kept.
spawn() {
    local name=$1 log=$state/logs/$1.log started
    shift
    if [[ -e $log ]]; then mv "$log" "$log.1"; fi
    # exec'd in place (setsid needs no fork here), so $! is the program itself.
    (cd "$state" && exec setsid "$@") >"$log" 2>&1 </dev/null 9>&- &
    pid=$!
    started=$(start_time "$pid") || fail "$name ended at once; see $log"
    printf '%s %s\n' "$pid" "$started" >"$state/run/$name.pid"
    # Between fork and exec the command line is still this script's.
    for _ in {1..100}; do
        running "$name" && break
        sleep 0.02
    done
    disown "$pid" 2>/dev/null || true
}

# Whether NAME ended without having been told to: then its pid file is still there.
died() { [[ -e $state/run/$1.pid ]] && ! running "$1"; }

# Why a process ended, as far as its log says.
cause_of() {
    local line
    line=$(grep -aE 'OutOfMemoryError|Terminating due to|FATAL|Address already in use|No space left' "$state/logs/$1.log" 2>/dev/null | tail -n 1 || true)
    printf '%s' "${line:-the log does not say why}" | cut -c 1-160
}

java_bin() { if [[ -n ${JAVA_HOME:-} ]]; then printf '%s' "$JAVA_HOME/bin/java"; else printf 'java'; fi; }

# spawn_java NAME OPTIONS... -- MAIN ARGS...
spawn_java() {
    local name=$1 options=() memory own
    shift
    while [[ $1 != -- ]]; do options+=("$1"); shift; done
    shift
    memory=${name^^}_JVM own=${name^^}_JAVA_OPTS
    # shellcheck disable=SC2086 # options are words
    spawn "$name" "$(java_bin)" ${!memory} $ALL_JVM -Djava.io.tmpdir="$state/tmp" \
        -Dtweetblast.process="$state/run/$name" "${options[@]}" ${!own:-} "$@"
}

start() {
    case $1 in
        kafka*) start_kafka "$1" ;;
        zookeeper) start_zookeeper ;;
        superset) start_superset ;;
        *) start_druid "$1" ;;
    esac
}

# Whether a process has closed its files, its port among them. It has no command line any more long before that, and its
# main thread, which only waits to be asked for its exit code, is often done before the others.
ended() {
    local threads
    threads=("/proc/$1/task/"*)
    ((${#threads[@]} == 1)) && ! start_time "$1" >/dev/null
}

stop() {
    local name=$1 signal=$2 i stopped
    if running "$name"; then
        stopped=$pid
        kill "-$signal" "$pid" 2>/dev/null || true
        for ((i = 0; i < 300; i++)); do
            ended "$stopped" && break
            sleep 0.1
        done
        if running "$name"; then
            kill -KILL "$pid" 2>/dev/null || true
            say "  $name (pid $pid) did not end within 30 s: killed"
        else
            say "  $name ended"
        fi
    fi
    rm -f "$state/run/$name.pid"
}

port_of() { local port=${port_name[$1]}; printf '%s' "${!port}"; }
address() { printf '127.0.0.1:%s' "$(port_of "$1")"; }

# Resident memory of a process and its children (Superset's work is done by one) in MB.
rss_mb() {
    local children
    read -ra children <<<"$(cat "/proc/$1/task/"*/children 2>/dev/null | tr '\n' ' ')"
    children=("${children[@]/#//proc/}")
    children=("${children[@]/%//status}")
    awk '/^VmRSS:/ { kb += $2 } END { print int(kb / 1024) }' "/proc/$1/status" "${children[@]}" 2>/dev/null
}

