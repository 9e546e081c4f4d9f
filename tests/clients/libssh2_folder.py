"""Fetches the whole outbox with libssh2 (ssh2-python), the library behind curl and PHP.

Arguments: host, port, login, private key, the server's public key, where to.
"""

import base64
import os
import socket
import stat
import sys

from ssh2.session import Session
from ssh2.sftp import LIBSSH2_FXF_READ

host, port, login, key, host_key, to = sys.argv[1:]
connection = socket.create_connection((host, int(port)), timeout=60)
session = Session()
session.handshake(connection)
shown, _ = session.hostkey()
assert shown == base64.b64decode(open(host_key, encoding="ascii").read().split()[1]), "another host key"
session.userauth_publickey_fromfile(login, key)
sftp = session.sftp_init()


def fetch(remote, local):
    os.makedirs(local, exist_ok=True)
    for _, name, attributes in sftp.opendir(remote).readdir():
        if name in (b".", b".."):
            continue
        inner = f"{remote}/{name.decode()}"
        into = os.path.join(local, name.decode())
        if stat.S_ISDIR(attributes.permissions):
            fetch(inner, into)
            continue
        with open(into, "wb") as local_file, sftp.open(inner, LIBSSH2_FXF_READ, 0) as remote_file:
            for _, piece in remote_file:
                local_file.write(piece)


fetch("/outbox", to)
session.disconnect()
