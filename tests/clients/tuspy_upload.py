# Uploads with tuspy, as a recipient's program would: whole, in chunks with checksums, and stopped and gone on with.
# Arguments: endpoint, Authorization, product, local file.
import sys
from tusclient import client

endpoint, authorization, product, path = sys.argv[1:]
tus = client.TusClient(endpoint, headers={"Authorization": authorization})


def uploader(name, **more):
    return tus.uploader(path, metadata={"filename": name, "product": product}, **more)


uploader("plain.bin").upload()
uploader("summed.bin", chunk_size=1 << 20, upload_checksum=True).upload()

stopped = uploader("resumed.bin", chunk_size=1 << 20)
stopped.upload_chunk()
again = tus.uploader(path, url=stopped.url, chunk_size=1 << 20)
print("resumed at", again.offset)
again.upload()
