"""As much of MQTT 3.1.1 as a publisher needs that is to send faster than the libraries do: packets made ahead, many written at
once, acknowledgements counted.

  mqtt_client.py PORT QOS COUNT      publishes as many messages of 250 bytes, over four connections, and prints the seconds
"""

import json
import random
import select
import socket
import struct
import sys
import time

CONNACK, PUBACK = 0x20, 0x40


def text(words):
    words = words.encode() if isinstance(words, str) else words
    return struct.pack(">H", len(words)) + words


def packet(first, body):
    length, rest = b"", len(body)
    while True:
        rest, digit = divmod(rest, 128)
        length += bytes([digit | (0x80 if rest else 0)])
        if not rest:
            return bytes([first]) + length + body


def connect(port, client_id, timeout_s=10, keep_alive_s=0):
    """A connection on which the broker has said yes."""
    stream = socket.create_connection(("127.0.0.1", port), timeout_s)
    stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    body = text("MQTT") + bytes([4, 2]) + struct.pack(">H", keep_alive_s) + text(client_id)
    stream.sendall(packet(0x10, body))
    answer = b""
    while len(answer) < 4:
        piece = stream.recv(4 - len(answer))
        if not piece:
            raise ConnectionError("the broker closed the connection")
        answer += piece
    if answer[0] != CONNACK or answer[3]:
        raise ConnectionError(f"the broker refuses: {answer.hex()}")
    return stream


def publish(topic, payload, qos=0, number=0):
    """The packet of one message; `number` is its packet id."""
    return packet(0x30 | qos << 1, text(topic) + (struct.pack(">H", number) if qos else b"") + payload)


def payload(number, length):
    """A JSON object of this many bytes with a number, a user, and text that is of no use to a compressor."""
    head = json.dumps({"number": number, "user_id": number % 1000, "tweet": ""})[:-2]
    letters = random.Random(number).choices("abcdefghijklmnopqrstuvwxyz     ", k=max(0, length - len(head) - 2))
    return (head + "".join(letters) + '"}').encode()


class Acknowledgements:
    """The packet ids that a broker acknowledges; it sends nothing else to a publisher at QoS 1."""

    def __init__(self):
        self.rest = b""

    def read(self, stream):
        """Those of what has come, which may be none; an error if the connection is gone."""
        piece = stream.recv(65536)
        if not piece:
            raise ConnectionError("the broker closed the connection")
        data = self.rest + piece
        whole = len(data) // 4 * 4
        self.rest = data[whole:]
        ids = []
        for at in range(0, whole, 4):
            first, _, number = struct.unpack_from(">BBH", data, at)
            if first != PUBACK:
                raise ConnectionError(f"not a PUBACK: {first:#x}")
            ids.append(number)
        return ids


# Of `publish_all`: connections, messages without an answer on each, messages written at once.
CONNECTIONS, WINDOW, CHUNK = 4, 1_000, 100


def chunks(first, count, qos):
    """Messages as bytes, a hundred at a time, and how many they are; made before the clock starts."""
    bodies = [payload(first + at, 250) for at in range(200)]
    parts = [range(at, min(at + CHUNK, count)) for at in range(0, count, CHUNK)]
    return [(b"".join(publish("tweets", bodies[number % 200], qos, number % 65535 + 1) for number in part), len(part)) for part in parts]


def publish_all(port, qos, count):
    """Seconds from the first message to the last, or at QoS 1 to its acknowledgement."""
    streams = [connect(port, f"fast-{number}", timeout_s=60) for number in range(CONNECTIONS)]
    left = {stream: chunks(number * 1000, count // CONNECTIONS, qos)[::-1] for number, stream in enumerate(streams)}
    unanswered, answers = dict.fromkeys(streams, 0), {stream: Acknowledgements() for stream in streams}
    began = time.monotonic()
    while any(left.values()) or any(unanswered.values()):
        may_write = [stream for stream in streams if left[stream] and unanswered[stream] + CHUNK <= WINDOW]
        may_read = [stream for stream in streams if unanswered[stream]]
        readable, writable, _ = select.select(may_read, may_write, [], 60)
        if not readable and not writable:
            raise TimeoutError("the broker neither reads nor answers")
        for stream in readable:
            unanswered[stream] -= len(answers[stream].read(stream))
        for stream in writable:
            data, messages = left[stream].pop()
            stream.sendall(data)
            unanswered[stream] += messages if qos else 0
    took = time.monotonic() - began
    for stream in streams:
        stream.sendall(packet(0xE0, b""))
    return took


if __name__ == "__main__":
    print(publish_all(*map(int, sys.argv[1:4])))
