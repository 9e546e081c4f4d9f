// The register of incidents in the office: a security officer opens one and says what it is, an officer reports and
// closes it. Arguments: address of the office, folder for screenshots, the links of the two, and the command line.
const [base, folder, watchLink, bertLink] = process.argv.slice(1);

walk(base, folder, async (browser, somebody) => {
  const [watch, bert, stranger] = [await somebody(), await somebody(), await somebody()];
  for (const [who, link, name] of [[watch, watchLink, 'watch'], [bert, bertLink, 'bert']]) {
    const key = await activate(who, link);
    await signIn(who, base, `${name}@operator.example`, key);
  }
  const numbers = (who) => who.page.locator('tbody tr td:first-child').allTextContents();
  const tick = async (who, id) => { await who.page.focus(id); await who.page.keyboard.press('Space'); };

  // opening one: a citizen number is not taken, an organisation must be there
  await watch.press('nav a[href="/office/incidents"]');
  seen.none = await watch.page.locator('main section p').first().textContent();
  await watch.look('office-incidents-none');
  await fill(watch, ['#open-title', 'Sleutel kwijt'], ['#open-description', 'Op straat bij 111222333.'], ['#open-organisations', 'alpha, nobody']);
  await tick(watch, '#open-threatens-confidentiality');
  await send(watch, '/office/incidents');
  const kept = await watch.page.isChecked('#open-threatens-confidentiality');
  seen.citizen = [await watch.page.locator('.alert').count(), await watch.page.inputValue('#open-title'), kept];
  await watch.look('office-incidents-mistake');
  await fill(watch, ['#open-description', 'Een sleutel van een robot lag op straat. <script>alert(1)</script>']);
  await send(watch, '/office/incidents');
  seen.unknown = [await watch.page.locator('.alert').count(), await watch.page.inputValue('#open-organisations')];
  await fill(watch, ['#open-organisations', 'alpha']);
  await send(watch, '/office/incidents');
  seen.opened = await notice(watch);
  seen.title = await watch.page.textContent('h1');
  seen.script = await watch.page.locator('main script').count();
  await watch.look('office-incident-open');

  // what was done, and what it is
  await watch.page.selectOption('#note-kind', 'measure');
  await fill(watch, ['#note-text', 'Sleutel ingetrokken.']);
  await send(watch, '/note');
  seen.noted = await notice(watch);
  seen.notYet = [await watch.page.locator('#close-text').count(), await watch.page.getByText('U kunt het incident nog niet sluiten').count()];
  const old = await bert.page.goto(`${base}/office/incidents/1`).then(() => bert.page.inputValue('input[name=seen]'));
  await watch.page.selectOption('#change-severity', 'high');
  await watch.page.selectOption('#change-personal', 'yes');
  await watch.page.fill('#change-until', '2099-01-01T10:00');
  await send(watch, '/office/incidents/1');
  seen.refused = [await watch.page.locator('.alert').count(), await watch.page.inputValue('#change-severity'), await watch.page.inputValue('#change-title')];
  await watch.page.fill('#change-until', '');
  await send(watch, '/office/incidents/1');
  await notice(watch);
  // who had seen what stood there before changes nothing
  if (old !== '2') throw new Error(`two entries were seen: ${old}`);
  await fill(bert, ['#change-title', 'Iets anders']);
  await send(bert, '/office/incidents/1');
  seen.stale = await bert.page.locator('.alert').count();

  // an officer reports and closes
  await bert.press('nav a[href="/office/incidents"]');
  await bert.page.selectOption('#s-state', 'pending');
  await bert.press('form[role=search] button');
  seen.pending = await numbers(bert);
  await bert.look('office-incidents');
  await bert.press('tbody a[href^="/office/incidents/"]');
  await fill(bert, ['#contain-text', 'Niemand komt er nog mee in.']);
  await send(bert, '/contain');
  await fill(bert, ['#report-reference', 'AP-2026-7']);
  await send(bert, '/report');
  seen.closable = [await bert.page.locator('#close-text').count(), await bert.page.locator('#contain-text').count()];
  await bert.look('office-incident-reported');
  await fill(bert, ['#close-text', 'Sleutels liggen nu in een kluis.']);
  await send(bert, '/close');
  seen.closed = [await notice(bert), await bert.page.locator('main form[method=post]').count()];
  await bert.look('office-incident-closed');
  await bert.page.goto(`${base}/office/incidents`);
  seen.shut = await bert.page.locator('main section p').first().textContent();
  await watch.page.goto(`${base}/office/incidents/1`);
  await fill(watch, ['#reopen-text', 'Er was een tweede sleutel.']);
  await send(watch, '/reopen');
  seen.steps = await watch.page.locator('tbody tr td:nth-child(3)').allTextContents();
  await watch.page.goto(`${base}/office/incidents`);
  seen.open = await numbers(watch);
  await watch.page.goto(`${base}/office/incidents/1?lang=en`);
  seen.english = await watch.page.textContent('h1');
  await watch.look('office-incident-english');
  await stranger.page.goto(`${base}/office/incidents/1`);
  seen.stranger = new URL(stranger.page.url()).pathname;
});
