// Uploads with ssh2-sftp-client, as a recipient's program would: a stream, many requests at once, the rest of a file
// of which the first half is there, a rename, and a whole folder.
// Arguments: host, port, login, private key, the server's public key, local file, its local half, local folder, the
// folder of the drop-box.
const fs = require('fs');
const Client = require('ssh2-sftp-client');

const [host, port, login, key, hostKey, whole, half, folder, to] = process.argv.slice(1);
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
    await client.put(fs.createReadStream(whole), `${to}/stream.csv`);
    await client.fastPut(whole, `${to}/fast.csv.tmp`, { concurrency: 64, chunkSize: 32768 });
    await client.rename(`${to}/fast.csv.tmp`, `${to}/fast.csv`);
    await client.put(half, `${to}/resumed.csv.part`);
    const { size } = await client.stat(`${to}/resumed.csv.part`);
    await client.append(fs.readFileSync(whole).subarray(size), `${to}/resumed.csv.part`);
    await client.posixRename(`${to}/resumed.csv.part`, `${to}/resumed.csv`);
    await client.uploadDir(folder, to);
    await client.end();
}

main().catch((error) => {
    console.error(error);
    process.exit(1);
});
