# Kafka: one KRaft node.
# shellcheck shell=bash disable=SC2154

start_kafka() {
    if [[ ! -e $state/data/kafka/meta.properties ]]; then format_kafka; fi
    spawn_java kafka -Dlog4j2.configurationFile="$state/conf/kafka/log4j2.properties" \
        -cp "$kafka_jars/*" -- kafka.Kafka "$state/conf/kafka/server.properties"
}

format_kafka() {
    local id
    id=$(head -c 16 /dev/urandom | base64 | tr '+/' 'AB')
    kafka_tool kafka.tools.StorageTool format -t "${id:0:22}" -c "$state/conf/kafka/server.properties" \
        >"$state/logs/kafka-format.log" 2>&1 || { cat "$state/logs/kafka-format.log" >&2; fail "Kafka's data folder could not be formatted"; }
}

kafka_tool() {
    "$(java_bin)" -Xmx128m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 \
        -Dlog4j2.configurationFile="$docker_dir/kafka/tools-log4j2.properties" -cp "$kafka_jars/*" "$@"
}

kafka_healthy() {
    local reply
    # Metadata v1 for no topics (KIP-4); the count of brokers follows size and correlation id.
    reply=$(exchange "$KAFKA_PORT" 12 '\0\0\0\x13\0\x03\0\x01\0\0\0\x01\0\x05stack\0\0\0\0' | od -An -v -tx1 | tr -d ' \n')
    [[ $reply =~ ^.{8}00000001.{8}$ && $reply != *00000000 ]]
}
