"""Uploads one file with asyncssh, which writes many blocks at once, and reads it back.

Arguments: host, port, login, private key, the server's public key, the local file, where to.
"""

import asyncio
import sys

import asyncssh

host, port, login, key, host_key, local, remote = sys.argv[1:]


async def upload():
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
            await sftp.put(local, remote, preserve=True, max_requests=64)
            async with sftp.open(remote, "rb") as file:
                assert await file.read() == open(local, "rb").read()
            room = await sftp.statvfs("/dropbox/intake")
            assert 0 < room.bavail < room.blocks, room


asyncio.run(upload())
