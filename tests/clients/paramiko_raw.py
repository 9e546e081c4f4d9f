"""Sends SFTP requests exactly as told, odd ones too, and tells every answer.

Arguments: host, port, login, private key, the server's public key.
Standard input: a JSON list of [operation, path in hex, second path in hex].
Standard output: a JSON list of {status, text, names, sha256}, one for each request.
"""

import base64
import hashlib
import json
import sys

import paramiko
from paramiko import sftp as codes
from paramiko.sftp import int64

READ, CHANGE, APPEND = 0x01, 0x1A, 0x06
PIECE_BYTES = 32768


class Refused(Exception):
    pass


class Raw(paramiko.SFTPClient):
    def _convert_status(self, message):
        status, text = message.get_int(), message.get_text()
        if status != codes.SFTP_OK:
            raise Refused(status, text)


def pieces(sftp, kind, handle, *more):
    """What comes until the end; the handle is closed."""
    found = []
    try:
        while True:
            offset = [int64(sum(map(len, found))), PIECE_BYTES] if more else []
            _, message = sftp._request(kind, handle, *offset)
            found.append(message.get_string() if more else names(message))
    except Refused as refused:
        if refused.args[0] != codes.SFTP_EOF:
            raise
    sftp._request(codes.CMD_CLOSE, handle)
    return found


def names(message):
    found = []
    for _ in range(message.get_int()):
        found.append(message.get_text())
        message.get_text()
        paramiko.SFTPAttributes._from_msg(message)
    return found


def opened(sftp, kind, *arguments):
    return sftp._request(kind, *arguments)[1].get_binary()


def run(sftp, operation, path, second):
    nothing = paramiko.SFTPAttributes()
    if operation == "get":
        handle = opened(sftp, codes.CMD_OPEN, path, READ, nothing)
        content = b"".join(pieces(sftp, codes.CMD_READ, handle, True))
        return {"sha256": hashlib.sha256(content).hexdigest()}
    if operation == "list":
        found = pieces(sftp, codes.CMD_READDIR, opened(sftp, codes.CMD_OPENDIR, path))
        return {"names": sorted(name for page in found for name in page)}
    if operation == "realpath":
        return {"names": names(sftp._request(codes.CMD_REALPATH, path)[1])}
    changed = paramiko.SFTPAttributes()
    if operation == "truncate":
        changed.st_size = 0
        changed._flags = changed.FLAG_SIZE
    if operation == "chmod":
        changed.st_mode = 0o777
    plain = {
        "stat": (codes.CMD_STAT, path),
        "lstat": (codes.CMD_LSTAT, path),
        "readlink": (codes.CMD_READLINK, path),
        "put": (codes.CMD_OPEN, path, CHANGE, nothing),
        "append": (codes.CMD_OPEN, path, APPEND, nothing),
        "truncate": (codes.CMD_SETSTAT, path, changed),
        "chmod": (codes.CMD_SETSTAT, path, changed),
        "mkdir": (codes.CMD_MKDIR, path, nothing),
        "rmdir": (codes.CMD_RMDIR, path),
        "remove": (codes.CMD_REMOVE, path),
        "rename": (codes.CMD_RENAME, path, second),
        "posix-rename": (codes.CMD_EXTENDED, "posix-rename@openssh.com", path, second),
        "hardlink": (codes.CMD_EXTENDED, "hardlink@openssh.com", path, second),
        "symlink": (codes.CMD_SYMLINK, path, second),
    }
    sftp._request(*plain[operation])
    return {}


host, port, login, key, host_key = sys.argv[1:]
kind, encoded = open(host_key, encoding="ascii").read().split()[:2]
client = paramiko.SSHClient()
trusted = paramiko.PKey.from_type_string(kind, base64.b64decode(encoded))
client.get_host_keys().add(f"[{host}]:{port}", kind, trusted)
client.set_missing_host_key_policy(paramiko.RejectPolicy())
client.connect(
    host, port=int(port), username=login, key_filename=key, allow_agent=False, look_for_keys=False, timeout=30
)
# One session for all requests: each shows that the one before it was survived.
session = Raw.from_transport(client.get_transport())
answers = []
for asked, one, other in json.load(sys.stdin):
    answer = {"status": codes.SFTP_OK, "text": "", "names": [], "sha256": ""}
    try:
        answer.update(run(session, asked, bytes.fromhex(one), bytes.fromhex(other)))
    except Refused as refusal:
        answer.update(status=refusal.args[0], text=refusal.args[1])
    answers.append(answer)
json.dump(answers, sys.stdout)
session.close()
client.close()
