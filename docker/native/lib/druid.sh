# ZooKeeper, which comes with Druid's jars, and Druid's processes.
# shellcheck shell=bash disable=SC2154

start_zookeeper() {
    spawn_java zookeeper -Dlog4j.configurationFile="$state/conf/druid/_common/log4j2.properties" \
        -cp "$druid_jars/lib/*" -- org.apache.zookeeper.server.quorum.QuorumPeerMain "$state/conf/zookeeper/zoo.cfg"
}

start_druid() {
    # shellcheck disable=SC2086 # options are words
    spawn_java "$1" $DRUID_OPENS -Djava.util.logging.manager=org.apache.logging.log4j.jul.LogManager \
        -Dlog4j.configurationFile="$state/conf/druid/_common/log4j2.properties" \
        -Dderby.system.home="$state/data/derby" -Dderby.stream.error.file="$state/logs/derby.log" \
        -cp "$state/conf/druid/_common:$state/conf/druid/$1:$druid_jars/lib/*" \
        -- org.apache.druid.cli.Main server "$1"
}

worker_listed() { [[ $(get "http://$(address coordinator)/druid/indexer/v1/workers") == *"\"$(address indexer)\""* ]]; }

# A neighbour is checked only where it runs, so that one process can be started or killed separately.
druid_healthy() {
    case $1 in
        zookeeper) [[ $(exchange "$ZOOKEEPER_PORT" 4096 srvr | tr -d '\0') == *Mode:* ]] ;;
        coordinator)
            get -o /dev/null "http://$(address coordinator)/druid/indexer/v1/isLeader" || return 1
            if running indexer; then worker_listed || return 1; fi
            running router || return 0
            get -o /dev/null "http://$(address router)/druid/indexer/v1/supervisor"
            ;;
        broker | historical) get -o /dev/null "http://$(address "$1")/druid/$1/v1/readiness" ;;
        indexer)
            get -o /dev/null "http://$(address indexer)/status/health" || return 1
            running coordinator || return 0
            worker_listed
            ;;
        router)
            get -o /dev/null "http://$(address router)/status/health" || return 1
            running broker || return 0
            druid_sql 'SELECT 1' >/dev/null
            ;;
    esac
}

# One query through the router; the answer is CSV. The query must not contain double quotes.
druid_sql() { get -H 'Content-Type: application/json' -d "{\"query\":\"$1\",\"resultFormat\":\"csv\"}" "http://$(address router)/druid/v2/sql"; }
