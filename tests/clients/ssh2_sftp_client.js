// Fetches the whole outbox with ssh2-sftp-client, as a recipient's program would, then one file again with
// many requests at once, and one range of it.
// Arguments: host, port, login, private key, the server's public key, where to, file, where it goes, where the
// range goes, first and last byte of the range.
const fs = require('fs');
const Client = require('ssh2-sftp-client');

const [host, port, login, key, hostKey, to, file, fast, range, first, last] = process.argv.slice(1);
const trusted = Buffer.from(fs.readFileSync(hostKey, 'ascii').split(' ')[1], 'base64');

async function main() {
    const client = new Client();
    await client.connect({
        host,
        port: Number(port),
        username: login,
        privateKey: fs.readFileSync(key),
        hostVerifier: (shown) => trusted.equals(shown),
        readyTimeout: 30000,
    });
    await client.downloadDir('/outbox', to);
    await client.fastGet(file, fast, { concurrency: 64, chunkSize: 32768 });
    const some = client.createReadStream(file, { start: Number(first), end: Number(last) });
    await new Promise((resolve, reject) => {
        some.pipe(fs.createWriteStream(range)).on('finish', resolve).on('error', reject);
        some.on('error', reject);
    });
    await client.end();
}

main().catch((error) => {
    console.error(error);
    process.exit(1);
});
