// Anne finds what there is to know of a product and reads it; a colleague who is coupled to nothing sees none of
// it. By keyboard. Arguments: base address, folder for screenshots, and the command line of the operator.
const [base, folder, ...operator] = process.argv.slice(1);
const office = (...words) => JSON.parse(execFileSync(operator[0], [...operator.slice(1), ...words, '--json'], { encoding: 'utf8' }));

async function enter({ page, type }, email) {
  const link = new URL(office('account', 'link', email).link);
  await page.goto(base + link.pathname);
  await type(['#password', password], ['#again', password]);
  await page.waitForSelector('.qr');
  const key = (await page.textContent('.key')).replaceAll(' ', '');
  await type(['#code', codeOf(key, step())]);
  await page.waitForSelector('.codes');
  await page.goto(`${base}/sign-in`);
  await type(['#email', email], ['#password', password]);
  await page.waitForSelector('#code');
  await type(['#code', codeOf(key, step() + 1)]);
  await page.waitForURL('**/start');
}

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

walk(base, folder, async (_, somebody) => {
  const [anne, bea] = [await somebody(), await somebody()];
  await enter(anne, 'anne@alpha.example');
  await enter(bea, 'bea@alpha.example');
  await documents(anne, bea);
});
