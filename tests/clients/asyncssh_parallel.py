"""Fetches files with asyncssh, all of them at once in one session, each with many small requests at once.

Arguments: host, port, login, private key, the server's public key, folder to fetch into, how often, paths.
"""

import asyncio
import os
import sys

import asyncssh

host, port, login, key, host_key, to, times, *paths = sys.argv[1:]


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
            gets = []
            for number in range(int(times)):
                into = os.path.join(to, str(number))
                os.makedirs(into)
                for path in paths:
                    gets.append(sftp.get(path, into, block_size=16_000, max_requests=128))
            await asyncio.gather(*gets)


asyncio.run(fetch())
