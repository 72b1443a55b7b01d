# Kafka: one KRaft node, or three.
# shellcheck shell=bash disable=SC2154

start_kafka() {
    local name=$1 properties=$state/conf/$1/server.properties
    mkdir -p "$state/data/$name"
    if [[ ! -e $state/data/$name/meta.properties ]]; then format_kafka "$name"; fi
    spawn_java "$name" -Dlog4j2.configurationFile="$state/conf/kafka/log4j2.properties" \
        -cp "$kafka_jars/*" -- kafka.Kafka "$properties"
}

# The nodes of a cluster have its id in common.
format_kafka() {
    local name=$1 id
    if [[ ! -e $state/data/kafka/cluster.id ]]; then
        id=$(head -c 16 /dev/urandom | base64 | tr '+/' 'AB')
        printf '%s' "${id:0:22}" >"$state/data/kafka/cluster.id"
    fi
    kafka_tool kafka.tools.StorageTool format -t "$(cat "$state/data/kafka/cluster.id")" -c "$state/conf/$name/server.properties" \
        >"$state/logs/$name-format.log" 2>&1 || { cat "$state/logs/$name-format.log" >&2; fail "Kafka's data folder could not be formatted"; }
}

# What a node of a cluster has otherwise than a single one: of two lines for a property Kafka takes the last.
write_cluster_configuration() {
    local name id port controller voters=''
    for id in 1 2 3; do
        controller=${extra_port_name[kafka$id]}
        voters+=${voters:+,}$id@127.0.0.1:${!controller}
    done
    for id in 1 2 3; do
        name=kafka$id port=${port_name[kafka$id]} controller=${extra_port_name[kafka$id]}
        mkdir -p "$state/conf/$name"
        {
            cat "$state/conf/kafka/server.properties"
            printf '%s\n' "node.id=$id" "controller.quorum.voters=$voters" "log.dirs=$state/data/$name" \
                "listeners=PLAINTEXT://127.0.0.1:${!port},CONTROLLER://127.0.0.1:${!controller}" \
                "advertised.listeners=PLAINTEXT://127.0.0.1:${!port}" \
                default.replication.factor=3 min.insync.replicas=2 \
                {offsets.topic,transaction.state.log,share.coordinator.state.topic}.replication.factor=3 \
                {transaction.state.log,share.coordinator.state.topic}.min.isr=2
        } >"$state/conf/$name/server.properties"
    done
}

# host:port of each node, with commas.
kafka_addresses() {
    local name addresses=''
    for name in "${kafkas[@]}"; do addresses+=${addresses:+,}$(address "$name"); done
    printf '%s' "$addresses"
}

kafka_tool() {
    "$(java_bin)" -Xmx128m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 \
        -Dlog4j2.configurationFile="$docker_dir/kafka/tools-log4j2.properties" -cp "$kafka_jars/*" "$@"
}

# Whether a broker is in the metadata that it gives; of three, two are enough to lead and to write.
kafka_healthy() {
    local reply count=1
    if ((brokers > 1)); then count=2; fi
    # Metadata v1 for no topics (KIP-4); the count of brokers follows size and correlation id.
    reply=$(exchange "$(port_of "$1")" 12 '\0\0\0\x13\0\x03\0\x01\0\0\0\x01\0\x05stack\0\0\0\0' | od -An -v -tx1 | tr -d ' \n')
    [[ $reply =~ ^.{8}00000001.{8}$ ]] && ((16#${reply:16:8} >= count))
}
