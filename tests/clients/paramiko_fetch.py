"""Fetches the delivered file with paramiko, as a recipient's robot would.

Arguments: host, port, login, private key, where to, the server's public key.
"""

import base64
import sys

import paramiko

host, port, login, key, to, host_key = sys.argv[1:]
kind, encoded = open(host_key, encoding="ascii").read().split()[:2]
client = paramiko.SSHClient()
trusted = paramiko.PKey.from_type_string(kind, base64.b64decode(encoded))
client.get_host_keys().add(f"[{host}]:{port}", kind, trusted)
client.set_missing_host_key_policy(paramiko.RejectPolicy())
client.connect(
    host, port=int(port), username=login, key_filename=key, allow_agent=False, look_for_keys=False, timeout=30
)
sftp = client.open_sftp()
# get() asks for the whole file at once: more replies than one SSH window holds.
sftp.get("/outbox/wages/salaries.csv", to)
sftp.close()
client.close()
