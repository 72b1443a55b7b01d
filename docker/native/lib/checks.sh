# What a start needs: ports, programs, memory, disk. Problems are collected in the array `problems`, and the packages
# that solve them in `packages`.
# shellcheck shell=bash disable=SC2154

# From the environment, otherwise as remembered in the state folder, otherwise the default.
load_ports() {
    local name value
    declare -gA remembered_port=()
    if [[ -r $state/ports ]]; then
        while IFS='=' read -r name value; do
            if [[ -v default_port[$name] && $value =~ ^[0-9]+$ ]]; then remembered_port[$name]=$value; fi
        done <"$state/ports"
    fi
    for name in "${!default_port[@]}"; do
        value=${!name:-${remembered_port[$name]:-${default_port[$name]}}}
        if [[ ! $value =~ ^[1-9][0-9]{0,4}$ ]] || ((value > 65535)); then
            fail "$name=$value: wanted a port between 1 and 65535"
        fi
        declare -g "$name=$value"
    done
}

# A running process keeps its ports: asking for others is an error, and must not be ignored.
check_moved() {
    local name port
    for name in "${all[@]}"; do
        running "$name" || continue
        for port in "${port_name[$name]}" ${extra_port_name[$name]:-}; do
            if [[ ${!port} != "${remembered_port[$port]:-${default_port[$port]}}" ]]; then
                fail "$name runs with $port=${remembered_port[$port]:-${default_port[$port]}}; to move it to ${!port}: stack down, then stack up"
            fi
        done
    done
}

save_ports() {
    local name
    for name in "${!default_port[@]}"; do printf '%s=%s\n' "$name" "${!name}"; done | sort >"$state/ports.part"
    mv "$state/ports.part" "$state/ports"
}

# Names each port that is taken, and the program that has it, if that can be seen.
check_ports() {
    local name port owner
    local -A used=()
    for name in "$@"; do
        for port in "${port_name[$name]}" ${extra_port_name[$name]:-}; do
            if [[ -v used[${!port}] ]]; then
                problems+=("$port and ${used[${!port}]} are both ${!port}: name another port, e.g. $port=$((${!port} + 10000))")
            elif (exec 3<>"/dev/tcp/127.0.0.1/${!port}") 2>/dev/null; then
                owner=$(ss -Hltnp "sport = :${!port}" 2>/dev/null | sed -n 's/.*users:(("\([^"]*\)",pid=\([0-9]*\).*/ by \1 (pid \2)/p' | head -n 1)
                problems+=("127.0.0.1:${!port}, wanted for $name, is taken$owner: free it, or name another port, e.g. $port=$((${!port} % 50000 + 10000))")
            fi
            used[${!port}]=$port
        done
    done
}

# The package of a JDK: 17 was tested; where it is no longer available, 21.
jdk() {
    local package
    for package in openjdk-17-jre-headless openjdk-21-jre-headless; do
        if apt-cache show "$package" >/dev/null 2>&1; then break; fi
        package=openjdk-17-jre-headless
    done
    printf '%s' "$package"
}

check_java() {
    local version
    if ! version=$("$(java_bin)" -version 2>&1); then
        missing_package "java 17 or newer is missing" "$(jdk)"
    elif [[ ! $version =~ version\ \"([0-9]+) ]] || ((BASH_REMATCH[1] < 17)); then
        missing_package "java 17 or newer is needed, this is ${version%%$'\n'*} (or set JAVA_HOME)" "$(jdk)"
    fi
}

check_python() {
    local version
    if ! version=$("$python" -c 'import sys; print("%d%02d" % sys.version_info[:2])' 2>/dev/null); then
        missing_package "python 3.10 to 3.12 is missing" python3 python3-venv
    elif ((version < 310 || version > 312)); then
        problems+=("python 3.10 to 3.12 is needed, $python is $((version / 100)).$((version % 100)): set PYTHON to another one")
    elif ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        missing_package "python's venv is missing" python3-venv
    fi
}

# check_tool PROGRAM PACKAGE
check_tool() { command -v "$1" >/dev/null || missing_package "$1 is missing" "$2"; }

# Downloads over https need it.
check_certificates() { [[ -e /etc/ssl/certs/ca-certificates.crt || ! -e /etc/debian_version ]] || missing_package "certificates are missing" ca-certificates; }

# check_disk FOLDER MB: free space on the file system the folder is or will be on.
check_disk() {
    local folder=$1 free_mb
    while [[ ! -e $folder ]]; do folder=$(dirname "$folder"); done
    free_mb=$(df -Pm "$folder" | awk 'NR == 2 { print $4 }')
    ((free_mb >= $2)) || problems+=("$2 MB of disk are needed for $1, $free_mb MB are free")
}

# Everything the named processes lack, in the array `problems`.
check_machine() {
    local name need_mb=0 free_mb cache_mb=0 state_mb=300
    local -A part=()
    for name in "$@"; do
        need_mb=$((need_mb + memory_mb[$name]))
        if is_druid "$name"; then part[druid]=1; else part[${name%[1-3]}]=1; fi
    done
    check_tool awk mawk
    check_tool flock util-linux
    if [[ -v part[kafka] || -v part[druid] ]]; then check_java; fi
    if [[ -v part[druid] || -v part[superset] ]]; then check_tool curl curl; fi
    if [[ -v part[kafka] ]] && ! jars_complete kafka; then cache_mb=$((cache_mb + 150)); fi
    if [[ -v part[druid] ]] && ! jars_complete druid; then cache_mb=$((cache_mb + 450)); fi
    if ((cache_mb)); then check_tool mvn maven; fi
    if [[ -v part[druid] ]]; then state_mb=1000; fi
    if [[ -v part[superset] ]] && ! superset_complete; then
        check_python
        cache_mb=$((cache_mb + 1200))
    fi
    free_mb=$(awk '/^MemAvailable:/ { print int($2 / 1024) }' /proc/meminfo)
    ((free_mb >= need_mb)) || problems+=("$need_mb MB of memory are needed for $*, $free_mb MB are available")
    if ((cache_mb)); then
        check_certificates
        check_disk "$cache" "$cache_mb"
    fi
    check_disk "$state" "$state_mb"
}

