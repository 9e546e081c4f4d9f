// Anne finds what there is to know of a product and reads it; a colleague who is coupled to nothing sees none of
// it. By keyboard. Arguments: base address, folder for screenshots, and the command line of the operator.
const [base, folder, ...operator] = process.argv.slice(1);
const office = (...words) => JSON.parse(execFileSync(operator[0], [...operator.slice(1), ...words, '--json'], { encoding: 'utf8' }));

const enter = (who, email) => activateAccount(who, base, email, office('account', 'link', email));

// What pressing a link saves, as text.
async function saved(page, selector) {
  await page.locator(selector).first().focus();
  const [download] = await Promise.all([page.waitForEvent('download'), page.keyboard.press('Enter')]);
  return { name: download.suggestedFilename(), bytes: readFileSync(await download.path()) };
}

async function documents(anne, bea) {
  await anne.press('nav a[href="/documents"]');
  await anne.look('documents');
  seen.documents = await anne.page.locator('main tbody a').allInnerTexts();
  seen.versions = await anne.page.locator('main tbody td:nth-child(2)').allInnerTexts();
  const specification = await saved(anne.page, 'main tbody a');
  seen.specification = [specification.name, createHash('sha256').update(specification.bytes).digest('hex')];
  await anne.page.locator('summary').first().focus();
  await anne.page.keyboard.press('Enter');
  seen.digest = await anne.page.locator('.digest').first().innerText();
  await anne.look('documents-digests');
  await anne.page.goto(`${base}/documents?lang=en`);
  await anne.look('documents-english');
  await anne.page.goto(`${base}/start?lang=nl`);
  // nothing tells a stranger's product from one that is not there
  await bea.page.goto(`${base}/documents`);
  await bea.look('documents-none');
  seen.beaSees = await bea.page.locator('main').innerText();
  seen.beaGets = [];
  for (const path of ['wages/wages-1.5.pdf', 'wages/absent.pdf', 'absent/absent.pdf']) {
    seen.beaGets.push((await bea.page.request.get(`${base}/documents/${path}`)).status());
  }
}

const numbers = (page) => page.locator('main tbody td:nth-child(2)').allInnerTexts();
const states = (page) => page.locator('main tbody .badge').allInnerTexts();

async function search(anne) {
  const { page, look, press, type } = anne;
  await page.goto(`${base}/start`);
  await press('nav a[href="/deliveries"]');
  await look('deliveries');
  seen.choices = await page.locator('#product option').allInnerTexts();
  const first = await numbers(page);
  await press('a[rel=next]');
  await look('deliveries-older');
  const second = await numbers(page);
  seen.listed = [first.length, second.length, new Set([...first, ...second]).size];
  await page.goto(`${base}/deliveries`);
  await page.selectOption('#product', 'flash');
  await press('search button');
  seen.expired = await states(page);
  await press('search .button--subtle');
  await page.selectOption('#state', 'gone');
  await press('search button');
  seen.gone = (await states(page)).sort();
  await page.selectOption('#state', 'fetched');
  await press('search button');
  seen.fetchedState = await states(page);
  await page.goto(`${base}/deliveries`);
  await type(['#text', 'week 7']);
  await page.waitForURL('**text=week*');
  await look('deliveries-found');
  seen.found = await page.locator('main tbody td:nth-child(3)').allInnerTexts();
  seen.kept = await page.inputValue('#text');
  await page.goto(`${base}/deliveries?text=${encodeURIComponent('"><script>alert(1)</script>')}&state=made-up&from=31-12-2026&after=nothing&lang=en`);
  await look('deliveries-nothing');
  seen.nothing = await page.innerText('main [role=status]');
  seen.broken = [await page.inputValue('#text'), await page.inputValue('#state'), await page.inputValue('#from')];
  await page.goto(`${base}/deliveries?from=2035-01-01&lang=nl`);
  seen.future = (await numbers(page)).length;
}

async function delivery(anne, bea) {
  const { page, look, press } = anne;
  await page.goto(`${base}/deliveries?text=salaries`);
  await press('main tbody a');
  const at = page.url();
  await look('delivery');
  seen.rows = (await page.locator('section[aria-labelledby=fetches] tbody tr').allInnerTexts()).map((row) => row.split('\t').slice(1).join(' | '));
  seen.specifications = await page.locator('section[aria-labelledby=documents] a').allInnerTexts();
  const digests = await saved(page, 'a[href$="/digests"]');
  const file = await saved(page, 'a.button[href*="/files/"]');
  const digest = createHash('sha256').update(file.bytes).digest('hex');
  seen.digestList = digests.bytes.toString() === `${digest}  ${file.name}\n`;
  // a download goes on where it broke off
  const part = await page.request.get(`${at}/files/1`, { headers: { Range: `bytes=${file.bytes.length - 10}-` } });
  seen.part = [part.status(), (await part.body()).equals(file.bytes.subarray(-10))];
  await page.locator('summary').focus();
  await page.keyboard.press('Enter');
  await look('delivery-checked');
  seen.commands = await page.locator('details code').allInnerTexts();
  await page.reload();
  seen.rowsAfter = (await page.locator('section[aria-labelledby=fetches] tbody tr').allInnerTexts()).map((row) => row.split('\t').slice(1).join(' | '));
  await press('a[href$="/slip"]');
  await look('slip');
  seen.slip = await page.locator('main').innerText();
  await page.emulateMedia({ media: 'print' });
  await page.setViewportSize({ width: 794, height: 1123 });
  await page.screenshot({ path: `${folder}/slip-print.png`, fullPage: true });
  seen.printed = await page.locator('main a:visible, .nav-bar:visible, iframe:visible, .button:visible').allInnerTexts();
  await page.emulateMedia({ media: 'screen' });
  await page.setViewportSize({ width: 1100, height: 800 });
  // the paper of what is gone stays
  await page.goto(`${base}/deliveries?product=flash`);
  await press('main tbody a');
  await look('delivery-gone');
  seen.goneOffers = await page.locator('a[href*="/files/"], a[href$="/digests"], a[download][href*="/deliveries/"]').count();
  await press('a[href$="/slip"]');
  seen.goneSlip = await page.locator('main h1').innerText();
  // whose agreement hides the history
  await page.goto(`${base}/deliveries?product=hushed`);
  const state = await states(page);
  await press('main tbody a');
  await look('delivery-hushed');
  const shown = await page.locator('section[aria-labelledby=fetches]').count();
  await page.goto(`${base}/deliveries?product=hushed&state=fetched`);
  seen.hushed = [state, shown, await page.locator('main tbody tr').count()];
  // who is not coupled gets the answer of what is not there
  seen.beaGetsDelivery = [];
  for (const path of ['', '/slip', '/digests', '/packing-slip', '/files/1']) {
    seen.beaGetsDelivery.push((await bea.page.request.get(at + path)).status());
  }
  await bea.page.goto(`${base}/deliveries?product=wages`);
  seen.beaList = [await bea.page.locator('#product option').count(), await bea.page.locator('main tbody tr').count()];
}

// Several files come as one ZIP file, and each of them counts.
async function together(anne, bea) {
  const { page, look, press } = anne;
  const files = ['lonen.csv', 'toelichting.txt'].map((name) => `${folder}/${name}`);
  files.forEach((path, number) => writeFileSync(path, 'regel\n'.repeat(1000 + number)));
  const made = office('delivery', 'publish', ...files, '--product', 'wages', '--period', 'november 2026');
  await page.goto(`${base}/deliveries?text=november&lang=nl`);
  await press('main tbody a');
  await look('delivery-several');
  seen.together = await page.locator('section[aria-labelledby=files] p').first().innerText();
  seen.togetherNote = await page.locator('section[aria-labelledby=files] p').nth(1).innerText();
  const zip = await saved(page, 'a[href$="/archive"]');
  writeFileSync(`${folder}/delivery.zip`, zip.bytes);
  seen.zipName = zip.name === `${made.deliveries[0].name}.zip`;
  const at = page.url().split('?')[0];
  const part = await page.request.get(`${at}/archive`, { headers: { Range: 'bytes=100-' } });
  seen.zipPart = [part.status(), (await part.body()).equals(zip.bytes.subarray(100))];
  await page.reload();
  await look('delivery-several-fetched');
  seen.zipState = await page.locator('.facts .badge').first().innerText();
  await page.goto(`${at}?lang=en`);
  await look('delivery-several-english');
  seen.beaGetsZip = (await bea.page.request.get(`${at}/archive`)).status();
}

walk(base, folder, async (_, somebody) => {
  const [anne, bea] = [await somebody(), await somebody()];
  await enter(anne, 'anne@alpha.example');
  await enter(bea, 'bea@alpha.example');
  await documents(anne, bea);
  await search(anne);
  await delivery(anne, bea);
  await together(anne, bea);
});
