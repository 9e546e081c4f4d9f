// From a request to a colleague who fetches, by keyboard: Anna asks for an account and becomes administrator, Bert
// asks and is approved by her, she couples, he fetches; others are invited and rejected. Arguments: base address,
// folder for screenshots, folder of e-mails, and the command line of the operator.
const [base, folder, mails, ...operator] = process.argv.slice(1);

// The one link that was mailed to somebody, newest first.
async function mailed(address, path) {
  for (let tries = 0; tries < 200; tries += 1) {
    // the folder comes with the first e-mail
    const texts = (existsSync(mails) ? readdirSync(mails) : []).filter((name) => name.endsWith('.eml')).map((name) => readFileSync(`${mails}/${name}`, 'latin1'));
    for (const text of texts.filter((text) => text.includes(`To: ${address}`))) {
      const plain = text.replaceAll('=\r\n', '').replaceAll('=3D', '=');
      const found = plain.match(new RegExp(`https://[^/\\s]+(${path}[a-z0-9]{52})`));
      if (found && !used.has(found[1])) {
        used.add(found[1]);
        return base + found[1];
      }
    }
    await new Promise((done) => setTimeout(done, 100));
  }
  throw new Error(`no mail with ${path} to ${address}`);
}
const used = new Set();
const office = (...words) => JSON.parse(execFileSync(operator[0], [...operator.slice(1), ...words, '--json'], { encoding: 'utf8' }));

async function ask({ page, type, press, look }, name, email, first) {
  await page.goto(`${base}/`);
  await press('a[href="/account-request"]');
  if (first) await look('request');
  await page.selectOption('#salutation', 'neutral');
  await type(['#name', name], ['#email', email]);
  await page.waitForURL('**/account-request/organisation/*');
  if (first) await look('request-organisation');
  await press('form button[type=submit]');
  await page.waitForURL('**/account-request/sent');
  if (first) await look('request-sent');
  const link = await mailed(email, '/account-request/confirm/');
  await page.goto(link);
  if (first) await look('request-confirm');
  await press('form button[type=submit]');
  if (first) await look('request-confirmed');
  await page.goto(link);
  if (first) await look('request-used');
}

async function activate({ page, type }, email) {
  await page.goto(await mailed(email, '/account/'));
  await type(['#password', password], ['#again', password]);
  await page.waitForSelector('.qr');
  const key = (await page.textContent('.key')).replaceAll(' ', '');
  await type(['#code', codeOf(key, step())]);
  await page.waitForSelector('.codes');
  return key;
}

async function signIn({ page, type }, email, key, code) {
  await page.goto(`${base}/sign-in`);
  await type(['#email', email], ['#password', password]);
  await page.waitForSelector('#code');
  await type(['#code', codeOf(key, code)]);
  await page.waitForURL('**/start');
}

walk(base, folder, async (_, somebody) => {
  const [anna, bert, eva] = [await somebody(), await somebody(), await somebody()];
  // a mistake is shown beside what was filled in, and mail of everybody's is refused
  await anna.page.goto(`${base}/account-request`);
  await anna.page.selectOption('#salutation', 'madam');
  await anna.type(['#name', 'Anna de Vries'], ['#email', 'anna@gmail.com']);
  await anna.look('request-refused');
  seen.keptName = await anna.page.inputValue('#name');

  await ask(anna, 'Anna de Vries', 'anna@alpha.example', true);
  seen.requests = office('account', 'requests');
  office('account', 'approve', 'anna@alpha.example');
  const annaKey = await activate(anna, 'anna@alpha.example');
  await signIn(anna, 'anna@alpha.example', annaKey, step() + 1);
  await anna.look('start-administrator');
  seen.annaSees = await anna.page.locator('ul.cards li').count();

  // somebody of elsewhere finds no list of customers
  await eva.page.goto(`${base}/account-request`);
  await eva.page.selectOption('#salutation', 'neutral');
  await eva.type(['#name', 'Eva'], ['#email', 'eva@elders.example']);
  await eva.page.waitForURL('**/account-request/organisation/*');
  await eva.look('request-unknown');
  seen.offeredElsewhere = await eva.page.locator('input[type=radio]').count();
  await eva.press('button[formaction]');
  seen.cancelled = new URL(eva.page.url()).pathname;

  await ask(bert, 'Bert Bos', 'bert@alpha.example', false);
  await ask(eva, 'Eva', 'eva@alpha.example', false);
  await anna.page.goto(`${base}/start`);
  await anna.press('nav a[href="/access"]');
  await anna.look('access');
  await anna.press('button[aria-label="Goedkeuren bert@alpha.example"]');
  await anna.look('access-approved');
  await anna.page.focus('input[name=reason]');
  await anna.page.keyboard.type('Onbekend bij ons');
  await Promise.all([anna.page.waitForNavigation(), anna.page.keyboard.press('Enter')]);
  seen.requestsLeft = await anna.page.locator('#waiting').count();
  await anna.page.focus('#email');
  await anna.page.keyboard.type('carla@alpha.example');
  await Promise.all([anna.page.waitForNavigation(), anna.page.keyboard.press('Enter')]);
  await eva.page.goto(await mailed('carla@alpha.example', '/account-request/confirm/'));
  await eva.look('invited');

  const bertKey = await activate(bert, 'bert@alpha.example');
  await signIn(bert, 'bert@alpha.example', bertKey, step() + 1);
  seen.bertBefore = await bert.page.locator('ul.cards li').count();
  seen.bertMayNot = (await bert.page.goto(`${base}/access`)).status();

  for (const login of ['bert@alpha.example', 'alpha-robot']) {
    await anna.page.goto(`${base}/access`);
    await anna.press(`a[href="/access/accounts/${login}"]`);
    if (login !== 'alpha-robot') await anna.look('access-account');
    await anna.page.focus('#p-wages');
    await anna.page.keyboard.press('Space');
    await anna.press('fieldset ~ p button');
    if (login !== 'alpha-robot') await anna.look('access-saved');
  }
  await bert.page.goto(`${base}/start`);
  seen.bertSameSession = await bert.page.locator('ul.cards li').count();
  await bert.press('nav button');
  // no code counts twice: the step after the one that was used
  await new Promise((done) => setTimeout(done, Math.max(0, (step() + 1) * 30_000 - Date.now())));
  await signIn(bert, 'bert@alpha.example', bertKey, step() + 1);
  seen.bertAfter = await bert.page.locator('ul.cards li').count();
  await bert.press('ul.cards a');
  const fetching = bert.page.waitForEvent('download');
  await bert.page.locator('a[download]').first().focus();
  await bert.page.keyboard.press('Enter');
  seen.fetched = (await fetching).suggestedFilename();

  await anna.page.goto(`${base}/access/overview`);
  await anna.look('access-overview');
  await anna.type(['#show', 'bert']);
  await anna.page.waitForURL('**show=bert');
  seen.filtered = await anna.page.locator('tbody tr').count();
  const csv = anna.page.waitForEvent('download');
  await anna.page.locator('a[download]').focus();
  await anna.page.keyboard.press('Enter');
  seen.csv = readFileSync(await (await csv).path(), 'utf8');
  // a form without the session's own token changes nothing
  seen.withoutToken = (await anna.page.request.post(`${base}/access/accounts/bert@alpha.example`, { form: {}, headers: { origin: base } })).status();
  // taken away, it is gone at once
  await anna.page.goto(`${base}/access/accounts/bert@alpha.example`);
  await anna.page.focus('#p-wages');
  await anna.page.keyboard.press('Space');
  await anna.press('fieldset ~ p button');
  await bert.page.goto(`${base}/start`);
  seen.bertRemoved = await bert.page.locator('ul.cards li').count();
  // the last administrator stays
  await anna.page.goto(`${base}/access/accounts/anna@alpha.example`);
  await anna.press('button[name=administrator]');
  await anna.look('access-last');
});
