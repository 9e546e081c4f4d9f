"""A key on a token (sk-), played without the token: prints its public line, or signs in with it and lists.

Arguments: kind (ed25519 or ecdsa), then nothing, or host, port, login, the server's public key and the flags
that the token claims (1: somebody touched it).
"""

import base64
import hashlib
import struct
import sys

import paramiko
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, utils
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

APPLICATION = b"ssh:"
SEED = hashlib.sha256(b"a key of the tests").digest()


def packed(*parts):
    return b"".join(struct.pack(">I", len(part)) + part for part in parts)


def number(value):
    return value.to_bytes(value.bit_length() // 8 + 1, "big")


class TokenKey(paramiko.PKey):
    def __init__(self, kind, flags):
        self.flags = flags
        if kind == "ed25519":
            self.key = ed25519.Ed25519PrivateKey.from_private_bytes(SEED)
            self.name = "sk-ssh-ed25519@openssh.com"
            parts = [self.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)]
        else:
            self.key = ec.derive_private_key(int.from_bytes(SEED, "big") >> 1, ec.SECP256R1())
            self.name = "sk-ecdsa-sha2-nistp256@openssh.com"
            point = self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
            parts = [b"nistp256", point]
        self.blob = packed(self.name.encode(), *parts, APPLICATION)

    def get_name(self):
        return self.name

    def asbytes(self):
        return self.blob

    def can_sign(self):
        return True

    def sign_ssh_data(self, data, algorithm=None):
        rest = struct.pack(">BI", self.flags, 7)
        told = hashlib.sha256(APPLICATION).digest() + rest + hashlib.sha256(data).digest()
        if self.name.startswith("sk-ssh-ed25519"):
            signature = self.key.sign(told)
        else:
            pair = utils.decode_dss_signature(self.key.sign(told, ec.ECDSA(hashes.SHA256())))
            signature = packed(*map(number, pair))
        return paramiko.Message(packed(self.name.encode(), signature) + rest)


if len(sys.argv) == 2:
    key = TokenKey(sys.argv[1], 0)
    print(key.name, base64.b64encode(key.blob).decode("ascii"))
    sys.exit(0)

kind, host, port, login, host_key, flags = sys.argv[1:]
transport = paramiko.Transport((host, int(port)))
transport.start_client(timeout=30)
assert transport.get_remote_server_key().asbytes() == base64.b64decode(open(host_key, encoding="ascii").read().split()[1])
transport.auth_publickey(login, TokenKey(kind, int(flags)))
print(sorted(paramiko.SFTPClient.from_transport(transport).listdir("/")))
transport.close()
