"""Lists one folder over and over and prints every different listing it saw, as JSON.

Arguments: host, port, login, private key, the server's public key, folder,
file to make after the first listing, how many names there are in the end.
Ends a little after all names are there, or after a minute.
"""

import base64
import json
import sys
import time

import paramiko

host, port, login, key, host_key, folder, begun, wanted = sys.argv[1:]
kind, encoded = open(host_key, encoding="ascii").read().split()[:2]
client = paramiko.SSHClient()
trusted = paramiko.PKey.from_type_string(kind, base64.b64decode(encoded))
client.get_host_keys().add(f"[{host}]:{port}", kind, trusted)
client.set_missing_host_key_policy(paramiko.RejectPolicy())
client.connect(
    host, port=int(port), username=login, key_filename=key, allow_agent=False, look_for_keys=False, timeout=30
)
sftp = client.open_sftp()
seen = []
looks = 0
until = time.monotonic() + 60
after = 0
while after < 20 and time.monotonic() < until:
    names = sorted(sftp.listdir(folder))
    looks += 1
    if names not in seen:
        seen.append(names)
    if looks == 1:
        open(begun, "w", encoding="ascii").close()
    if len(names) >= int(wanted):
        after += 1
sftp.close()
client.close()
print(json.dumps({"looks": looks, "seen": seen}))
