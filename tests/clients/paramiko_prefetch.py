"""Fetches a file with paramiko in four ways: all asked for at once, a bounded number at once, piece by piece
without asking ahead, and in pieces from all over it.

Arguments: host, port, login, private key, the server's public key, path, folder to fetch into.
"""

import base64
import os
import sys

import paramiko

PIECE_BYTES = 50_001

host, port, login, key, host_key, path, to = sys.argv[1:]
kind, encoded = open(host_key, encoding="ascii").read().split()[:2]
client = paramiko.SSHClient()
trusted = paramiko.PKey.from_type_string(kind, base64.b64decode(encoded))
client.get_host_keys().add(f"[{host}]:{port}", kind, trusted)
client.set_missing_host_key_policy(paramiko.RejectPolicy())
client.connect(
    host, port=int(port), username=login, key_filename=key, allow_agent=False, look_for_keys=False, timeout=30
)
sftp = client.open_sftp()
os.makedirs(to, exist_ok=True)
sftp.get(path, os.path.join(to, "at-once"), prefetch=True)
sftp.get(path, os.path.join(to, "bounded"), prefetch=True, max_concurrent_prefetch_requests=16)
sftp.get(path, os.path.join(to, "in-turn"), prefetch=False)
size = sftp.stat(path).st_size
pieces = [(at, min(PIECE_BYTES, size - at)) for at in range(0, size, PIECE_BYTES)]
with sftp.open(path, "rb") as remote, open(os.path.join(to, "pieces"), "wb") as local:
    for (at, _), piece in zip(reversed(pieces), remote.readv(list(reversed(pieces)))):
        local.seek(at)
        local.write(piece)
sftp.close()
client.close()
