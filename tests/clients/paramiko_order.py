"""Asks for many pieces of a file at once, large and small in turn, and tells in which order the answers came.

Arguments: host, port, login, private key, the server's public key, path.
Standard output: a JSON list with the places of the answers' requests, in the order of the answers.
"""

import base64
import json
import struct
import sys

import paramiko
from paramiko.sftp import CMD_DATA, CMD_READ, int64

PIECES = 400
LARGE_BYTES, SMALL_BYTES = 131072, 1

host, port, login, key, host_key, path = sys.argv[1:]
kind, encoded = open(host_key, encoding="ascii").read().split()[:2]
client = paramiko.SSHClient()
trusted = paramiko.PKey.from_type_string(kind, base64.b64decode(encoded))
client.get_host_keys().add(f"[{host}]:{port}", kind, trusted)
client.set_missing_host_key_policy(paramiko.RejectPolicy())
client.connect(
    host, port=int(port), username=login, key_filename=key, allow_agent=False, look_for_keys=False, timeout=30
)
sftp = client.open_sftp()
file = sftp.open(path, "rb")
asked = {}
for place in range(PIECES):
    size = SMALL_BYTES if place % 2 else LARGE_BYTES
    asked[sftp._async_request(type(None), CMD_READ, file.handle, int64(place * 1000), size)] = place
answered = []
for _ in range(PIECES):
    answer, data = sftp._read_packet()
    assert answer == CMD_DATA, answer
    answered.append(asked.pop(struct.unpack(">I", data[:4])[0]))
json.dump(answered, sys.stdout)
client.close()
