"""Asks for digests of a file, as told line by line, and says what came back.

Arguments: host, port, login, private key, the server's public key, path.
Standard input: lines of `check ALGORITHM START LENGTH BLOCK` (through the handle, as paramiko does it),
`handle …` and `name …` (in the two forms of the draft), and `end`. Standard output: for each the digests in hex, or
`STATUS TEXT`. The file is open from the beginning to the end.
"""

import base64
import sys

import paramiko
from paramiko.sftp import CMD_EXTENDED, SFTP_OK, int64


class Refused(Exception):
    pass


class Raw(paramiko.SFTPClient):
    def _convert_status(self, message):
        status, text = message.get_int(), message.get_text()
        if status != SFTP_OK:
            raise Refused(f"{status} {text}")


def draft(sftp, form, of, algorithm, start, length, block):
    _, message = sftp._request(CMD_EXTENDED, f"check-file-{form}", of, algorithm, int64(start), int64(length), block)
    assert message.get_text() == "sha256"
    return message.get_remainder()


host, port, login, key, host_key, path = sys.argv[1:]
kind, encoded = open(host_key, encoding="ascii").read().split()[:2]
client = paramiko.SSHClient()
trusted = paramiko.PKey.from_type_string(kind, base64.b64decode(encoded))
client.get_host_keys().add(f"[{host}]:{port}", kind, trusted)
client.set_missing_host_key_policy(paramiko.RejectPolicy())
client.connect(
    host, port=int(port), username=login, key_filename=key, allow_agent=False, look_for_keys=False, timeout=30
)
sftp = Raw.from_transport(client.get_transport())
with sftp.open(path, "rb") as remote:
    print("open", flush=True)
    for line in iter(sys.stdin.readline, "end\n"):
        form, algorithm, *numbers = line.split()
        start, length, block = map(int, numbers)
        try:
            if form == "check":
                digests = remote.check(algorithm, start, length, block)
            else:
                of = remote.handle if form == "handle" else path
                digests = draft(sftp, form, of, algorithm, start, length, block)
            print(digests.hex(), flush=True)
        except Refused as refused:
            print(refused, flush=True)
sftp.close()
client.close()
