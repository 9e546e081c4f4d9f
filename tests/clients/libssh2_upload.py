"""Uploads with libssh2 (ssh2-python), the library behind curl and PHP: a file, and one that goes on from its half.

Arguments: host, port, login, private key, the server's public key, local file, the folder of the drop-box.
"""

import base64
import socket
import sys

from ssh2.session import Session
from ssh2.sftp import LIBSSH2_FXF_CREAT, LIBSSH2_FXF_TRUNC, LIBSSH2_FXF_WRITE

host, port, login, key, host_key, whole, to = sys.argv[1:]
connection = socket.create_connection((host, int(port)), timeout=60)
session = Session()
session.handshake(connection)
shown, _ = session.hostkey()
assert shown == base64.b64decode(open(host_key, encoding="ascii").read().split()[1]), "another host key"
session.userauth_publickey_fromfile(login, key)
sftp = session.sftp_init()
with open(whole, "rb") as file:
    content = file.read()


def write(name, flags, offset, data):
    with sftp.open(f"{to}/{name}", LIBSSH2_FXF_WRITE | flags, 0o640) as remote:
        remote.seek64(offset)
        remote.write(data)


write("whole.csv", LIBSSH2_FXF_CREAT | LIBSSH2_FXF_TRUNC, 0, content)
half = len(content) // 2
write("resumed.csv.part", LIBSSH2_FXF_CREAT | LIBSSH2_FXF_TRUNC, 0, content[:half])
size = sftp.stat(f"{to}/resumed.csv.part").filesize
assert size == half, size
write("resumed.csv.part", 0, size, content[size:])
sftp.rename(f"{to}/resumed.csv.part", f"{to}/resumed.csv")
session.disconnect()
