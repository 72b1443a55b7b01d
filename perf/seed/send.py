"""The seed's sender at full speed: reads tweets of API v1.1, a JSON object a line, and publishes each as small JSON."""

import json
import sys
import threading

import paho.mqtt.client as mqtt

port, path = int(sys.argv[1]), sys.argv[2]
connected = threading.Event()
client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
client.on_connect = lambda *_: connected.set()
client.max_queued_messages_set(0)
client.connect("127.0.0.1", port)
client.loop_start()
connected.wait(10)
last = None
with open(path) as lines:
    for line in lines:
        tweet = json.loads(line)
        if "user" not in tweet:
            continue  # a notice of the stream
        payload = {"timestamp": tweet["created_at"], "user_id": tweet["user"]["id"], "tweet": tweet["text"]}
        last = client.publish("tweets", json.dumps(payload))
last.wait_for_publish()
client.disconnect()
client.loop_stop()
