"""Reads a file at random with asyncssh: any offset and length, some beyond its end, many at once through several
handles, and holds each answer against the same file as it lies here.

Arguments: host, port, login, private key, the server's public key, path, the file here, seed, how many reads.
"""

import asyncio
import random
import sys

import asyncssh

host, port, login, key, host_key, path, local, seed, count = sys.argv[1:]
dice = random.Random(int(seed))
with open(local, "rb") as file:
    plain = file.read()
# The edges of sealed chunks (64 KiB) and of the file are where a reader errs.
edges = [at for at in (0, 1, 65_535, 65_536, 65_537, 131_072, len(plain) - 1, len(plain)) if at <= len(plain)]


def wanted():
    if dice.random() < 0.5:
        offset = dice.randrange(len(plain) + 1000)
    else:
        offset = max(0, dice.choice(edges) + dice.randrange(-3, 4))
    length = dice.choice([1, 2, 16, 1000, 32_768, 65_536, 65_537, 200_000, 261_120, dice.randrange(1, 261_120)])
    return offset, length


async def one(handle, gate):
    offset, length = wanted()
    async with gate:
        got = await handle.read(length, offset)
    assert got == plain[offset : offset + length], (offset, length, len(got))
    return len(got)


async def read():
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
            handles = [await sftp.open(path, "rb") for _ in range(3)]
            gate = asyncio.Semaphore(48)
            sizes = await asyncio.gather(*(one(dice.choice(handles), gate) for _ in range(int(count))))
            for handle in handles:
                await handle.close()
            print(sum(sizes))


asyncio.run(read())
