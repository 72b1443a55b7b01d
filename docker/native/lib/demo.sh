# `stack demo`: everything up, and tweets arriving in the dashboards until Ctrl-C.
# shellcheck shell=bash disable=SC2154

repository=$(dirname "$docker_dir")
rust_version=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' "$repository/Cargo.toml")
build_time="5 to 7 minutes on two cores, of which the last crate alone takes two"

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

cmd_demo() {
    local begin=$SECONDS up_begin=$SECONDS new_password='' missing=() waiting=() problems=() program run='' rows replay log=$state/logs/demo.log code=0
    plan_up kafka druid superset
    find_tweetblast
    if ((${#missing[@]})); then
        check_machine "${missing[@]}"
        check_ports "${missing[@]}"
    fi
    stop_at_problems
    if [[ -z $program ]]; then build_tweetblast; fi
    if ((${#missing[@]})); then start_missing; elif ((${#waiting[@]})); then wait_for "${waiting[@]}"; fi
    exec 9>&- # Other stack commands may go on meanwhile.
    export TWEETBLAST_DASHBOARD
    TWEETBLAST_DASHBOARD=$(dashboard_of_run)
    if (($# == 0)); then
        # The sample is the default output of `generate`; this makes its users.
        "$program" generate -o - --users-file "$state/users.csv" --force >/dev/null 2>"$log" || { cat "$log" >&2; fail "no users for the sample"; }
        set -- "$repository/data/tweets.json" --enrich "$state/users.csv" --rate 20/s --loop forever
    fi
    say "replaying: tweetblast $* --kafka $(address kafka) --druid http://$(address router)"
    # In a separate session, so that Ctrl-C reaches it once, from here.
    : >"$log"
    setsid "$program" "$@" --kafka "$(address kafka)" --druid "http://$(address router)" >"$log" 2>&1 </dev/null &
    replay=$!
    trap end_replay INT TERM
    until [[ -n $run ]] && rows=$(rows_of_run) && ((rows > 0)); do
        if ! kill -0 "$replay" 2>/dev/null; then break; fi
        run=$(run_of "$log")
        sleep 0.5
    done
    if kill -0 "$replay" 2>/dev/null; then
        say "live $((SECONDS - begin)) s after the start: $rows tweets of run $run are in Druid, more arrive"
        say
        show_superset
        if [[ -z $new_password ]]; then say "login: admin, with the password of the first start or SUPERSET_ADMIN_PASSWORD"; fi
        say "Ctrl-C ends the replay; the stack stays up until: $here/stack down"
        say
    fi
    tail -n +1 -f --pid="$replay" "$log" &
    # Ctrl-C interrupts `wait`, but not the process it waits for.
    while kill -0 "$replay" 2>/dev/null; do wait "$replay" && code=0 || code=$?; done
    wait
    say "the stack is still up; to end it: $here/stack down"
    return "$code"
}
