// Participant files in the office: an officer finds them by organisation, uploader, product and state, rejects one with
// the reason and says that another was processed; a security officer only looks. Arguments: address of the office,
// folder for screenshots, the links of the two, where files are collected, and the command line.
const [base, folder, bertLink, watchLink, collected, ...operator] = process.argv.slice(1);
const cli = (...words) => JSON.parse(execFileSync(operator[0], [...operator.slice(1), ...words, '--json'], { encoding: 'utf8' }));
const fact = async ({ page }, label) => (await page.locator(`.facts dt:text-is("${label}") + dd`).textContent()).trim();
const rows = ({ page }) => page.locator('tbody tr').count();
const found = (name) => cli('upload', 'list').find((one) => one.name === name);

walk(base, folder, async (_, somebody) => {
  const [bert, watch] = [await somebody(), await somebody()];
  for (const [who, link, name] of [[bert, bertLink, 'bert'], [watch, watchLink, 'watch']]) {
    const key = await activate(who, link);
    await signIn(who, base, `${name}@operator.example`, key);
  }
  const seek = async (who, query) => {
    await who.page.goto(`${base}/office/uploads?${query}`);
    return rows(who);
  };

  await bert.press('nav a[href="/office/uploads"]');
  await bert.look('office-uploads');
  seen.listed = await rows(bert);
  seen.first = await bert.page.locator('tbody tr a').first().textContent();
  await fill(bert, ['#s-by', 'bureau']);
  await bert.press('form[role=search] button');
  seen.byBureau = [await rows(bert), await bert.page.locator('tbody tr').first().innerText()];
  seen.sought = [
    await seek(bert, 'state=receiving'),
    await seek(bert, 'organisation=alpha&product=intake'),
    await seek(bert, 'organisation=beta'),
    await seek(bert, 'product=Nothing!'),
    await seek(bert, 'organisation=alpha&state=accepted'),
  ];
  await seek(bert, 'state=receiving');
  await bert.press('tbody a');
  await bert.look('office-upload-receiving');
  seen.formsOfUnfinished = await bert.page.locator('main form[method=post]').count();

  // rejected with the reason, which must be there
  const wrong = found('fout.csv');
  await bert.page.goto(`${base}/office/uploads/${wrong.id}`);
  await bert.look('office-upload');
  seen.uploader = await fact(bert, 'Geüpload door');
  await bert.page.locator('#reject-report').evaluate((field) => field.removeAttribute('required'));
  await send(bert, '/reject');
  seen.noReason = [await bert.page.locator('.alert').textContent(), found('fout.csv').stage];
  await fill(bert, ['#reject-report', 'In regel 3 ontbreekt de einddatum.']);
  await send(bert, '/reject');
  seen.rejected = [await notice(bert), await fact(bert, 'Status'), found('fout.csv').stage];
  await bert.look('office-upload-rejected');
  seen.report = (await bert.page.locator('main').innerText()).includes('In regel 3 ontbreekt de einddatum.');

  // what the back office has was processed
  const good = found('goed.csv');
  cli('upload', 'collect', good.id, '--to', collected);
  await bert.page.goto(`${base}/office/uploads/${good.id}`);
  await send(bert, '/accept');
  seen.processed = [await notice(bert), await fact(bert, 'Status')];
  await bert.look('office-upload-processed');
  seen.papers = [];
  for (const paper of ['receipt', 'result']) {
    const answer = await bert.page.request.get(`${base}/office/uploads/${good.id}/${paper}`);
    seen.papers.push([answer.status(), JSON.parse(await answer.text()).upload !== null, answer.headers()['content-disposition']]);
  }
  seen.formsAfter = await bert.page.locator('main form[method=post]').count();

  // who only looks has no form, and is refused what it would send
  const other = found('namens.csv');
  await watch.page.goto(`${base}/office/uploads/${other.id}`);
  await watch.look('office-upload-watched');
  seen.watcherForms = await watch.page.locator('main form[method=post]').count();
  seen.onBehalf = await fact(watch, 'Geüpload door');
  const token = await watch.page.locator('header input[name=token]').inputValue();
  const forged = (form) => watch.page.request.post(`${base}/office/uploads/${other.id}/reject`, { form, headers: { origin: base } });
  seen.forged = [(await forged({ token, report: 'x' })).status(), (await forged({ report: 'x' })).status(), found('namens.csv').stage];
  seen.missing = (await watch.page.request.get(`${base}/office/uploads/${'0'.repeat(32)}`)).status();

  await bert.page.goto(`${base}/office/uploads`);
  await bert.press('a[href="/office/uploads/expected"]');
  await bert.look('office-expected');
  seen.expected = await bert.page.locator('tbody tr').allInnerTexts();
  await bert.page.goto(`${base}/office/uploads/expected?organisation=beta&lang=en`);
  await bert.look('office-expected-english');
  seen.expectedOfBeta = await rows(bert);
});
