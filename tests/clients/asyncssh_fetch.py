"""Fetches the delivered file with asyncssh, as a recipient's robot would.

Arguments: host, port, login, private key, where to, the server's public key.
"""

import asyncio
import sys

import asyncssh

host, port, login, key, to, host_key = sys.argv[1:]


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
            await sftp.get("/outbox/wages/salaries.csv", to)


asyncio.run(fetch())
