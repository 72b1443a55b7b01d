"""The seed's bridge: an MQTT subscriber that hands each message to a Kafka producer, until it is told to end."""

import signal
import sys

import confluent_kafka
import paho.mqtt.client as mqtt

port, brokers, topic = int(sys.argv[1]), sys.argv[2], sys.argv[3]
producer = confluent_kafka.Producer({
    "bootstrap.servers": brokers, "acks": "all", "enable.idempotence": True, "compression.type": "lz4", "linger.ms": 5,
})


def forward(_client, _data, message):
    while True:
        try:
            producer.produce(topic, message.payload)
            break
        except BufferError:
            producer.poll(0.01)
    producer.poll(0)


client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
client.on_message = forward
client.on_connect = lambda *_: client.subscribe("tweets")
client.on_subscribe = lambda *_: print("ready", flush=True)
client.connect("127.0.0.1", port)
signal.signal(signal.SIGTERM, lambda *_: client.disconnect())
client.loop_forever()
producer.flush()
