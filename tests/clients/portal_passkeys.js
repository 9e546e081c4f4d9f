// A passkey in Chromium's virtual authenticator (WebAuthn over CDP): made, shown at the next sign-in, removed; and the
// same pages without a script. The policy of the site is in force here. Arguments: link, e-mail, folder for screenshots.
const [link, email, folder] = process.argv.slice(1);
const base = new URL(link).origin;

async function authenticator(page, verified) {
  const session = await page.context().newCDPSession(page);
  await session.send('WebAuthn.enable');
  const options = { protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: verified, automaticPresenceSimulation: true };
  const { authenticatorId } = await session.send('WebAuthn.addVirtualAuthenticator', { options });
  return { session, authenticatorId };
}

walk(base, folder, async (browser, somebody) => {
  const one = await somebody();
  await one.page.goto(link);
  await one.type(['#password', password], ['#again', password]);
  await one.page.waitForSelector('.qr');
  const key = (await one.page.textContent('.key')).replaceAll(' ', '');
  await one.type(['#code', codeOf(key, step())]);
  await one.page.waitForSelector('.codes');
  await one.page.goto(`${base}/sign-in`);
  await one.type(['#email', email], ['#password', password]);
  await one.page.waitForSelector('#code');
  seen.scriptsBefore = await one.page.locator('script').count();
  await one.type(['#code', codeOf(key, step() + 1)]);
  await one.page.waitForURL('**/start');
  const { session, authenticatorId } = await authenticator(one.page, true);

  await one.page.goto(`${base}/security`);
  await one.look('passkeys-none');
  await one.press('a[href="/security/passkeys"]');
  await one.look('passkey-ask');
  await one.type(['#name', 'Laptop van het werk'], ['#current', password]);
  await one.page.waitForSelector('form[data-passkey]:not([hidden])');
  await one.look('passkey-make');
  await one.press('form[data-passkey] button');
  await one.page.waitForURL('**/security?done=passkey');
  await one.look('passkey-added');
  seen.made = (await session.send('WebAuthn.getCredentials', { authenticatorId })).credentials.length;

  // signing in with it, in a page where the policy of the site holds
  const { credentials } = await session.send('WebAuthn.getCredentials', { authenticatorId });
  const strict = await browser.newContext({ ignoreHTTPSErrors: true, locale: 'nl-NL' });
  const page = await strict.newPage();
  page.on('console', (message) => message.type() === 'error' && seen.console.push(message.text()));
  page.on('request', (request) => new URL(request.url()).origin !== base && seen.elsewhere.push(request.url()));
  const other = await authenticator(page, true);
  await other.session.send('WebAuthn.addCredential', { authenticatorId: other.authenticatorId, credential: credentials[0] });
  const toCode = async (on) => {
    await on.goto(`${base}/sign-in`);
    await on.fill('#email', email);
    await on.fill('#password', password);
    await on.press('#password', 'Enter');
    await on.waitForSelector('#code');
  };
  await toCode(page);
  const answered = await page.reload();
  seen.policy = answered.headers()['content-security-policy'];
  await page.focus('form[data-passkey] button');
  await page.keyboard.press('Enter');
  await page.waitForURL('**/start');
  seen.entered = new URL(page.url()).pathname;
  await page.goto(`${base}/security/sign-ins`);
  seen.with = (await page.locator('tbody tr').first().textContent()).replace(/\s+/g, ' ');

  // a device that does not know its owner is not taken
  const stranger = await browser.newContext({ ignoreHTTPSErrors: true, locale: 'nl-NL' });
  const unverified = await stranger.newPage();
  const third = await authenticator(unverified, false);
  await third.session.send('WebAuthn.addCredential', { authenticatorId: third.authenticatorId, credential: credentials[0] });
  await toCode(unverified);
  await unverified.focus('form[data-passkey] button');
  await unverified.keyboard.press('Enter');
  await unverified.waitForSelector('[data-failed]:not([hidden])');
  seen.unverified = new URL(unverified.url()).pathname;

  // without a script the code does
  const plain = await browser.newContext({ ignoreHTTPSErrors: true, javaScriptEnabled: false, locale: 'nl-NL' });
  const still = await plain.newPage();
  await toCode(still);
  seen.hiddenWithoutScript = !(await still.isVisible('form[data-passkey]'));
  seen.saidWithoutScript = await still.textContent('noscript');
  await still.screenshot({ path: `${folder}/code-without-script.png`, fullPage: true });

  await one.press('a[href$="/remove"]');
  await one.look('passkey-remove');
  await one.type(['#current', password]);
  await one.page.waitForURL('**/security?done=passkey-removed');
  seen.left = await one.page.locator('a[href$="/remove"]').count();
});
