import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** What the Java client sees of a Kafka: one line a check, "name: what came". */
public class Conformance {
    static String bootstrap;
    static String topic;
    static TopicPartition zero;
    static final int COUNT = 20_000;

    static Properties properties(String... pairs) {
        Properties all = new Properties();
        all.put("bootstrap.servers", bootstrap);
        all.put("key.deserializer", StringDeserializer.class.getName());
        all.put("value.deserializer", StringDeserializer.class.getName());
        all.put("key.serializer", StringSerializer.class.getName());
        all.put("value.serializer", StringSerializer.class.getName());
        all.put("default.api.timeout.ms", "20000");
        all.put("request.timeout.ms", "15000");
        for (int i = 0; i < pairs.length; i += 2) all.put(pairs[i], pairs[i + 1]);
        return all;
    }

    static KafkaConsumer<String, String> consumer(String... pairs) {
        Properties all = properties(pairs);
        all.putIfAbsent("auto.offset.reset", "earliest");
        all.putIfAbsent("enable.auto.commit", "false");
        return new KafkaConsumer<>(all);
    }

    static void check(String name, Callable<Object> run) {
        String came;
        try {
            came = String.valueOf(run.call());
        } catch (ExecutionException e) {
            came = e.getCause().getClass().getSimpleName();
        } catch (Throwable e) {
            came = e.getClass().getSimpleName();
        }
        System.out.println(name + ": " + came);
    }

    /** Polls until so many records came; the first one's offset, and whether they follow each other. */
    static List<ConsumerRecord<String, String>> poll(KafkaConsumer<String, String> consumer, int count) {
        List<ConsumerRecord<String, String>> all = new ArrayList<>();
        long end = System.currentTimeMillis() + 60_000;
        while (all.size() < count && System.currentTimeMillis() < end) {
            consumer.poll(Duration.ofMillis(200)).forEach(all::add);
        }
        return all;
    }

    static boolean inOrder(List<ConsumerRecord<String, String>> records) {
        Map<Integer, Long> next = new HashMap<>();
        for (ConsumerRecord<String, String> r : records) {
            Long expected = next.put(r.partition(), r.offset() + 1);
            if (expected != null && expected != r.offset()) return false;
        }
        return true;
    }

    public static void main(String[] args) {
        bootstrap = args[0];
        topic = "java-" + System.currentTimeMillis();
        zero = new TopicPartition(topic, 0);
        String group = topic + "-group";
        try (Admin admin = Admin.create(properties())) {
            check("createTopics", () -> {
                admin.createTopics(List.of(new NewTopic(topic, Optional.of(3), Optional.empty()))).all().get();
                return "made";
            });
            check("createTopics again", () ->
                admin.createTopics(List.of(new NewTopic(topic, 3, (short) 1))).all().get());
            check("describeCluster", () -> admin.describeCluster().nodes().get().size() + " node");
            check("describeTopics", () -> {
                var found = admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic);
                return found.partitions().size() + " partitions, leader " + found.partitions().get(0).leader().id();
            });
            check("describeConfigs", () -> {
                var resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
                return admin.describeConfigs(List.of(resource)).all().get().get(resource).get("cleanup.policy").value();
            });
            check("default producer", () -> {
                try (var producer = new KafkaProducer<String, String>(properties("compression.type", "lz4"))) {
                    for (int i = 0; i < COUNT; i++) {
                        producer.send(new ProducerRecord<>(topic, 0, 1_000L + i, "k" + i, "value " + i));
                    }
                    producer.flush();
                    var last = producer.send(new ProducerRecord<>(topic, 1, "k", "v")).get();
                    return "offset " + last.offset() + " in partition " + last.partition();
                }
            });
            for (String compression : List.of("none", "gzip", "snappy", "zstd")) {
                check(compression, () -> {
                    var name = topic + "-" + compression;
                    admin.createTopics(List.of(new NewTopic(name, 1, (short) 1))).all().get();
                    var settings = properties("compression.type", compression, "linger.ms", "20");
                    try (var producer = new KafkaProducer<String, String>(settings)) {
                        for (int i = 0; i < 1_000; i++) {
                            producer.send(new ProducerRecord<>(name, 0, 1_000L + i, null, "value " + i));
                        }
                    }
                    var partition = new TopicPartition(name, 0);
                    try (var consumer = consumer()) {
                        consumer.assign(List.of(partition));
                        var records = poll(consumer, 1_000);
                        var at = consumer.offsetsForTimes(Map.of(partition, 1_777L)).get(partition);
                        return records.size() + " in order " + inOrder(records) + ", 1777 ms at " + at.offset();
                    }
                });
            }
            try (var consumer = consumer("isolation.level", "read_committed")) {
                check("partitionsFor", () -> consumer.partitionsFor(topic).size());
                check("beginningOffsets", () -> consumer.beginningOffsets(List.of(zero)).get(zero));
                check("endOffsets", () -> consumer.endOffsets(List.of(zero)).get(zero));
                check("read", () -> {
                    consumer.assign(List.of(zero));
                    var records = poll(consumer, COUNT);
                    return records.size() + " in order " + inOrder(records) + ", position " + consumer.position(zero);
                });
                check("seek", () -> {
                    consumer.seek(zero, 12_345);
                    return poll(consumer, 1).get(0).value();
                });
                check("beyond the end", () -> {
                    consumer.seek(zero, 10L * COUNT);
                    return poll(consumer, 1).get(0).offset();
                });
                check("offsetsForTimes", () -> {
                    var found = consumer.offsetsForTimes(Map.of(zero, 5_000L)).get(zero);
                    return found.offset() + " at " + found.timestamp();
                });
            }
            check("listOffsets, greatest time", () -> {
                var found = admin.listOffsets(Map.of(zero, OffsetSpec.maxTimestamp())).partitionResult(zero).get();
                return found.offset() + " at " + found.timestamp();
            });
            try (var one = consumer("group.id", group); var two = consumer("group.id", group)) {
                check("two in a group", () -> {
                    one.subscribe(List.of(topic));
                    two.subscribe(List.of(topic));
                    long end = System.currentTimeMillis() + 60_000;
                    while (one.assignment().size() + two.assignment().size() != 3
                            || one.assignment().isEmpty() || two.assignment().isEmpty()) {
                        if (System.currentTimeMillis() > end) return "no agreement";
                        one.poll(Duration.ofMillis(100));
                        two.poll(Duration.ofMillis(100));
                    }
                    return new TreeSet<>(List.of(one.assignment().size(), two.assignment().size()));
                });
                check("describeConsumerGroups", () -> {
                    var found = admin.describeConsumerGroups(List.of(group)).all().get().get(group);
                    return found.groupState() + ", " + found.members().size() + " members";
                });
                check("commitSync", () -> {
                    var holder = one.assignment().contains(zero) ? one : two;
                    holder.commitSync(Map.of(zero, new OffsetAndMetadata(777, "note")));
                    return holder.committed(java.util.Set.of(zero)).get(zero).offset();
                });
            }
            check("go on", () -> {
                try (var consumer = consumer("group.id", group)) {
                    consumer.subscribe(List.of(topic));
                    return poll(consumer, COUNT - 777 + 1).stream()
                        .filter(r -> r.partition() == 0).mapToLong(ConsumerRecord::offset).min().getAsLong();
                }
            });
            check("listConsumerGroupOffsets", () -> {
                var found = admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get().get(zero);
                return found.offset() + " " + found.metadata();
            });
            check("listGroups", () ->
                admin.listGroups().all().get().stream().filter(g -> g.groupId().equals(group)).count());
            check("deleteConsumerGroups", () -> {
                admin.deleteConsumerGroups(List.of(group)).all().get();
                return "gone";
            });
            check("static member", () -> {
                try (var consumer = consumer("group.id", group + "-s", "group.instance.id", "one")) {
                    consumer.subscribe(List.of(topic));
                    return poll(consumer, 1).size() > 0 ? "reads" : "reads nothing";
                }
            });
            check("transactions", () -> {
                try (var producer = new KafkaProducer<String, String>(properties("transactional.id", topic))) {
                    producer.initTransactions();
                    producer.beginTransaction();
                    producer.send(new ProducerRecord<>(topic, 2, "k", "v"));
                    producer.commitTransaction();
                    return "committed";
                }
            });
            check("deleteTopics", () -> {
                admin.deleteTopics(List.of(topic)).all().get();
                return "gone";
            });
        }
        System.exit(0);
    }
}
