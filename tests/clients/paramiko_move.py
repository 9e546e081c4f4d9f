"""Fetches every file of a folder with paramiko and deletes each once it is here, as WinSCP's `get -delete` does.

Arguments: host, port, login, private key, the server's public key, folder, where to.
Standard output: the names in the folder afterwards, as a JSON list.
"""

import base64
import json
import os
import sys

import paramiko

host, port, login, key, host_key, folder, to = sys.argv[1:]
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
for entry in sftp.listdir_attr(folder):
    remote = f"{folder}/{entry.filename}"
    local = os.path.join(to, entry.filename)
    sftp.get(remote, local)
    os.utime(local, (entry.st_mtime, entry.st_mtime))
    sftp.remove(remote)
json.dump(sftp.listdir(folder), sys.stdout)
sftp.close()
client.close()
