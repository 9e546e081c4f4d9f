// Participant files in the portal, by keyboard: Anne uploads, reads receipt and result, replaces, withdraws and is
// refused; Iris uploads for her; Bert of another organisation sees nothing of it. Arguments: base address, folder for
// screenshots and files, and the command line of the operator.
const [base, folder, ...operator] = process.argv.slice(1);
const https = require('node:https');
const { mkdirSync } = require('node:fs');
const office = (...words) => JSON.parse(execFileSync(operator[0], [...operator.slice(1), ...words, '--json'], { encoding: 'utf8' }));
const sleep = (millis) => new Promise((done) => setTimeout(done, millis));
const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');
const uploads = () => office('upload', 'list');
const events = () => office('history', 'list').length;

async function until(what, look) {
  for (let tries = 0; tries < 300; tries += 1) {
    const found = await look();
    if (found) return found;
    await sleep(100);
  }
  throw new Error(`waited in vain for: ${what}`);
}

const enter = (who, email) => activateAccount(who, base, email, office('account', 'link', email));

mkdirSync(`${folder}/files`, { recursive: true });
function file(name, bytes) {
  const path = `${folder}/files/${name}`;
  writeFileSync(path, bytes);
  return path;
}
const pattern = (length, seed) => Buffer.from(Array.from({ length }, (_, at) => (at * 31 + seed * 7 + Math.floor(at / 251)) % 251));

// Chooses files in the browser's own dialogue, opened by key, and sends the form.
async function choose(page, files, product) {
  if (product) {
    await page.focus(`#product-${product}`);
    await page.keyboard.press('Space');
  }
  // the browser opens no dialogue while it is still closing the one before
  for (let tries = 0; ; tries += 1) {
    await page.focus('#file');
    const opening = page.waitForEvent('filechooser', { timeout: 3_000 }).catch(() => undefined);
    await page.keyboard.press('Space');
    const chooser = await opening;
    if (chooser) return chooser.setFiles(files);
    if (tries === 5) throw new Error('no dialogue for files');
  }
}
async function send(page, files, product) {
  await choose(page, files, product);
  await page.focus('main form button[type=submit]');
  await Promise.all([page.waitForNavigation(), page.keyboard.press('Enter')]);
}
const badge = (page) => page.locator('main .badge').first().innerText();
async function become(page, word) {
  await until(word, async () => (await page.reload(), (await badge(page)) === word));
}
const alerts = (page) => page.locator('main [role=alert]').first().innerText();
const rows = (page) => page.locator('tbody tr').count();

walk(base, folder, async (_, somebody) => {
  const [anne, bert, iris] = [await somebody(), await somebody(), await somebody()];
  // the script does not come: everything is done without it
  for (const { page } of [anne, bert, iris]) await page.route('**/assets/uploads.js*', (route) => route.fulfill({ contentType: 'text/javascript', body: '' }));
  const { page } = anne;
  const form = `${base}/participant-files/new`;
  await enter(anne, 'anne@alpha.example');
  await anne.press('nav a[href="/participant-files"]');
  await anne.look('files-none');
  await anne.press('main a.button');
  await anne.look('files-form');

  // a file, its receipt, and the signature checked as the page says
  const bytes = pattern(700_000, 1);
  await send(page, file('deelnemers_2026-11.csv', bytes), 'intake');
  await anne.look('files-received');
  seen.said = await page.textContent('[role=status]');
  const first = new URL(page.url()).pathname;
  seen.digest = (await page.textContent('dl .digest')) === sha256(bytes);
  for (const part of ['receipt', 'receipt/signature']) {
    const fetching = page.waitForEvent('download');
    await page.locator(`a[href="${first}/${part}"]`).focus();
    await page.keyboard.press('Enter');
    const got = await fetching;
    await got.saveAs(`${folder}/files/${got.suggestedFilename()}`);
  }
  await page.locator('summary').focus();
  await page.keyboard.press('Enter');
  const fetching = page.waitForEvent('download');
  await page.locator('a[href="/receipt-key/allowed-signers"]').focus();
  await page.keyboard.press('Enter');
  await (await fetching).saveAs(`${folder}/files/allowed_signers`);
  await anne.look('files-verify');
  const command = await page.locator('details pre').innerText();
  seen.verified = execFileSync('sh', ['-c', command], { cwd: `${folder}/files`, encoding: 'utf8' });
  await become(page, 'goedgekeurd');
  await anne.look('files-accepted');
  seen.result = await page.locator('section[aria-labelledby=result]').innerText();
  await page.goto(`${base}${first}?lang=en`);
  await anne.look('files-accepted-english');

  // the same bytes again; a name that cannot be used, also one that would break a header or a page
  await page.goto(form);
  await send(page, file('nog_een_keer.csv', bytes), 'intake');
  await anne.look('files-duplicate');
  seen.duplicate = await badge(page);
  const before = uploads().length;
  await page.goto(form);
  await send(page, { name: 'Deelnemers november (2).csv', mimeType: 'text/csv', buffer: Buffer.from('x') }, 'intake');
  await anne.look('files-wrong-name');
  seen.wrongName = await alerts(page);
  await page.goto(form);
  await send(page, { name: 'x"\r\nSet-Cookie: evil=1\r\n<b>.csv', mimeType: 'text/csv', buffer: Buffer.from('x') }, 'intake');
  seen.evil = [await page.locator('main b').count(), (await page.context().cookies()).length];

  // too large, seen while it comes; more than there is room for, seen before it comes
  await page.goto(form);
  await send(page, file('te_groot.csv', Buffer.alloc(1_500_000)), 'intake');
  await anne.look('files-too-large');
  seen.tooLarge = await alerts(page);
  await page.goto(form);
  await send(page, file('veel_te_groot.csv', Buffer.alloc(40_000_000)), 'intake');
  seen.tooFull = await alerts(page);
  seen.unchanged = uploads().filter((one) => one.state === 'unfinished').length === 0 && uploads().filter((one) => one.state === 'received').length === before;

  // several at once: all of them, and all but one
  await page.goto(form);
  await send(page, [file('a.csv', 'a'), file('b.csv', 'b')], 'wages');
  await anne.look('files-several');
  seen.several = new URL(page.url()).search;
  await page.goto(form);
  await send(page, [file('c.csv', 'c'), file('d e.csv', 'd'), file('f.csv', 'f')], 'wages');
  await anne.look('files-some');
  seen.some = [await page.locator('main ul li').count(), await alerts(page)];

  // replaced under the same name only, and withdrawn
  await page.goto(base + first);
  await anne.press(`a[href="${first}/replace"]`);
  await anne.look('files-replace');
  await send(page, file('anders.csv', 'other'));
  seen.otherName = await alerts(page);
  await page.goto(`${base}${first}/replace`);
  const corrected = pattern(600_000, 2);
  await send(page, file('deelnemers_2026-11.csv', corrected));
  await anne.look('files-replaced');
  const second = new URL(page.url()).pathname;
  seen.replaced = [second !== first, (await page.textContent('dl .digest')) === sha256(corrected)];
  await page.goto(base + first);
  await anne.look('files-old');
  seen.old = [await badge(page), await page.locator('main a', { hasText: 'Naar dat bestand' }).getAttribute('href') === second];
  await page.goto(base + second);
  await become(page, 'goedgekeurd');
  await anne.press(`a[href="${second}/withdraw"]`);
  await anne.look('files-withdraw');
  await anne.press('main form button');
  await anne.look('files-withdrawn');
  seen.withdrawn = await badge(page);
  seen.late = (await page.goto(`${base}${second}/withdraw`)).status();

  // what the office says of a file
  await page.goto(form);
  await send(page, file('fout.csv', 'wrong'), 'intake');
  const wrong = new URL(page.url()).pathname;
  await become(page, 'goedgekeurd');
  office('upload', 'reject', wrong.split('/').pop(), '--report', file('report.txt', 'In regel 3 ontbreekt de einddatum.'));
  await page.reload();
  await anne.look('files-rejected');
  seen.rejected = [await badge(page), await page.locator('section[aria-labelledby=result] pre').innerText()];

  // the list, by product and by state
  await page.goto(`${base}/participant-files`);
  await anne.look('files-list');
  seen.listed = await rows(page);
  await page.selectOption('#state', 'withdrawn');
  await anne.press('main form button');
  seen.byState = [await rows(page), await badge(page)];
  await page.selectOption('#state', '');
  await page.selectOption('#product', 'wages');
  await anne.press('main form button');
  await anne.look('files-filtered');
  seen.byProduct = await rows(page);

  // not without the token of the session, not from another site, not in another order, not elsewhere
  const [cookie] = await page.context().cookies();
  await page.goto(form);
  const token = await page.inputValue('input[name=token]');
  const [listed, happened] = [uploads().length, events()];
  const content = { name: 'forged.csv', mimeType: 'text/csv', buffer: Buffer.from('forged') };
  const posted = (multipart, headers = { origin: base }, path = form) =>
    page.request.post(path, { multipart, headers }).then((answer) => answer.status());
  seen.forged = [
    await posted({ product: 'intake', file: content }),
    await posted({ token: 'wrong', product: 'intake', file: content }),
    await posted({ file: content, token, product: 'intake' }),
    await posted({ token, product: 'intake', file: content }, { origin: 'https://evil.example' }),
    await posted({ token, product: 'intake', file: content }, { origin: base, 'sec-fetch-site': 'cross-site' }),
    await posted({ token, file: content, product: 'intake' }),
    await posted({ token, product: 'nothing', file: content }),
    await posted({ token, product: 'intake', other: 'x', file: content }),
    await posted({ token, product: 'intake' }),
    await posted({ token, product: 'intake', file: content }, { origin: base }, `${base}/clients/beta/participant-files/new`),
    (await page.request.post(form, { form: { token, product: 'intake' }, headers: { origin: base } })).status(),
    (await page.request.post(form, { data: Buffer.alloc(2_000_000), headers: { origin: base, 'content-type': 'multipart/form-data; boundary=x' } })).status(),
  ];
  seen.forgedKept = [uploads().length - listed, events() - happened];

  // an upload that is on its way, and its connection ends; then one whose session ends
  const begin = (name) => {
    const request = https.request(form, { method: 'POST', rejectUnauthorized: false, headers: { cookie: `${cookie.name}=${cookie.value}`, 'content-type': 'multipart/form-data; boundary=cut', origin: base } });
    const part = (head, text) => `--cut\r\nContent-Disposition: form-data; name="${head}"\r\n\r\n${text}\r\n`;
    request.write(`${part('token', token)}${part('product', 'intake')}--cut\r\nContent-Disposition: form-data; name="file"; filename="${name}"\r\n\r\n`);
    request.write(Buffer.alloc(600_000, 'x'));
    request.on('error', () => {});
    return request;
  };
  const state = (name) => uploads().filter((one) => one.name === name).map((one) => one.state).join();
  const cut = begin('halverwege.csv');
  await until('an upload on its way', () => state('halverwege.csv') === 'unfinished');
  await page.goto(`${base}/participant-files?state=receiving`);
  await anne.look('files-receiving');
  seen.receiving = [await rows(page), await badge(page)];
  await anne.press('tbody a');
  await anne.look('files-one-receiving');
  cut.destroy();
  await until('that nothing is left of it', () => state('halverwege.csv') === 'removed');
  seen.afterCut = await page.goto(`${base}/participant-files?state=receiving`).then(() => rows(page));
  const slow = begin('uitgelogd.csv');
  const answered = new Promise((done) => slow.on('response', (answer) => (answer.resume(), done(answer.statusCode))));
  await until('an upload on its way', () => state('uitgelogd.csv') === 'unfinished');
  await anne.press('nav form button');
  const [ended, status] = [Date.now(), await answered];
  seen.signedOut = [status, Date.now() - ended < 5_000, state('uitgelogd.csv')];
  slow.destroy();

  // for a client: the path says for whom, every page says it, and the client sees by whom
  await enter(iris, 'iris@bureau.example');
  await iris.press('nav a[href="/clients"]');
  await iris.look('files-clients');
  await iris.press('tbody a[href="/clients/alpha/participant-files"]');
  await iris.look('files-client-list');
  seen.clientTitle = await iris.page.title();
  await iris.press('main a.button');
  await iris.look('files-client-form');
  await send(iris.page, file('namens.csv', 'for alpha'));
  await iris.look('files-client-received');
  const forClient = new URL(iris.page.url()).pathname;
  seen.onBehalf = await iris.page.locator('dl.facts').innerText();
  seen.ownOfIris = (await iris.page.goto(base + forClient.replace('/clients/alpha', ''))).status();

  // another organisation: its ids answer as unknown ones do
  await enter(bert, 'bert@beta.example');
  const unknown = first.replace(/[^/]+$/, '0'.repeat(32));
  const answers = [];
  for (const path of [first, unknown, `${first}/receipt`, `${unknown}/receipt`, `${first}/result`, `${first}/withdraw`, `${first}/replace`, `/clients/alpha${first}`]) {
    const answer = await bert.page.goto(base + path);
    answers.push([answer.status(), (await bert.page.locator('main').innerText())]);
  }
  seen.strangers = answers.map(([code]) => code);
  seen.alike = new Set(answers.map(([, text]) => text)).size;
  await bert.page.goto(`${base}/participant-files`);
  seen.bertSees = await rows(bert.page);
});
