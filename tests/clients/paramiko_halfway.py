"""Fetches a file with paramiko and stops halfway until it is told to go on.

Arguments: host, port, login, private key, the server's public key, path, where to, bytes.
Writes so many bytes, asks for a piece more, says `halfway` and waits for a line; then fetches the rest.
"""

import base64
import sys

import paramiko

PIECE_BYTES = 32768

host, port, login, key, host_key, path, to, first = sys.argv[1:]
kind, encoded = open(host_key, encoding="ascii").read().split()[:2]
client = paramiko.SSHClient()
trusted = paramiko.PKey.from_type_string(kind, base64.b64decode(encoded))
client.get_host_keys().add(f"[{host}]:{port}", kind, trusted)
client.set_missing_host_key_policy(paramiko.RejectPolicy())
client.connect(
    host, port=int(port), username=login, key_filename=key, allow_agent=False, look_for_keys=False, timeout=30
)
sftp = client.open_sftp()
with sftp.open(path, "rb") as remote, open(to, "wb") as local:
    left = int(first)
    while left > 0:
        piece = remote.read(min(left, PIECE_BYTES))
        assert piece, "the file ended before half of it was read"
        local.write(piece)
        left -= len(piece)
    local.flush()
    piece = remote.read(PIECE_BYTES)
    print("halfway", flush=True)
    if not sys.stdin.readline():
        sys.exit(1)
    while piece:
        local.write(piece)
        piece = remote.read(PIECE_BYTES)
sftp.close()
client.close()
