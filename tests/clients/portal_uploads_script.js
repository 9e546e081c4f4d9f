// Uploads with the script of the portal: dropped and chosen, paused, gone on with after the server was killed and
// after the page was left, cancelled, refused. Arguments: base address, folder for screenshots and files, and the
// command line of the operator. The test ends and starts the server when `kill` appears in the folder.
const [base, folder, ...operator] = process.argv.slice(1);
const { mkdirSync } = require('node:fs');
const office = (...words) => JSON.parse(execFileSync(operator[0], [...operator.slice(1), ...words, '--json'], { encoding: 'utf8' }));
const sleep = (millis) => new Promise((done) => setTimeout(done, millis));
const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');
const found = (name) => office('upload', 'list').filter((one) => one.name === name);

async function until(what, look) {
  for (let tries = 0; tries < 600; tries += 1) {
    const result = await look();
    if (result) return result;
    await sleep(100);
  }
  throw new Error(`waited in vain for: ${what}`);
}

mkdirSync(`${folder}/files`, { recursive: true });
function file(name, bytes) {
  const path = `${folder}/files/${name}`;
  writeFileSync(path, bytes);
  return path;
}
const byte = (at, seed) => (at * 31 + seed * 7 + Math.floor(at / 251)) % 251;
const pattern = (length, seed) => Buffer.from(Uint8Array.from({ length }, (_, at) => byte(at, seed)));

const card = (page, name) => page.locator('.upload', { has: page.locator('strong', { hasText: name }) });
const state = (page, name) => card(page, name).locator('.badge').innerText();
const percent = (page, name) => card(page, name).locator('progress').evaluate((bar) => bar.value);
const become = (page, name, word) => until(`${name}: ${word}`, async () => (await state(page, name)) === word);
const beyond = (page, name, least) => until(`${least} % of ${name}`, async () => (await percent(page, name)) >= least);
const why = (page, name) => card(page, name).locator('[data-why]').innerText();
async function key(page, locator, pressed = 'Enter') {
  await locator.focus();
  await page.keyboard.press(pressed);
}
const toggle = (page, name) => key(page, card(page, name).locator('[data-toggle]'));
async function send(page, files, product) {
  if (product) await page.check(`#product-${product}`);
  if (files) await page.setInputFiles('#file', files);
  await key(page, page.locator('main form button[type=submit]'));
}
// The receipt of an upload that is done, by its link; the digest on it.
async function receipt(page, name) {
  await Promise.all([page.waitForNavigation(), key(page, card(page, name).locator('[data-receipt]'))]);
  return page.textContent('dl .digest');
}

walk(base, folder, async (browser, somebody) => {
  const [anne, iris] = [await somebody(), await somebody()];
  const { page, context } = anne;
  const form = `${base}/participant-files/new`;
  for (const who of [anne, iris]) who.page.on('dialog', (dialog) => dialog.accept());
  await activateAccount(anne, base, 'anne@alpha.example', office('account', 'link', 'anne@alpha.example'));
  const network = await context.newCDPSession(page);
  await network.send('Network.enable');
  const speed = (bytes) => network.send('Network.emulateNetworkConditions', { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: bytes });
  const offsets = [];
  page.on('request', (request) => request.method() === 'PATCH' && offsets.push(Number(request.headers()['upload-offset'])));

  // dropped on the page, sent by key; shown while it goes, paused, gone on with
  await page.goto(form);
  await anne.look('script-form');
  await page.evaluate(() => {
    globalThis.told = [];
    const place = document.querySelector('[data-said]');
    new MutationObserver(() => globalThis.told.push(place.textContent)).observe(place, { childList: true, characterData: true, subtree: true });
  });
  const large = 12_000_000;
  const dropped = await page.evaluateHandle(({ large }) => {
    const bytes = Uint8Array.from({ length: large }, (_, at) => (at * 31 + 7 + Math.floor(at / 251)) % 251);
    const data = new DataTransfer();
    data.items.add(new File([bytes], 'gesleept.csv', { type: 'text/csv', lastModified: 1_700_000_000_000 }));
    return data;
  }, { large });
  await page.dispatchEvent('main', 'dragover', { dataTransfer: dropped });
  seen.over = await page.locator('.drop--over').count();
  await page.dispatchEvent('main', 'drop', { dataTransfer: dropped });
  await speed(1_000_000);
  await send(page, undefined, 'intake');
  await beyond(page, 'gesleept.csv', 5);
  await anne.look('script-running');
  const [one, two] = [await percent(page, 'gesleept.csv'), await sleep(1_500).then(() => percent(page, 'gesleept.csv'))];
  seen.moves = one < two && two < 100;
  seen.far = await card(page, 'gesleept.csv').locator('[data-far]').innerText();
  // whoever looks from another tab sees it as unfinished
  const other = await context.newPage();
  await other.goto(`${base}/participant-files?state=receiving`);
  seen.otherTab = await other.locator('tbody tr').innerText();
  await other.close();
  await page.bringToFront();
  await toggle(page, 'gesleept.csv');
  await become(page, 'gesleept.csv', 'gepauzeerd');
  seen.kept = await card(page, 'gesleept.csv').locator('[data-toggle]').evaluate((button) => button === document.activeElement && button.innerText);
  await anne.look('script-paused');
  const still = found('gesleept.csv')[0].sizeBytes;
  await sleep(1_500);
  seen.still = found('gesleept.csv')[0].sizeBytes === still;
  await page.keyboard.press('Enter');
  await become(page, 'gesleept.csv', 'wordt geüpload');

  // the server is killed under it, and comes back
  await beyond(page, 'gesleept.csv', 50);
  writeFileSync(`${folder}/kill`, '');
  await become(page, 'gesleept.csv', 'verbinding weg');
  await anne.look('script-lost');
  writeFileSync(`${folder}/start`, '');
  await until('the server', () => existsSync(`${folder}/started`));
  await become(page, 'gesleept.csv', 'wordt geüpload');
  await speed(-1);
  await become(page, 'gesleept.csv', 'ontvangen');
  await anne.look('script-done');
  seen.wentOn = offsets.filter((offset) => offset === 0).length === 1;
  seen.told = await page.evaluate(() => globalThis.told);
  seen.digest = (await receipt(page, 'gesleept.csv')) === sha256(pattern(large, 1));

  // the page is left and the same file chosen again; then another one of the same name
  const bytes = pattern(large, 2);
  const path = file('herladen.csv', bytes);
  await page.goto(form);
  await speed(2_500_000);
  await send(page, path, 'intake');
  await beyond(page, 'herladen.csv', 40);
  await page.reload();
  await anne.look('script-unfinished');
  seen.unfinished = await page.locator('section[aria-labelledby=unfinished] li').innerText();
  offsets.length = 0;
  await send(page, path, 'intake');
  await until('a piece', () => offsets.length > 0);
  seen.resumedAt = offsets[0];
  await speed(-1);
  await become(page, 'herladen.csv', 'ontvangen');
  seen.digestAfterReload = (await receipt(page, 'herladen.csv')) === sha256(bytes);
  await page.goto(form);
  await speed(1_000_000);
  await send(page, file('anders.csv', pattern(6_000_000, 3)), 'intake');
  await beyond(page, 'anders.csv', 5);
  await page.reload();
  await speed(-1);
  const changed = pattern(3_000_000, 4);
  await send(page, file('anders.csv', changed), 'intake');
  await become(page, 'anders.csv', 'niet ontvangen');
  await anne.look('script-other');
  seen.other = await why(page, 'anders.csv');
  await toggle(page, 'anders.csv');
  await become(page, 'anders.csv', 'ontvangen');
  seen.anew = (await receipt(page, 'anders.csv')) === sha256(changed);

  // cancelled: nothing of it stays; signed out meanwhile: it waits
  await page.goto(form);
  await speed(1_000_000);
  await send(page, [file('weg.csv', pattern(5_000_000, 5)), file('wacht.csv', pattern(4_000_000, 6))], 'intake');
  await beyond(page, 'weg.csv', 5);
  seen.waiting = await state(page, 'wacht.csv');
  await key(page, card(page, 'weg.csv').locator('[data-cancel]'));
  await until('that it is gone', () => found('weg.csv').every((one) => one.state === 'removed'));
  seen.cancelled = [found('weg.csv').length, await card(page, 'weg.csv').count()];
  await beyond(page, 'wacht.csv', 5);
  await toggle(page, 'wacht.csv');
  await become(page, 'wacht.csv', 'gepauzeerd');
  const cookies = await context.cookies();
  await context.clearCookies();
  await speed(-1);
  await toggle(page, 'wacht.csv');
  await until('a word on it', async () => (await why(page, 'wacht.csv')).includes('uitgelogd'));
  seen.signedOut = [await state(page, 'wacht.csv'), await card(page, 'wacht.csv').locator('[data-sign-in] a').isVisible()];
  await context.addCookies(cookies);
  await toggle(page, 'wacht.csv');
  await become(page, 'wacht.csv', 'ontvangen');

  // several at once, of which some cannot be; a file too large, and more than there is room for
  const before = found('te_groot.csv').length + found('vol.csv').length;
  await send(page, [file('leeg.csv', ''), file('d e.csv', 'x'), file('te_groot.csv', Buffer.alloc(17_000_000)), file('vol.csv', pattern(15_900_000, 7)), file('klein.csv', 'a;b\n')], 'intake');
  await become(page, 'klein.csv', 'ontvangen');
  await become(page, 'leeg.csv', 'ontvangen');
  await anne.look('script-some');
  seen.refused = [];
  for (const name of ['d e.csv', 'te_groot.csv', 'vol.csv']) seen.refused.push(`${await state(page, name)}: ${await why(page, name)}`);
  seen.nothingOf = found('te_groot.csv').length + found('vol.csv').length - before;
  await send(page, file('klein.csv', 'c;d\n'), 'intake');
  await until('a word on it', async () => (await card(page, 'klein.csv').last().locator('.badge').innerText()) === 'niet ontvangen');
  seen.taken = await card(page, 'klein.csv').last().locator('[data-why]').innerText();

  // in the place of another, under the same name only
  const small = found('klein.csv')[0].id;
  await page.goto(`${base}/participant-files/${small}/replace`);
  await send(page, file('anders.csv', 'x'));
  await become(page, 'anders.csv', 'niet ontvangen');
  seen.otherName = await why(page, 'anders.csv');
  await send(page, file('klein.csv', 'e;f\n'));
  await become(page, 'klein.csv', 'ontvangen');
  await anne.look('script-replaced');
  await page.goto(`${base}/participant-files/${small}`);
  seen.replaced = await page.locator('main .badge').first().innerText();

  // in English, and with the policy of the page in force, which walks lay aside for their checks
  await page.goto(`${form}?lang=en`);
  await send(page, file('english.csv', 'g;h\n'), 'wages');
  await become(page, 'english.csv', 'received');
  await anne.look('script-english');
  const strict = await (await browser.newContext({ ignoreHTTPSErrors: true, locale: 'nl-NL' }));
  await strict.addCookies(await context.cookies());
  const guarded = await strict.newPage();
  seen.policy = [];
  guarded.on('console', (message) => message.type() === 'error' && seen.policy.push(message.text()));
  await guarded.goto(form);
  await guarded.check('#product-wages');
  await guarded.setInputFiles('#file', file('bewaakt.csv', 'i;j\n'));
  await guarded.press('main form button[type=submit]', 'Enter');
  await become(guarded, 'bewaakt.csv', 'ontvangen');
  seen.guarded = found('bewaakt.csv')[0].state;

  // for a client
  await activateAccount(iris, base, 'iris@bureau.example', office('account', 'link', 'iris@bureau.example'));
  await iris.page.goto(`${base}/clients/alpha/participant-files/new`);
  await send(iris.page, file('namens.csv', 'k;l\n'));
  await become(iris.page, 'namens.csv', 'ontvangen');
  await iris.look('script-client');
  await receipt(iris.page, 'namens.csv');
  seen.onBehalf = [new URL(iris.page.url()).pathname.split('/').slice(1, 3).join('/'), await iris.page.locator('dl.facts').innerText()];
});
