"""Uploads with paramiko, one scenario after the other, each as some client does it.

Arguments: host, port, login, private key, the server's public key, the folder to upload into.
Prints one line for each scenario that went as it should.
"""

import hashlib
import base64
import errno
import sys

import paramiko
from paramiko.sftp import CMD_CLOSE

host, port, login, key, host_key, folder = sys.argv[1:]
kind, encoded = open(host_key, encoding="ascii").read().split()[:2]
client = paramiko.SSHClient()
trusted = paramiko.PKey.from_type_string(kind, base64.b64decode(encoded))
client.get_host_keys().add(f"[{host}]:{port}", kind, trusted)
client.set_missing_host_key_policy(paramiko.RejectPolicy())
client.connect(
    host, port=int(port), username=login, key_filename=key, allow_agent=False, look_for_keys=False, timeout=30
)
sftp = client.open_sftp()
sftp.chdir(folder)
block = bytes(range(256)) * 128


def back(name):
    with sftp.open(name, "rb") as file:
        return file.read()


def refused(what, *arguments):
    try:
        what(*arguments)
    except OSError as error:
        return str(error)
    raise SystemExit(f"{what} {arguments} was not refused")


def in_any_order():
    order = list(range(40))
    order = order[1::2] + order[0::2]
    file = sftp.open("order.bin", "wb")
    file.set_pipelined(True)
    for number in order:
        file.seek(number * len(block))
        file.write(bytes([number]) + block[1:])
    file.close()
    assert back("order.bin") == b"".join(bytes([number]) + block[1:] for number in range(40))


def as_winscp():
    with sftp.open("win.csv.filepart", "wb") as file:
        file.write(block * 8)
    assert sftp.stat("win.csv.filepart").st_mode & 0o777 == 0o660
    sftp.rename("win.csv.filepart", "win.csv")
    sftp.utime("win.csv", (1_600_000_000, 1_600_000_000))
    sftp.chmod("win.csv", 0o644)
    seen = sftp.stat("win.csv")
    assert (seen.st_size, seen.st_mtime, seen.st_mode & 0o777) == (len(block) * 8, 1_600_000_000, 0o440), seen
    assert back("win.csv") == block * 8
    with sftp.open("win.csv") as file:
        assert file.check("sha256") == hashlib.sha256(block * 8).digest()


def appending():
    with sftp.open("log.part", "wb") as file:
        file.write(b"one\n")
    with sftp.open("log.part", "ab") as file:
        file.write(b"two\n")
    sftp.posix_rename("log.part", "log.txt")
    assert back("log.txt") == b"one\ntwo\n"


def cut_and_grown():
    file = sftp.open("cut.part", "wb")
    file.write(block)
    file.truncate(100)
    file.truncate(200)
    assert file.stat().st_size == 200
    file.close()
    sftp.truncate("cut.part", 150)
    sftp.rename("cut.part", "cut.bin")
    assert back("cut.bin") == block[:100] + bytes(50)


def written_over():
    file = sftp.open("over.part", "wb")
    file.write(block * 4)
    file.seek(1000)
    file.write(b"changed")
    file.close()
    sftp.rename("over.part", "over.bin")
    whole = bytearray(block * 4)
    whole[1000:1007] = b"changed"
    assert back("over.bin") == bytes(whole)


def with_a_gap():
    file = sftp.open("gap.bin", "wb")
    file.write(b"abc")
    file.seek(10)
    file.write(b"xyz")
    # `close` of paramiko keeps a refusal to itself
    said = refused(sftp._request, CMD_CLOSE, file.handle)
    assert "3 to 10" in said, said
    assert sftp.stat("gap.bin").st_size == 3
    sftp.remove("gap.bin")


def by_marker():
    with sftp.open("marked.part", "wb") as file:
        file.write(b"abc")
    sftp.rename("marked.part", "marked.bin")
    with sftp.open("marked.bin.done", "wb"):
        pass
    assert sftp.stat("marked.bin.done").st_size == 0
    assert "marked.bin.done" not in sftp.listdir()


def replaced_until_it_is_handed_over():
    for name, text in [("old.tmp", b"old"), ("new.tmp", b"new")]:
        with sftp.open(name, "wb") as file:
            file.write(text)
    refused(sftp.rename, "new.tmp", "old.tmp")
    sftp.posix_rename("new.tmp", "old.tmp")
    sftp.rename("old.tmp", "renamed.bin")
    assert back("renamed.bin") == b"new"
    with sftp.open("late.tmp", "wb") as file:
        file.write(b"late")
    assert "received already" in refused(sftp.rename, "late.tmp", "renamed.bin")
    # nobody collects in this world: it can be replaced
    sftp.posix_rename("late.tmp", "renamed.bin")
    assert back("renamed.bin") == b"late"


def what_is_refused():
    for name in ["a:b", "a*b", "a b", "trailing.", "tab\t", "x" * 201]:
        said = refused(sftp.open, name, "wb")
        assert "use 1 to 200" in said, said
    assert "upper and lower case" in refused(sftp.open, "WIN.csv", "wb")
    assert "received already" in refused(sftp.open, "win.csv", "wb")
    refused(sftp.rename, "win.csv", "other.csv")
    refused(sftp.truncate, "win.csv", 5)
    refused(sftp.mkdir, "sub")
    refused(sftp.mkdir, folder)
    refused(sftp.rmdir, folder)
    refused(sftp.open, "/dropbox/elsewhere/a.bin", "wb")
    refused(sftp.open, "/dropbox/a.bin", "wb")
    refused(sftp.open, "win.csv", "xb")
    try:
        sftp.stat("absent.bin")
    except OSError as error:
        assert error.errno == errno.ENOENT
    assert back("win.csv") == block * 8


for scenario in [
    in_any_order,
    as_winscp,
    appending,
    cut_and_grown,
    written_over,
    with_a_gap,
    by_marker,
    replaced_until_it_is_handed_over,
    what_is_refused,
]:
    scenario()
    print(scenario.__name__, flush=True)
print(" ".join(sorted(sftp.listdir())))
client.close()
