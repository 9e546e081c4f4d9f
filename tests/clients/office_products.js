// Two people of the office: an administrator makes a product and an agreement, steers a delivery and reads the history; an
// officer proposes a key of an organisation, which only the other can confirm. Arguments: address of the office, folder
// for screenshots, the links of both, a key, a second one, and the command line.
const [base, folder, headLink, bertLink, key, later, ...operator] = process.argv.slice(1);
const cli = (...words) => JSON.parse(execFileSync(operator[0], [...operator.slice(1), ...words, '--json'], { encoding: 'utf8' }));
const refusedCli = (...words) => {
  try {
    return cli(...words);
  } catch (error) {
    return error.status;
  }
};

walk(base, folder, async (_, somebody) => {
  const [head, bert] = [await somebody(), await somebody()];
  const headKey = await activate(head, headLink);
  await signIn(head, base, 'head@operator.example', headKey);
  const bertKey = await activate(bert, bertLink);
  await signIn(bert, base, 'bert@operator.example', bertKey);

  await head.press('nav a[href="/office/products"]');
  await fill(head, ['#add-code', 'exams'], ['#add-name', 'Examens'], ['#add-retention', '30x']);
  await send(head, '/office/products');
  seen.mistake = [await head.page.locator('.alert').textContent(), await head.page.inputValue('#add-code')];
  await fill(head, ['#add-retention', '10d']);
  await send(head, '/office/products');
  seen.product = [await notice(head), await head.page.locator('tbody tr').count()];
  await head.look('office-products');
  await head.press('a[href="/office/products/exams"]');
  await fill(head, ['#change-retention', '20d']);
  await send(head, '/office/products/exams');
  await head.look('office-product');
  // documents come in by a form without a script
  await head.press('a[href="/office/products/exams/documents"]');
  await head.look('office-documents-none');
  const put = async (form, file, version) => {
    await head.page.setInputFiles(`#${form}-file`, `${folder}/${file}`);
    await head.page.fill(`#${form}-version`, version);
  };
  const alert = () => head.page.locator('.alert').textContent();
  const writes = { 'exams-1.0.pdf': 'eerste versie\n'.repeat(20_000), 'met spatie.pdf': 'x', 'leeg.pdf': '', 'groot.pdf': 'x'.repeat(1_100_000) };
  for (const [file, text] of Object.entries(writes)) writeFileSync(`${folder}/${file}`, text);
  await put('add', 'exams-1.0.pdf', '1.0');
  await send(head, '/documents');
  seen.documentAdded = [await notice(head), (await head.page.locator('tbody tr').allInnerTexts()).map((row) => row.split('\t').slice(0, 3).join(' | '))];
  await head.look('office-documents');
  seen.documentMistakes = [];
  for (const file of ['exams-1.0.pdf', 'met spatie.pdf', 'leeg.pdf', 'groot.pdf']) {
    await put('add', file, '');
    await send(head, '/documents');
    seen.documentMistakes.push(await alert());
  }
  await head.look('office-documents-mistake');
  await head.press('main a[href="/office/products/exams/documents/exams-1.0.pdf"]');
  await head.look('office-document');
  writeFileSync(`${folder}/exams-1.1.pdf`, 'tweede versie\n');
  await put('replace', 'exams-1.1.pdf', '1.1');
  await send(head, '/replace');
  seen.documentReplaced = [await notice(head), (await head.page.locator('tbody tr').allInnerTexts()).map((row) => row.split('\t').slice(0, 3).join(' | '))];
  seen.documentListed = cli('product', 'document', 'list', 'exams').map((row) => [row.fileName, row.version, row.size]);
  // a form of somebody else, and somebody who may not
  const forged = { multipart: { token: 'made-up', version: '', file: { name: 'evil.pdf', mimeType: 'application/pdf', buffer: Buffer.from('evil') } }, headers: { origin: base } };
  seen.documentForged = [(await head.page.request.post(`${base}/office/products/exams/documents`, forged)).status()];
  await bert.page.goto(`${base}/office/products/exams/documents`);
  seen.documentFormsOfBert = await bert.page.locator('main form[method=post]').count();
  await bert.look('office-documents-officer');
  forged.multipart.token = await bert.page.locator('input[name=token]').first().getAttribute('value');
  seen.documentForged.push((await bert.page.request.post(`${base}/office/products/exams/documents`, forged)).status());
  await head.page.goto(`${base}/office/products/exams/documents/exams-1.0.pdf`);
  await head.page.focus('#remove-sure');
  await head.page.keyboard.press('Space');
  await send(head, '/remove');
  seen.documentRemoved = [await notice(head), cli('product', 'document', 'list', 'exams').length];
  await head.page.goto(`${base}/office/products/exams`);
  // an officer finds no form for what is offered
  await bert.press('nav a[href="/office/products"]');
  seen.bertForms = await bert.page.locator('main form[method=post]').count();

  await bert.press('nav a[href="/office/agreements"]');
  await bert.page.selectOption('#add-organisation', 'alpha');
  await bert.page.selectOption('#add-product', 'exams');
  await fill(bert, ['#add-purpose', 'toezicht']);
  await send(bert, '/office/agreements');
  seen.agreement = await notice(bert);
  await bert.look('office-agreements');
  await bert.press('a[href="/office/agreements/alpha/exams"]');
  await bert.look('office-agreement');

  const published = cli('delivery', 'publish', `${folder}/exams.csv`, '--product', 'exams', '--organisation', 'alpha');
  await bert.page.goto(`${base}/office`);
  await bert.look('office-queue-full');
  seen.unfetched = await bert.page.locator('a[href^="/office/deliveries/"]').count();
  await bert.press('nav a[href="/office/deliveries"]');
  await bert.look('office-deliveries');
  await bert.press('a[href^="/office/deliveries/"]:not(nav a)');
  await bert.look('office-delivery');
  await bert.page.fill('#extend-until', '2099-01-31');
  await send(bert, '/extend');
  seen.extended = (await bert.page.locator('.facts').textContent()).includes('31 januari 2099');
  await fill(bert, ['#hold-reason', 'Onderzoek']);
  await send(bert, '/hold');
  seen.held = await bert.page.locator('form[action*="/release"]').count();
  await send(bert, '/release');
  await fill(bert, ['#withdraw-reason', 'Verkeerd bestand']);
  await bert.page.focus('#withdraw-sure');
  await bert.page.keyboard.press('Space');
  await send(bert, '/withdraw');
  seen.withdrawn = await notice(bert);
  await bert.look('office-delivery-withdrawn');

  // a key of an organisation is coupled by two
  await bert.page.goto(`${base}/office/organisations/alpha`);
  await fill(bert, ['#key-key', key]);
  await send(bert, '/keys');
  seen.proposed = await notice(bert);
  seen.keysBefore = cli('recipient-key', 'list', '--organisation', 'alpha').length;
  await bert.page.goto(`${base}/office`);
  await bert.press('a[href^="/office/proposals/"]');
  seen.own = await bert.page.locator('form[action*="/confirm"]').count();
  const address = new URL(bert.page.url()).pathname;
  const token = await bert.page.locator('input[name=token]').first().getAttribute('value');
  seen.ownForced = (await bert.page.request.post(`${base}${address}/confirm`, { form: { token }, headers: { origin: base } })).status();
  await head.page.goto(`${base}/office`);
  await head.look('office-queue-proposal');
  await head.press('a[href^="/office/proposals/"]');
  await head.look('office-proposal');
  await send(head, '/confirm');
  seen.confirmed = await notice(head);
  seen.keysAfter = cli('recipient-key', 'list', '--organisation', 'alpha').length;
  await head.page.goto(`${base}/office/organisations/alpha`);
  await head.look('office-keys');
  // the command line asks for two as well: its user cannot be both
  const proposed = cli('recipient-key', 'add', '--organisation', 'alpha', '--file', later);
  seen.cliProposed = proposed.map((row) => [row.act, row.by.startsWith('uid:')]);
  seen.cliAlone = refusedCli('proposal', 'confirm', proposed[0].id);
  await head.page.goto(`${base}/office/proposals/${proposed[0].id}`);
  await send(head, '/reject');
  seen.rejected = await notice(head);
  seen.keysAtLast = cli('recipient-key', 'list', '--organisation', 'alpha').length;

  await head.press('nav a[href="/office/history"]');
  await fill(head, ['#s-organisation', 'alpha']);
  await Promise.all([head.page.waitForNavigation(), head.page.keyboard.press('Enter')]);
  await head.look('office-history');
  seen.history = await head.page.locator('tbody tr').count();
  const csv = head.page.waitForEvent('download');
  await head.page.locator('a[download]').focus();
  await head.page.keyboard.press('Enter');
  seen.csv = readFileSync(await (await csv).path(), 'utf8').split('\r\n').filter((line) => line.includes('proposal-confirmed')).length;
  await bert.page.goto(`${base}/office/agreements/alpha/exams`);
  await bert.page.focus('#end-sure');
  await bert.page.keyboard.press('Space');
  await send(bert, '/end');
  seen.ended = await notice(bert);
  seen.delivery = published.deliveries.length;
});
