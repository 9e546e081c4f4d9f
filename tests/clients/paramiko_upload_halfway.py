"""Writes half of a file, and goes on line by line as it is told.

Arguments: host, port, login, private key, the server's public key, the path to upload to.
Says `written` after the first half; for each line `write` on standard input it writes more and says `ok` or why not;
for `close` it closes the file and says the same.
"""

import base64
import sys

import paramiko
from paramiko.sftp import CMD_CLOSE

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
file = sftp.open(path, "wb")
file.write(b"x" * 100_000)
file.flush()
print("written", flush=True)
for line in sys.stdin:
    try:
        if line.strip() == "close":
            # `close` of paramiko keeps a refusal to itself
            sftp._request(CMD_CLOSE, file.handle)
        else:
            file.write(b"y" * 1_000)
            file.flush()
        print("ok", flush=True)
    except OSError as error:
        print(f"refused: {error}", flush=True)
