"""Signs in with one key exchange only; tells the cipher agreed on and the names in the root as JSON.

Arguments: host, port, login, private key, the server's public key, the key exchange.
"""

import asyncio
import json
import sys

import asyncssh

host, port, login, key, host_key, kex = sys.argv[1:]


async def main():
    trusted = asyncssh.import_known_hosts(f"[{host}]:{port} {open(host_key, encoding='ascii').read()}")
    async with asyncssh.connect(
        host,
        port=int(port),
        username=login,
        client_keys=[key],
        known_hosts=trusted,
        agent_path=None,
        config=None,
        kex_algs=[kex],
        connect_timeout=30,
    ) as connection:
        async with connection.start_sftp_client() as sftp:
            names = sorted(await sftp.listdir("/"))
        cipher = connection.get_extra_info("send_cipher")
    json.dump({"cipher": cipher, "names": names}, sys.stdout)


asyncio.run(main())
