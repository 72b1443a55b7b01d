# Downloads, and the configuration that is made from the templates in docker/.
# shellcheck shell=bash disable=SC2154

# A digest of what determines the jars of PART: when it changes they are fetched again.
stamp() { cat "$here/poms/$1.xml"; printf 'kafka %s log4j %s druid %s\n' "$KAFKA_VERSION" "$LOG4J_VERSION" "$DRUID_VERSION"; }

jar_folder() { if [[ $1 = kafka ]]; then printf '%s' "$kafka_jars"; else printf '%s' "$druid_jars"; fi; }

jars_complete() { [[ $(stamp "$1") == "$(cat "$(jar_folder "$1")/stamp" 2>/dev/null)" ]]; }

folder_mb() { { du -sm "$1" 2>/dev/null || echo 0; } | cut -f 1; }

maven_progress() { printf 'Maven has %s MB, of about 280 for Kafka and Druid together' "$(folder_mb "$cache/m2")"; }

# Fetches the jars of PART with Maven, once.
fetch_jars() {
    local part=$1 folder begin=$SECONDS
    jars_complete "$part" && return
    folder=$(jar_folder "$part")
    say "fetching the jars of $part with Maven into $folder"
    rm -rf "$folder.part" "$folder"
    with_progress maven_progress logged "$cache/maven-$part.log" "$docker_dir/jars" "$part" "$folder.part" -Dmaven.repo.local="$cache/m2" ||
        { tail -n 25 "$cache/maven-$part.log" >&2; fail "Maven could not fetch the jars of $part (the whole log: $cache/maven-$part.log)"; }
    stamp "$part" >"$folder.part/stamp"
    mv "$folder.part" "$folder"
    say "  done in $((SECONDS - begin)) s"
}

# One download at a time, whatever number of stacks share the cache.
fetch() {
    local name
    mkdir -p "$cache"
    (
        flock 8
        for name in "$@"; do
            case $name in
                kafka*) fetch_jars kafka ;;
                superset) fetch_superset ;;
                *) fetch_jars druid ;;
            esac
        done
    ) 8>"$cache/lock"
}

write_configuration() (
    for name in "${!default_port[@]}"; do export "${name?}"; done
    export KAFKA_CONTROLLER_ADDRESS=127.0.0.1:$KAFKA_CONTROLLER_PORT
    export KAFKA_LISTENERS=PLAINTEXT://127.0.0.1:$KAFKA_PORT,CONTROLLER://$KAFKA_CONTROLLER_ADDRESS
    export KAFKA_ADVERTISED_LISTENERS=PLAINTEXT://127.0.0.1:$KAFKA_PORT
    export KAFKA_DATA_DIR=$state/data/kafka
    export KAFKA_AUTO_CREATE_TOPICS=${KAFKA_AUTO_CREATE_TOPICS:-false}
    export KAFKA_DEFAULT_PARTITIONS=${KAFKA_DEFAULT_PARTITIONS:-1}
    export ZOOKEEPER_DATA_DIR=$state/data/zookeeper ZOOKEEPER_LISTEN_HOST=127.0.0.1
    export ZOOKEEPER_ADDRESS=127.0.0.1:$ZOOKEEPER_PORT
    export DERBY_ADDRESS=127.0.0.1:$DERBY_PORT DERBY_LISTEN_HOST=127.0.0.1
    export DRUID_HOST=127.0.0.1 DRUID_DATA_DIR=$state/data/druid DRUID_EXTENSIONS_DIR=$druid_jars/extensions
    export DRUID_WORKER_CAPACITY=${DRUID_WORKER_CAPACITY:-4}
    export DRUID_ROUTER_ADDRESS=127.0.0.1:$DRUID_ROUTER_PORT
    for name in kafka zookeeper druid superset/bundle; do "$docker_dir/render" "$docker_dir/$name" "$state/conf/$name"; done
    # Of two lines for a property Kafka takes the last.
    if [[ -n ${KAFKA_PROPERTIES:-} ]]; then cat -- "$KAFKA_PROPERTIES" >>"$state/conf/kafka/server.properties"; fi
    if ((brokers > 1)); then write_cluster_configuration; fi
)

