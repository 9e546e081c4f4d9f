// Somebody of the office keeps what they sign in with: a passkey of Chromium's virtual authenticator, password, recovery
// codes, sessions, and a forgotten password by mail. Arguments: address of the office, link, folders for screenshots and
// of e-mails.
const [base, link, folder, mails] = process.argv.slice(1);
const email = 'head@operator.example';
const second = 'een tweede zin die niemand raadt';
const third = 'een derde zin die niemand raadt';

async function authenticator(page) {
  const session = await page.context().newCDPSession(page);
  await session.send('WebAuthn.enable');
  const options = { protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true };
  const { authenticatorId } = await session.send('WebAuthn.addVirtualAuthenticator', { options });
  return { session, authenticatorId };
}

walk(base, folder, async (_, somebody) => {
  const one = await somebody();
  await one.page.goto(link);
  await one.type(['#password', password], ['#again', password]);
  await one.page.waitForSelector('.qr');
  const key = (await one.page.textContent('.key')).replaceAll(' ', '');
  await one.type(['#code', await fresh(key)]);
  await one.page.waitForSelector('.codes');
  await one.page.goto(`${base}/sign-in`);
  await one.type(['#email', email], ['#password', password]);
  await one.page.waitForSelector('#code');
  seen.scriptsBefore = await one.page.locator('script').count();
  await one.type(['#code', await fresh(key)]);
  await one.page.waitForURL('**/office');

  await one.press('nav a[href="/security"]');
  await one.look('office-security');
  const { session, authenticatorId } = await authenticator(one.page);
  await one.press('a[href="/security/passkeys"]');
  await one.look('office-passkey-ask');
  await one.type(['#name', 'Laptop van het werk'], ['#current', password]);
  await one.page.waitForSelector('form[data-passkey]:not([hidden])');
  await one.press('form[data-passkey] button');
  await one.page.waitForURL('**/security?done=passkey');
  const { credentials } = await session.send('WebAuthn.getCredentials', { authenticatorId });
  seen.made = credentials.length;

  // in another browser, with the passkey in the place of a code
  const two = await somebody();
  const other = await authenticator(two.page);
  await other.session.send('WebAuthn.addCredential', { authenticatorId: other.authenticatorId, credential: credentials[0] });
  await two.page.goto(`${base}/sign-in`);
  await two.type(['#email', email], ['#password', password]);
  await two.page.waitForSelector('form[data-passkey]:not([hidden])');
  await two.look('office-code-passkey');
  await two.press('form[data-passkey] button');
  await two.page.waitForURL('**/office');
  seen.entered = new URL(two.page.url()).pathname;
  await one.page.goto(`${base}/security`);
  seen.sessions = await one.page.locator('section[aria-labelledby=open] .card').count();
  await one.look('office-security-passkey');

  await one.press('a[href="/security/password"]');
  await one.type(['#current', 'dit is het niet'], ['#password', second], ['#again', second]);
  await one.look('office-security-wrong');
  seen.wrong = await one.page.locator('.alert').textContent();
  await one.type(['#current', password], ['#password', second], ['#again', second]);
  await one.page.waitForURL('**/security?done=password');
  seen.changed = new URL(one.page.url()).pathname;
  await one.press('a[href="/security/recovery-codes"]');
  await one.type(['#current', second]);
  await one.page.waitForSelector('.codes');
  seen.codes = await one.page.locator('.codes li').count();
  await one.page.goto(`${base}/security/sign-ins`);
  await one.look('office-sign-ins');
  // a form that was not made for this session changes nothing
  const forged = { current: second, password: third, again: third };
  seen.forged = (await one.page.request.post(`${base}/security/password`, { form: forged, headers: { origin: base } })).status();
  await one.press('nav form button');
  await one.page.goto(`${base}/security`);
  seen.signedOut = new URL(one.page.url()).pathname.replace('/again', '');

  // forgotten: the link of an e-mail, and then the second factor at once
  await one.page.goto(`${base}/sign-in`);
  await one.look('office-sign-in-forgotten');
  await one.press('a[href="/forgotten-password"]');
  await one.look('office-forgotten');
  await one.type(['#email', email]);
  await one.page.waitForURL('**/forgotten-password/sent');
  await one.page.goto(await passwordLink(base, mails, 'nieuw wachtwoord'));
  await one.type(['#password', third], ['#again', third]);
  await one.page.waitForURL('**/sign-in/code');
  seen.beforeTheCode = new URL((await one.page.goto(`${base}/office`)).url()).pathname;
  await one.page.goto(`${base}/sign-in`);
  await one.type(['#email', email], ['#password', third]);
  await one.page.waitForSelector('#code');
  await one.type(['#code', await fresh(key)]);
  await one.page.waitForURL('**/office');
  seen.back = new URL(one.page.url()).pathname;
});
