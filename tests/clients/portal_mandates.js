// An intermediary with 40 clients, by keyboard: Iris couples products of one client to Kim, takes Kim's rights over
// for Lee, Kim finds and fetches a delivery of that client, and the client's own administrator ends the mandate.
// Arguments: base address, folder for screenshots, and the command line of the operator.
const [base, folder, ...operator] = process.argv.slice(1);
const office = (...words) => JSON.parse(execFileSync(operator[0], [...operator.slice(1), ...words, '--json'], { encoding: 'utf8' }));

const enter = (who, email) => activateAccount(who, base, email, office('account', 'link', email));

const rows = (page) => page.locator('tbody tr').count();

walk(base, folder, async (_, somebody) => {
  const [iris, kim, hans] = [await somebody(), await somebody(), await somebody()];
  await enter(iris, 'iris@bureau.example');
  await iris.press('nav a[href="/access"]');
  await iris.press('a[href="/intermediary"]');
  await iris.look('intermediary');
  seen.held = await rows(iris.page);
  await iris.type(['#show', 'zomer']);
  await iris.page.waitForURL('**show=zomer');
  seen.filtered = await rows(iris.page);
  await iris.press('a[href="/intermediary/accounts/kim@bureau.example"]');
  await iris.look('intermediary-account');
  seen.offered = await rows(iris.page);
  await iris.type(['#show', 'zomerdam']);
  await iris.page.waitForURL('**show=zomerdam');
  await iris.press('tbody a');
  await iris.look('intermediary-client');
  seen.clientTitle = await iris.page.title();
  await iris.page.focus('#p-suag');
  await iris.page.keyboard.press('Space');
  await iris.press('main form button');
  await iris.look('intermediary-saved');
  seen.saved = await iris.page.textContent('[role=status]');
  // the same for Lee, looked through before it is saved
  await iris.page.goto(`${base}/intermediary/accounts/lee@bureau.example`);
  await iris.page.selectOption('#from', 'kim@bureau.example');
  await iris.press('section form button');
  await iris.look('intermediary-copy');
  seen.copyable = await iris.page.locator('input[type=checkbox]').count();
  await iris.press('main form button');
  seen.copied = await iris.page.textContent('[role=status]');
  await iris.page.goto(`${base}/intermediary/accounts/lee@bureau.example/copy?from=kim%40bureau.example`);
  seen.copyableAfter = await iris.page.locator('input[type=checkbox]').count();
  const csv = iris.page.waitForEvent('download');
  await iris.page.goto(`${base}/intermediary`);
  await iris.page.locator('a[download]').focus();
  await iris.page.keyboard.press('Enter');
  seen.csv = readFileSync(await (await csv).path(), 'utf8');
  // neither an account of others nor a client without a mandate, and no form without the session's own token
  seen.strangers = [];
  for (const path of ['accounts/hans@zomerdam.example', 'accounts/kim@bureau.example/clients/losdorp']) {
    seen.strangers.push((await iris.page.goto(`${base}/intermediary/${path}`)).status());
  }
  const forged = await iris.page.request.post(`${base}/intermediary/accounts/kim@bureau.example/clients/zomerdam`, { form: {}, headers: { origin: base } });
  seen.strangers.push(forged.status());

  await enter(kim, 'kim@bureau.example');
  await kim.look('start-intermediary');
  seen.kimMayNot = (await kim.page.goto(`${base}/intermediary`)).status();
  await kim.page.goto(`${base}/start`);
  await kim.press('nav a[href="/clients"]');
  await kim.look('clients');
  seen.clients = await rows(kim.page);
  seen.counts = await kim.page.locator('tbody td').allInnerTexts();
  await kim.press('tbody a');
  await kim.look('client-deliveries');
  seen.listTitle = await kim.page.title();
  seen.listed = await rows(kim.page);
  await kim.press('tbody a');
  await kim.look('client-delivery');
  seen.deliveryTitle = await kim.page.title();
  const path = new URL(kim.page.url()).pathname;
  const fetching = kim.page.waitForEvent('download');
  await kim.page.locator('a[download]').first().focus();
  await kim.page.keyboard.press('Enter');
  seen.fetched = (await fetching).suggestedFilename();
  // the same delivery is not there under the own organisation, nor under another client
  seen.elsewhereStatus = [];
  for (const other of [path.replace('/clients/zomerdam', ''), path.replace('zomerdam', 'aardenburg'), '/clients/losdorp/deliveries']) {
    seen.elsewhereStatus.push((await kim.page.goto(base + other)).status());
  }
  await kim.page.goto(`${base}/deliveries`);
  seen.own = await rows(kim.page);

  // the client's administrator sees who acts, thinks again, and ends it
  await enter(hans, 'hans@zomerdam.example');
  await hans.press('nav a[href="/access"]');
  await hans.press('a[href="/intermediary"]');
  await hans.look('intermediary-given');
  await hans.press('.card a');
  await hans.look('mandate-end');
  await hans.press('.buttons a');
  seen.thoughtAgain = await hans.page.locator('.card').count();
  await hans.press('.card a');
  await hans.press('.buttons button');
  await hans.look('mandate-ended');
  seen.ended = await hans.page.textContent('[role=status]');
  seen.givenLeft = await hans.page.locator('.card').count();
  seen.kimAfter = (await kim.page.goto(base + path)).status();
  await kim.page.goto(`${base}/clients`);
  seen.clientsAfter = await rows(kim.page);
});
