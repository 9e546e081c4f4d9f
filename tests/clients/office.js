// The operator's office, by keyboard: the first administrator activates her account and signs in, judges a request of
// an unknown organisation, blocks an account whose session is cut, starts and ends an interruption, adds a colleague.
// Arguments: address of the office, folder for screenshots, folder of e-mails, address of the portal, the links of
// the administrator and of the security officer, and the command line.
const [base, folder, mails, portal, headLink, watchLink, ...operator] = process.argv.slice(1);
const cli = (...words) => JSON.parse(execFileSync(operator[0], [...operator.slice(1), ...words, '--json'], { encoding: 'utf8' }));

// The newest link of this kind that was mailed to somebody, at the address that the test serves.
async function mailed(address, path, at) {
  for (let tries = 0; tries < 200; tries += 1) {
    const texts = (existsSync(mails) ? readdirSync(mails) : []).filter((name) => name.endsWith('.eml')).map((name) => readFileSync(`${mails}/${name}`, 'latin1'));
    for (const text of texts.filter((text) => text.includes(`To: ${address}`))) {
      const plain = text.replaceAll('=\r\n', '').replaceAll('=3D', '=');
      const found = plain.match(new RegExp(`https://[^/\\s]+(${path}[a-z0-9]{52})`));
      if (found) return at + found[1];
    }
    await new Promise((done) => setTimeout(done, 100));
  }
  throw new Error(`no mail with ${path} to ${address}`);
}

walk(base, folder, async (browser, somebody) => {
  const [head, watch] = [await somebody(), await somebody()];
  // a page of the portal is asked for too, by somebody of their own
  const piet = await person(browser, portal, folder);
  const headKey = await activate(head, headLink, 'office');
  await head.page.goto(`${base}/office`);
  seen.before = new URL(head.page.url()).pathname;
  await signIn(head, base, 'head@operator.example', headKey, 'office');
  await head.look('office-queue-empty');

  // neither account gets in at the other door, and the answer is that of a wrong password
  await piet.page.goto(`${portal}/sign-in`);
  await piet.type(['#email', 'head@operator.example'], ['#password', password]);
  seen.atPortal = await piet.page.locator('.alert').textContent();
  await piet.page.goto(`${portal}/sign-in`);
  await piet.type(['#email', 'nobody@operator.example'], ['#password', password]);
  seen.nobody = await piet.page.locator('.alert').textContent();

  // somebody of an organisation that nobody knows asks for an account (B4)
  await piet.page.goto(`${portal}/account-request`);
  await piet.page.selectOption('#salutation', 'neutral');
  await piet.type(['#name', 'Piet Bos'], ['#email', 'piet@nieuw.example']);
  await piet.page.waitForURL('**/account-request/organisation/*');
  await piet.type(['#name', 'Gemeente Nieuw']);
  await piet.page.waitForURL('**/account-request/sent');
  await piet.page.goto(await mailed('piet@nieuw.example', '/account-request/confirm/', portal));
  await piet.press('form button[type=submit]');

  await head.page.goto(`${base}/office`);
  await head.look('office-queue');
  await head.press('a[href^="/office/requests/"]');
  await head.look('office-request');
  seen.prefilled = await head.page.inputValue('#new-name');
  await fill(head, ['#new-code', 'Nieuw!']);
  await send(head, '/approve-new');
  await head.look('office-request-mistake');
  seen.mistake = [await head.page.locator('.alert').textContent(), await head.page.inputValue('#new-code')];
  await fill(head, ['#new-code', 'nieuw']);
  await send(head, '/approve-new');
  seen.approved = await notice(head);
  const pietKey = await activate(piet, await mailed('piet@nieuw.example', '/account/', portal));
  await signIn(piet, portal, 'piet@nieuw.example', pietKey);
  seen.pietIsAdministrator = await piet.page.locator('nav a[href="/access"]').count();
  await head.page.goto(`${base}/sign-in`);
  // an account of the portal is nobody here
  const stranger = await somebody();
  await stranger.page.goto(`${base}/sign-in`);
  await stranger.type(['#email', 'piet@nieuw.example'], ['#password', password]);
  seen.atOffice = await stranger.page.locator('.alert').textContent();

  // the watcher sees, blocks, and finds no form for anything else
  const watchKey = await activate(watch, watchLink);
  await signIn(watch, base, 'watch@operator.example', watchKey);
  await watch.press('nav a[href="/office/organisations"]');
  seen.watcherForms = await watch.page.locator('main form[method=post]').count();
  await watch.press('nav a[href="/office/accounts"]');
  await watch.look('office-accounts');
  await watch.press('a[href="/office/accounts/piet@nieuw.example"]');
  await watch.look('office-account');
  seen.watcherFormsOfAccount = await watch.page.locator('main form[method=post]').count();
  await fill(watch, ['#block-reason', 'Misbruik gemeld']);
  await send(watch, '/block');
  seen.blocked = await notice(watch);
  await watch.look('office-account-blocked');
  await piet.page.goto(`${portal}/start`);
  seen.pietAfterBlock = new URL(piet.page.url()).pathname;

  await head.page.goto(`${base}/office/accounts?show=piet`);
  seen.found = await head.page.locator('tbody tr').count();
  await head.press('a[href="/office/accounts/piet@nieuw.example"]');
  await send(head, '/unblock');
  seen.unblocked = await notice(head);

  await head.press('nav a[href="/office/organisations"]');
  await head.look('office-organisations');
  await head.press('a[href="/office/organisations/nieuw"]');
  await head.look('office-organisation');
  await fill(head, ['#change-name', 'Gemeente Nieuw-Zuid']);
  await send(head, '/office/organisations/nieuw');
  seen.renamed = await head.page.locator('h1').textContent();

  await head.press('nav a[href="/office/interruptions"]');
  await head.look('office-interruptions');
  await fill(head, ['#start-nature', 'gepland onderhoud']);
  await head.page.fill('#start-until', '2099-12-31T23:00');
  await send(head, '/office/interruptions');
  await head.look('office-interruption-runs');
  const shut = await piet.page.goto(`${portal}/`);
  seen.shut = [shut.status(), (await shut.text()).includes('gepland onderhoud')];
  await head.page.goto(`${base}/office`);
  await head.page.goto(`${base}/office/interruptions`);
  await send(head, '/end');
  seen.reopened = (await piet.page.goto(`${portal}/`)).status();

  await head.press('nav a[href="/office/colleagues"]');
  await fill(head, ['#add-email', 'new@operator.example']);
  await send(head, '/office/colleagues');
  await head.look('office-colleagues');
  seen.colleagues = await head.page.locator('tbody tr').count();
  // the link of the office opens at its own door alone
  const link = await mailed('new@operator.example', '/account/', base);
  seen.linkElsewhere = (await piet.page.goto(link.replace(base, portal))).status();
  seen.linkHere = (await stranger.page.goto(link)).status();

  // a form without the session's own token, and one of another site, change nothing
  const forge = (headers) => head.page.request.post(`${base}/office/organisations`, { form: { code: 'evil', name: 'Evil' }, headers });
  seen.forged = [(await forge({ origin: base })).status(), (await forge({ origin: 'https://evil.example' })).status()];
  seen.cookies = (await head.context.cookies()).map((cookie) => `${cookie.name} ${cookie.sameSite} ${cookie.secure} ${cookie.httpOnly}`);
  await head.page.goto(`${base}/office?lang=en`);
  await head.look('office-english');
  await head.press('nav button');
  await head.look('office-signed-out');
  await head.page.goto(`${base}/office/accounts`);
  seen.after = new URL(head.page.url()).pathname;
  // a security officer who is ended loses the session at once
  cli('office', 'end', 'watch@operator.example');
  await watch.page.goto(`${base}/office`);
  seen.watcherEnded = new URL(watch.page.url()).pathname;
});
