// An administrator makes a connection, by keyboard: account, key, token, product, addresses, test, and its end; real
// clients sign in between. Arguments: base address, folder for screenshots, link of her account, a JSON document with
// the private and the public key, the ssh configuration and the certificate, and the command line of the operator.
const [base, folder, link, given, ...operator] = process.argv.slice(1);
const { spawn, spawnSync } = require('node:child_process');
const { privateKey, publicKey, rfcKey, secondKey, sshConfig, certificate } = JSON.parse(given);
const office = (...words) => JSON.parse(execFileSync(operator[0], [...operator.slice(1), ...words, '--json'], { encoding: 'utf8' }));
const email = 'anna@alpha.example';

const sftp = (lines) => spawnSync('sftp', ['-F', sshConfig, '-b', '-', 'vault'], { input: lines, encoding: 'utf8', timeout: 60_000, cwd: folder });
const curl = (path, token) => spawnSync('curl', ['--silent', '--cacert', certificate, '--write-out', '\n%{http_code}', '--header', `Authorization: Bearer ${token}`, base + path], { encoding: 'utf8', timeout: 60_000 }).stdout;
const code = (answer) => Number(answer.slice(answer.lastIndexOf('\n') + 1));

walk(base, folder, async (_, somebody) => {
  const anna = await somebody();
  const { page, type, press, look } = anna;
  const account = `${base}/connections/accounts/alpha-sftp`;
  // fills fields, and presses the button of the form that they are in
  async function send(...fields) {
    for (const [id, text] of fields) {
      await page.focus(id);
      await page.keyboard.press('Control+A');
      await page.keyboard.press('Delete');
      await page.keyboard.insertText(text);
    }
    await press(`form:has(${fields[0][0]}) button[type=submit]`);
  }
  const attempts = async () => (await page.goto(account), page.locator('section[aria-labelledby=test] table').innerText());

  await page.goto(link);
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

  await press('nav a[href="/connections"]');
  await look('connections');
  await send(['#owner', 'ict@elders.example']);
  await look('connections-refused');
  seen.keptLogin = await page.inputValue('#login');
  await send(['#owner', 'ict@alpha.example']);
  seen.made = new URL(page.url()).pathname;
  await look('connections-account');
  seen.noAttempts = await page.locator('section[aria-labelledby=test] table').count();

  await send(['#key', privateKey]);
  await look('connections-private-key');
  seen.privateKey = await page.textContent('[role=alert]');
  seen.echoed = (await page.content()).includes(privateKey.split('\n')[1]);
  await send(['#key', rfcKey]);
  await look('connections-key');
  await send(['#key', publicKey]);
  seen.again = await page.textContent('[role=alert]');

  await press('form:has(#token-until) button');
  await look('connections-token');
  const secret = await page.textContent('#secret');
  seen.secretIn = [page.url().includes(secret), (await page.context().cookies()).some((one) => one.value.includes(secret))];
  await press('main a.button');
  seen.tokens = await page.locator('section[aria-labelledby=tokens] tbody tr').count();
  seen.secretLater = (await page.content()).includes(secret);

  // nothing is seen until a product is coupled (C1)
  seen.before = [sftp('ls outbox').stdout.includes('wages'), code(curl('/api/v1/products', secret))];
  await press('a[href="/access/accounts/alpha-sftp"]');
  await page.focus('#p-wages');
  await page.keyboard.press('Space');
  await press('fieldset ~ p button');
  seen.fetched = sftp('get outbox/wages/salaries.csv salaries.csv').status;
  const deliveries = JSON.parse(curl('/api/v1/deliveries', secret).replace(/\n\d+$/, ''));
  seen.byToken = deliveries.deliveries.length;
  const keys = JSON.parse(curl('/api/v1/ssh-keys', secret).replace(/\n\d+$/, ''));
  seen.ownKeys = keys.sshKeys.map((one) => Boolean(one.fingerprint) && one.revokedAt === null);
  await page.goto(account);
  await look('connections-used');
  seen.entered = (await attempts()).match(/ingelogd/g).length;

  // a stranger's key, and one that ran out
  office('key', 'add', '--account', 'alpha-sftp', '--file', secondKey.public, '--expires', '1s');
  await new Promise((done) => setTimeout(done, 1_500));
  const secondConfig = `${folder}/second-config`;
  writeFileSync(secondConfig, readFileSync(sshConfig, 'utf8').replace(/IdentityFile .*/, `IdentityFile ${secondKey.private}`));
  seen.ranOut = spawnSync('sftp', ['-F', secondConfig, '-b', '-', 'vault'], { input: 'ls\n', encoding: 'utf8' }).status;
  seen.toldRanOut = (await attempts()).includes('verlopen');

  await page.goto(`${account}?lang=en`);
  await look('connections-english');
  await page.goto(`${base}/connections/server`);
  await look('connections-server');
  seen.server = await page.textContent('main');

  // the address that it came from last is not in the list
  await page.goto(account);
  await send(['#networks', '192.0.2.7/24']);
  await look('connections-bad-list');
  await send(['#networks', '192.0.2.0/24']);
  await look('connections-left-out');
  seen.stillOpen = code(curl('/api/v1/products', secret));
  await press('main form button');
  seen.shut = code(curl('/api/v1/products', secret));
  await send(['#networks', '']);
  seen.openAgain = code(curl('/api/v1/products', secret));

  // revoking cuts the session that is open
  const open = spawn('sftp', ['-F', sshConfig, '-b', '-', 'vault'], { cwd: folder });
  let said = '';
  open.stdout.on('data', (data) => (said += data));
  open.stdin.write('ls outbox\n');
  while (!said.includes('wages')) await new Promise((done) => setTimeout(done, 50));
  const ended = new Promise((done) => open.on('exit', () => done(Date.now())));
  await press('section[aria-labelledby=keys] tbody tr:has(.badge--done) a');
  await look('connections-revoke');
  const begun = Date.now();
  open.stdin.on('error', () => {});
  // the client notices when it asks for something
  const prodding = setInterval(() => open.stdin.write('ls outbox\n'), 250);
  await press('main form button');
  seen.cutAfter = (await ended) - begun;
  clearInterval(prodding);
  await look('connections-revoked');
  seen.afterwards = sftp('ls').status;
  seen.toldRevoked = (await attempts()).includes('ingetrokken');
  await page.goto(account);
  await send(['#key', publicKey]);
  seen.takenBack = await page.textContent('[role=alert]');

  // another owner, and the end
  await page.goto(account);
  await send(['#owner', email]);
  seen.owner = await page.locator('dl.facts dd').nth(1).textContent();
  seen.withoutToken = (await page.request.post(`${account}/end`, { form: {}, headers: { origin: base } })).status();
  await press('a[href="/connections/accounts/alpha-sftp/end"]');
  await look('connections-end');
  await press('main form button');
  seen.ended = new URL(page.url()).pathname;
  await look('connections-ended');
  seen.afterEnd = [code(curl('/api/v1/products', secret)), (await page.goto(account)).status()];
});
