# `stack demo`: everything up, and tweets arriving in the dashboards until Ctrl-C.
# shellcheck shell=bash disable=SC2154

repository=$(dirname "$docker_dir")
rust_version=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' "$repository/Cargo.toml")
build_time="5 to 12 minutes on two cores, of which the last crate alone takes two to four"

# Sets `program`, or leaves it empty if it has to be built.
find_tweetblast() {
    program=${TWEETBLAST:-$(command -v tweetblast || true)}
    if [[ -z $program && -x $repository/target/release/tweetblast ]]; then program=$repository/target/release/tweetblast; fi
    if [[ -n ${TWEETBLAST:-} && ! -x $TWEETBLAST ]]; then problems+=("TWEETBLAST=$TWEETBLAST is no program"); fi
    [[ -z $program ]] || return 0
    check_rust
    check_tool c++ build-essential
    check_tool make build-essential
    check_disk "$repository" 2000
}

# Debian's own Rust is too old, or soon will be: rustup has the newest one.
check_rust() {
    local version how="see https://rustup.rs, or set TWEETBLAST to a program that is built already"
    if ! version=$(cargo --version 2>/dev/null); then
        problems+=("Rust $rust_version or newer is missing, which builds tweetblast: $how")
    elif [[ ! $version =~ ^cargo\ 1\.([0-9]+) ]] || ((BASH_REMATCH[1] < ${rust_version#1.})); then
        problems+=("Rust $rust_version or newer is needed to build tweetblast, this is $version: $how")
    fi
}

build_tweetblast() {
    local begin=$SECONDS
    say "building tweetblast with cargo: $build_time"
    cargo build --release --locked --manifest-path "$repository/Cargo.toml" 9>&- || fail "tweetblast could not be built"
    program=$repository/target/release/tweetblast
    say "  done in $((SECONDS - begin)) s"
}

# Ends the replay like Ctrl-C in its own terminal: it still drains and reports. A second signal ends it at once.
end_replay() { kill -INT "$replay" 2>/dev/null || true; }

rows_of_run() { druid_sql "SELECT COUNT(*) FROM tweets WHERE run = '$run'" || printf 0; }

# The id of the run, from the first line of the plan; notes on a table of users come before it.
run_of() { sed -n 's/^tweetblast \([^ ]*\)$/\1/p' "$1" | head -n 1; }

# Waits until tweets of the run can be queried, or the replay has ended. What the replay says of Druid meanwhile is shown,
# and every few seconds what the wait is for.
until_live() {
    local begin=$SECONDS told=$SECONDS line shown=''
    until [[ -n $run ]] && rows=$(rows_of_run) && ((rows > 0)); do
        kill -0 "$replay" 2>/dev/null || return 0
        run=$(run_of "$log")
        line=$(grep -a '^  druid ' "$log" | tail -n 1 || true)
        if [[ $line != "$shown" || $((SECONDS - told)) -ge say_every_s ]]; then
            told=$SECONDS shown=$line
            say "  $((SECONDS - begin)) s: ${line:-the replay reads its files}"
        fi
        revive
        sleep 0.5
    done
}

# Starts again what died, and says why it did and when it is healthy again. Not what a command of the stack ended, and
# no process more than five times: then something is wrong that a start does not mend.
declare -A deaths=() returning=()
revive() {
    local name
    for name in "${all[@]}"; do
        if [[ -v returning[$name] ]] && healthy "$name"; then
            say "stack: $name is healthy again, $((SECONDS - returning[$name])) s after it was started"
            unset "returning[$name]"
        fi
        died "$name" && ((${deaths[$name]:-0} < 6)) || continue
        deaths[$name]=$((${deaths[$name]:-0} + 1))
        if ((deaths[$name] > 5)); then
            say "stack: $name died once more: $(cause_of "$name"). It stays down; see: $here/stack logs $name"
            continue
        fi
        say "stack: $name died: $(cause_of "$name"). It is started again"
        returning[$name]=$SECONDS
        (lock && if died "$name"; then start "$name"; fi) || true
    done
}

# Starts the replay with these arguments, or with tweets made up for it, in a session of its own: Ctrl-C reaches it once, from
# here.
start_replay() {
    export TWEETBLAST_DASHBOARD
    TWEETBLAST_DASHBOARD=$(dashboard_of_run)
    if (($# == 0)); then
        # As many tweets as data/tweets.json has, but of a week: the dashboard shows the hours in which they were written.
        "$program" generate --rate 36/h -o "$state/week.json" --users-file "$state/users.csv" --force >/dev/null 2>"$log" ||
            { cat "$log" >&2; fail "no tweets for the demo"; }
        set -- "$state/week.json" --enrich "$state/users.csv" --rate 20/s --loop forever
    fi
    say "replaying: tweetblast $* --kafka $(address kafka) --druid http://$(address router)"
    : >"$log"
    setsid "$program" "$@" --kafka "$(address kafka)" --druid "http://$(address router)" >"$log" 2>&1 </dev/null 9>&- &
    replay=$!
    trap leave EXIT
}

# Says when the first tweets of the run can be queried, while something else is still to start.
tell_first_tweets() {
    until run=$(run_of "$log") && [[ -n $run ]] && rows=$(rows_of_run) && ((rows > 0)); do
        kill -0 "$replay" 2>/dev/null || return 0
        sleep 1
    done
    say "  the first tweets can be queried, $((SECONDS - begin)) s after the start: http://$(address router)"
}

# On the way out, whatever the reason.
leave() {
    end_replay
    wait "$replay" 2>/dev/null || true
    say "the stack is still up; to end it: $here/stack down"
}

cmd_demo() {
    local begin=$SECONDS up_begin=$SECONDS new_password='' missing=() waiting=() problems=() program run='' rows log=$state/logs/demo.log
    local name first=() last=() shown code=0
    plan_up kafka druid superset
    find_tweetblast
    if ((${#missing[@]})); then
        check_machine "${missing[@]}"
        check_ports "${missing[@]}"
    fi
    stop_at_problems
    if [[ -z $program ]]; then build_tweetblast; fi
    fetch "${missing[@]}"
    for name in "${missing[@]}"; do if [[ $name == superset ]]; then last+=("$name"); else first+=("$name"); fi; done
    # A replay mostly waits until Druid has tasks for it: Superset starts meanwhile.
    missing=("${first[@]}")
    if ((${#missing[@]})); then start_missing; elif ((${#waiting[@]})); then wait_for "${waiting[@]}"; fi
    start_replay "$@"
    missing=("${last[@]}")
    if ((${#missing[@]})); then
        tell_first_tweets 9>&- &
        start_missing
    fi
    exec 9>&- # Other stack commands may go on meanwhile.
    trap end_replay INT TERM
    until_live
    if kill -0 "$replay" 2>/dev/null; then
        say "live $((SECONDS - begin)) s after the start: $rows tweets of run $run are in Druid, more arrive"
        say
        show_superset
        if [[ -z $new_password ]]; then say "login: admin, with the password of the first start or SUPERSET_ADMIN_PASSWORD"; fi
        say "Ctrl-C ends the replay; the stack stays up until: $here/stack down"
        say
    fi
    tail -n +1 -f --pid="$replay" "$log" &
    shown=$!
    # Ctrl-C interrupts `wait`, but not the process it waits for.
    while kill -0 "$replay" 2>/dev/null; do
        revive
        sleep 2 &
        wait "$!" || true
    done
    wait "$replay" && code=0 || code=$?
    wait "$shown" || true
    return "$code"
}
