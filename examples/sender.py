#!/usr/bin/env python3
"""Publishes made-up tweets over MQTT, one at a time: what a program looks like whose tweets `tweetblast bridge` brings to Kafka.

  examples/sender.py                        a tweet every 4 seconds to 127.0.0.1:1883, until Ctrl-C
  examples/sender.py --every 0.1 --count 50 --qos 1

Each message is one JSON object: timestamp, user_id, tweet. At QoS 0, the default, nobody tells the sender whether a message
arrived; at QoS 1 the bridge does, once Kafka has it. Needs paho-mqtt (pip install paho-mqtt).
"""

import argparse
import json
import os
import random
import time
from datetime import datetime, timezone

from paho.mqtt import client as mqtt

WORDS = "the a coffee train rain window late early music quiet city river book again never always today morning".split()


def tweet() -> str:
    """A tweet of a user who is one of a thousand."""
    now = datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    text = " ".join(random.choices(WORDS, k=random.randint(4, 12)))
    return json.dumps({"timestamp": now, "user_id": random.randint(1, 1000), "tweet": text.capitalize() + "."})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=1883)
    parser.add_argument("--topic", default="tweets")
    parser.add_argument("--every", type=float, default=4.0, help="seconds between two tweets (default: 4)")
    parser.add_argument("--count", type=int, help="how many (default: until Ctrl-C)")
    parser.add_argument("--qos", type=int, choices=(0, 1, 2), default=0)
    parser.add_argument("--user", help="the password is read from MQTT_PASSWORD")
    options = parser.parse_args()

    sender = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=f"sender-{random.getrandbits(32):08x}")
    if options.user:
        sender.username_pw_set(options.user, os.environ.get("MQTT_PASSWORD"))
    sender.connect(options.host, options.port)
    sender.loop_start()
    sent = 0
    try:
        while options.count is None or sent < options.count:
            if sent:
                time.sleep(options.every)
            text = tweet()
            message = sender.publish(options.topic, text, qos=options.qos)
            # At QoS 0 until it is written, above it until the bridge has answered.
            message.wait_for_publish()
            sent += 1
            print(text, flush=True)
    except KeyboardInterrupt:
        pass
    sender.disconnect()
    sender.loop_stop()


if __name__ == "__main__":
    main()
