"""A mail relay for the tests (aiosmtpd) on a loopback address.

Arguments: folder, port (0: a free one), and, for STARTTLS, certificate and key.
Prints its port, then takes mail until it is ended. Every message taken becomes
FOLDER/<number>.json: sender, recipients, whether TLS was spoken, the message.
A file FOLDER/answer holds what it answers to a recipient instead of taking it.
"""

import asyncio
import json
import logging
import pathlib
import ssl
import sys

from aiosmtpd.smtp import SMTP

# A client that does not trust the certificate hangs up: that is what some tests want.
logging.getLogger("mail.log").setLevel(logging.CRITICAL)
folder, port = pathlib.Path(sys.argv[1]), int(sys.argv[2])
tls = None
if len(sys.argv) > 3:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(sys.argv[3], sys.argv[4])


class Handler:
    taken = len(list(folder.glob("*.json")))

    async def handle_RCPT(self, server, session, envelope, address, options):
        answer = folder / "answer"
        if answer.exists():
            return answer.read_text(encoding="ascii").strip()
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        Handler.taken += 1
        document = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "tls": session.ssl is not None,
            "message": envelope.content.decode("utf-8"),
        }
        made = folder / f"{Handler.taken}.part"
        made.write_text(json.dumps(document), encoding="utf-8")
        made.rename(folder / f"{Handler.taken}.json")
        return "250 taken"


async def main():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(Handler(), hostname="relay.example", tls_context=tls, require_starttls=tls is not None, loop=loop),
        "127.0.0.1",
        port,
        reuse_address=True,
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.Event().wait()


asyncio.run(main())
