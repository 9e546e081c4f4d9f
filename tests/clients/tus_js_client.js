// Uploads with tus-js-client, as a recipient's program would: whole, in chunks, stopped halfway and gone on with, and
// taken back.
// Arguments: endpoint, Authorization, product, local file.
const fs = require('fs');
const tus = require('tus-js-client');

const [endpoint, authorization, product, file] = process.argv.slice(1);
const size = fs.statSync(file).size;

function upload(filename, more, onStart) {
    return new Promise((resolve, reject) => {
        const one = new tus.Upload(fs.createReadStream(file), {
            endpoint,
            headers: { Authorization: authorization },
            metadata: { filename, product },
            uploadSize: size,
            chunkSize: Infinity,
            retryDelays: null,
            onError: reject,
            onSuccess: () => resolve(one),
            ...more,
        });
        if (onStart) onStart(one, resolve);
        one.start();
    });
}

async function main() {
    await upload('plain.bin');
    await upload('chunks.bin', { chunkSize: 1000000 });
    const stopped = await new Promise((resolve, reject) => {
        const one = new tus.Upload(fs.createReadStream(file), {
            endpoint,
            headers: { Authorization: authorization },
            metadata: { filename: 'resumed.bin', product },
            uploadSize: size,
            chunkSize: 1000000,
            retryDelays: null,
            onError: reject,
            onChunkComplete: (_, accepted) => {
                if (accepted >= 2000000) one.abort().then(() => resolve(one));
            },
        });
        one.start();
    });
    let first = null;
    await upload('resumed.bin', {
        uploadUrl: stopped.url,
        chunkSize: 1500000,
        onProgress: (sent) => { if (first === null) first = sent; },
    });
    console.log(`resumed at ${first}`);
    if (!(first >= 2000000)) throw new Error(`it began anew: ${first}`);
    const begun = await new Promise((resolve, reject) => {
        const one = new tus.Upload(fs.createReadStream(file), {
            endpoint,
            headers: { Authorization: authorization },
            metadata: { filename: 'terminated.bin', product },
            uploadSize: size,
            chunkSize: 1000000,
            retryDelays: null,
            onError: reject,
            onChunkComplete: () => one.abort(true).then(() => resolve(one), reject),
        });
        one.start();
    });
    console.log(`terminated ${begun.url ? 'and known' : ''}`);
}

main().catch((error) => {
    console.error(error);
    process.exit(1);
});
