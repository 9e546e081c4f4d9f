"""Fetches the whole outbox with asyncssh, as a recipient's robot would.

Arguments: host, port, login, private key, the server's public key, where to.
"""

import asyncio
import sys

import asyncssh

host, port, login, key, host_key, to = sys.argv[1:]


async def fetch():
    trusted = asyncssh.import_known_hosts(f"[{host}]:{port} {open(host_key, encoding='ascii').read()}")
    async with asyncssh.connect(
        host,
        port=int(port),
        username=login,
        client_keys=[key],
        known_hosts=trusted,
        agent_path=None,
        config=None,
        connect_timeout=30,
    ) as connection:
        async with connection.start_sftp_client() as sftp:
            await sftp.get("/outbox", to, recurse=True)


asyncio.run(fetch())
