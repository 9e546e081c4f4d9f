"""Fetches the whole outbox with paramiko, as a recipient's robot would.

Arguments: host, port, login, private key, the server's public key, where to.
"""

import base64
import os
import stat
import sys

import paramiko

host, port, login, key, host_key, to = sys.argv[1:]
kind, encoded = open(host_key, encoding="ascii").read().split()[:2]
client = paramiko.SSHClient()
trusted = paramiko.PKey.from_type_string(kind, base64.b64decode(encoded))
client.get_host_keys().add(f"[{host}]:{port}", kind, trusted)
client.set_missing_host_key_policy(paramiko.RejectPolicy())
client.connect(
    host, port=int(port), username=login, key_filename=key, allow_agent=False, look_for_keys=False, timeout=30
)
sftp = client.open_sftp()


def fetch(remote, local):
    os.makedirs(local, exist_ok=True)
    for entry in sftp.listdir_attr(remote):
        inner = f"{remote}/{entry.filename}"
        if stat.S_ISDIR(entry.st_mode):
            fetch(inner, os.path.join(local, entry.filename))
        else:
            sftp.get(inner, os.path.join(local, entry.filename))


fetch("/outbox", to)
sftp.close()
client.close()
