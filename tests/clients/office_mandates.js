// Mandates and terms of use in the office: an administrator proposes a mandate that an officer confirms; what reaches
// further waits again, what takes away does not; a security officer blocks it. Then a version of the terms is published,
// and an acceptance is put on record. Arguments: address of the office, folder for screenshots, the links of the three,
// the file with a long text, and the command line.
const [base, folder, headLink, bertLink, watchLink, longText, ...operator] = process.argv.slice(1);
const cli = (...words) => JSON.parse(execFileSync(operator[0], [...operator.slice(1), ...words, '--json'], { encoding: 'utf8' }));
const tick = async ({ page }, id) => {
  await page.focus(id);
  await page.keyboard.press('Space');
};
const fact = async ({ page }, label) => (await page.locator(`.facts dt:text-is("${label}") + dd`).textContent()).trim();
const rows = ({ page }) => page.locator('tbody tr').count();

walk(base, folder, async (_, somebody) => {
  const [head, bert, watch] = [await somebody(), await somebody(), await somebody()];
  for (const [who, link, name] of [[head, headLink, 'head'], [bert, bertLink, 'bert'], [watch, watchLink, 'watch']]) {
    const key = await activate(who, link);
    await signIn(who, base, `${name}@operator.example`, key);
  }

  await head.press('nav a[href="/office/mandates"]');
  await head.page.selectOption('#add-intermediary', 'bureau');
  await head.page.selectOption('#add-client', 'alpha');
  await send(head, '/office/mandates');
  seen.nothing = await head.page.locator('.alert').textContent();
  seen.kept = await head.page.inputValue('#add-intermediary');
  await head.look('office-mandates-mistake');
  await tick(head, '#add-product-wages');
  await head.page.fill('#add-until', '2099-12-31');
  await send(head, '/office/mandates');
  seen.proposed = await notice(head);
  seen.listed = await rows(head);
  await head.page.goto(`${base}/office`);
  await head.press('a[href^="/office/proposals/"]');
  seen.own = await head.page.locator('form[action*="/confirm"]').count();

  await bert.page.goto(`${base}/office`);
  await bert.press('a[href^="/office/proposals/"]');
  await bert.look('office-proposal-mandate');
  await send(bert, '/confirm');
  seen.confirmed = await notice(bert);
  await bert.press('nav a[href="/office/mandates"]');
  seen.afterConfirm = await rows(bert);
  await bert.look('office-mandates');
  await bert.press('tbody a[href^="/office/mandates/"]');
  await bert.look('office-mandate');
  const mandate = new URL(bert.page.url()).pathname;

  // more of it waits for the other one, less of it does not
  await tick(bert, '#change-product-exams');
  await send(bert, mandate);
  seen.wider = await notice(bert);
  seen.productsMeanwhile = await fact(bert, 'Producten');
  await head.page.goto(`${base}/office`);
  await head.press('a[href^="/office/proposals/"]');
  await head.look('office-proposal-wider');
  await send(head, '/confirm');
  await bert.page.goto(`${base}${mandate}`);
  seen.productsAfter = await fact(bert, 'Producten');
  await tick(bert, '#change-product-exams');
  await send(bert, mandate);
  seen.narrower = [await notice(bert), await fact(bert, 'Producten')];

  await watch.page.goto(`${base}${mandate}`);
  seen.watcherForms = await watch.page.locator('main form[method=post]').count();
  await fill(watch, ['#block-reason', 'Misbruik gemeld']);
  await send(watch, '/block');
  seen.blocked = await notice(watch);
  await bert.page.goto(`${base}${mandate}`);
  await bert.look('office-mandate-blocked');
  await send(bert, '/unblock');
  seen.unblocked = await notice(bert);
  await tick(bert, '#end-sure');
  await send(bert, '/end');
  seen.ended = await notice(bert);
  seen.formsOfEnded = await bert.page.locator('main form[method=post]').count();
  await bert.page.goto(`${base}/office/mandates`);
  seen.running = await rows(bert);
  await bert.page.goto(`${base}/office/mandates?all=yes&show=bur`);
  seen.all = await rows(bert);
  await bert.page.goto(`${base}/office/mandates?all=yes&show=nobody`);
  seen.sought = await rows(bert);
  const proposed = cli('mandate', 'add', '--intermediary', 'bureau', '--for', 'alpha', '--product', 'wages');
  seen.cliProposed = proposed.map((row) => [row.act, row.by.startsWith('uid:')]);
  seen.cliMandates = cli('mandate', 'list').length;

  // terms of use: only an administrator of the office says what applies
  await bert.press('nav a[href="/office/terms"]');
  seen.bertForms = await bert.page.locator('main form[method=post]').count();
  await head.press('nav a[href="/office/terms"]');
  await head.look('office-terms-none');
  const text = readFileSync(longText, 'utf8');
  await fill(head, ['#publish-version', '1.0']);
  await head.page.fill('#publish-from', '2020-01-01');
  // put in at once: a browser takes its time over keys for so much
  await head.page.locator('#publish-text').evaluate((field, value) => { field.value = value; }, text);
  await head.page.fill('#publish-english', '# Article 1\n\nTake care.');
  await tick(head, '#publish-sure');
  await send(head, '/office/terms');
  seen.early = [(await head.page.locator('.alert').count()) === 1, (await head.page.inputValue('#publish-text')) === text];
  await head.page.fill('#publish-from', '2099-01-31');
  await tick(head, '#publish-sure');
  await send(head, '/office/terms');
  seen.published = await notice(head);
  seen.versions = await rows(head);
  await head.look('office-terms');
  await head.press('a[href="/office/terms/versions/1.0"]');
  seen.whole = await head.page.locator('.document p').count();
  await head.page.goto(`${base}/office/terms/versions/1.0?lang=en`);
  await head.look('office-terms-version');
  await bert.page.goto(`${base}/office/terms/accounts`);
  seen.open = await bert.page.locator('tbody tr a').allTextContents();
  await bert.look('office-terms-accounts');
  await bert.press('tbody tr a');
  await bert.look('office-account-terms');
  await fill(bert, ['#terms-by', 'J. de Vries, brief 2026-114']);
  await send(bert, '/terms');
  seen.recorded = await notice(bert);
  await bert.page.goto(`${base}/office/terms/accounts`);
  seen.openAfter = await rows(bert);
  await bert.page.goto(`${base}/office/terms/accounts?which=accepted`);
  seen.acceptedAfter = await rows(bert);
  await bert.look('office-terms-accepted');

  // a stranger is led to where one signs in, and what is larger than two texts is taken from nobody
  const stranger = await somebody();
  const post = (who, size) => who.page.request.post(`${base}/office/terms`, { form: { version: '2.0', text: 'x'.repeat(size) }, headers: { origin: base } });
  seen.stranger = new URL((await post(stranger, 60_000)).url()).pathname;
  seen.tooLarge = (await post(head, 900_000)).status();
});
