"""Tries to sign in, each time over a connection of its own, and tells how the server refused.

Arguments: host, port, the server's public key.
Standard input: a JSON list of [login, method, private key or password].
Standard output: a JSON list of [kind of refusal, methods offered, text]; `entered` when it was let in.
"""

import base64
import json
import sys

import paramiko

host, port, host_key = sys.argv[1:]
kind, encoded = open(host_key, encoding="ascii").read().split()[:2]


def tried(login, method, credential):
    transport = paramiko.Transport((host, int(port)))
    transport.start_client(timeout=30)
    assert transport.get_remote_server_key().asbytes() == base64.b64decode(encoded)
    try:
        if method == "key":
            transport.auth_publickey(login, paramiko.Ed25519Key.from_private_key_file(credential))
        elif method == "password":
            transport.auth_password(login, credential, fallback=False)
        else:
            transport.auth_none(login)
    except paramiko.SSHException as refusal:
        return [type(refusal).__name__, sorted(getattr(refusal, "allowed_types", [])), str(refusal)]
    finally:
        transport.close()
    return ["entered", [], ""]


json.dump([tried(*attempt) for attempt in json.load(sys.stdin)], sys.stdout)
