# `stack setup`: what a machine lacks for the demo, and installing it.
# shellcheck shell=bash disable=SC2154

# missing_package WORDS PACKAGE...: a problem that packages of Debian solve, in the arrays `problems` and `packages`.
missing_package() {
    local words=$1 package
    shift
    problems+=("$words: apt-get install $*")
    for package in "$@"; do if [[ " ${packages[*]} " != *" $package "* ]]; then packages+=("$package"); fi; done
}

# All that `demo` needs on this machine.
check_all() {
    problems=() packages=()
    check_machine "${all[@]}"
    find_tweetblast
}

show_problems() { printf '  %s\n' "${problems[@]}"; }

as_root() {
    if ((EUID == 0)); then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        fail "only root may install packages: run stack setup as root, or install sudo"
    fi
}

install_packages() {
    local begin=$SECONDS
    as_root apt-get update -q
    # Through env: sudo keeps no environment.
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${packages[@]}"
    say "installed in $((SECONDS - begin)) s"
}

cmd_setup() {
    local yes='' answer='' problems=() packages=() program=''
    case ${1:-} in
        '') ;;
        -y | --yes) yes=1 ;;
        *) usage_error "setup takes --yes and nothing else" ;;
    esac
    check_all
    if ((${#packages[@]})); then
        say "missing here:"
        show_problems
        command -v apt-get >/dev/null || fail "no apt-get on this system: install these by its own means, then run stack setup again"
        if [[ -z $yes ]]; then
            [[ -t 0 ]] || fail "nothing was installed: stack setup --yes installs ${packages[*]}"
            read -rp "Install ${packages[*]}? [y/N] " answer
            [[ $answer == [yY]* ]] || fail "nothing was installed"
        fi
        install_packages
        hash -r
        check_all
    fi
    if ((${#problems[@]})); then
        say "still missing:"
        show_problems
        fail "not ready"
    fi
    say "ready: docker/native/stack demo"
    say "  it downloads Kafka, Druid and Superset the first time, about 1.3 GB$([[ -n $program ]] || printf ', and builds tweetblast, %s' "$build_time")"
}
