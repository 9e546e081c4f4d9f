// Terms of use, by keyboard: Anne is asked to accept before anything else, reads a change that applies by itself,
// accepts for a robot, the owner of another robot accepts by a link, and Anne cancels her account. Arguments: base
// address, her e-mail address, the code of her link, folder for screenshots, folder of e-mails, the texts in Dutch
// and English, and the command line of the operator.
const [base, email, code, folder, mails, dutch, english, ...operator] = process.argv.slice(1);
const office = (...words) => JSON.parse(execFileSync(operator[0], [...operator.slice(1), ...words, '--json'], { encoding: 'utf8' }));
const publish = (version, effective) => office('terms', 'publish', dutch, '--english', english, '--version', version, '--effective', effective);
const robot = (login) => office('account', 'add', login, '--organisation', 'alpha', '--kind', 'machine', '--owner', 'owner@alpha.example');

async function mailed(start) {
  for (let tries = 0; tries < 300; tries += 1) {
    const texts = (existsSync(mails) ? readdirSync(mails) : []).filter((name) => name.endsWith('.eml')).map((name) => readFileSync(`${mails}/${name}`, 'latin1'));
    for (const text of texts) {
      const found = text.replaceAll('=\r\n', '').match(new RegExp(`${start}[a-z0-9]{26}`));
      if (found) return base + found[0];
    }
    await new Promise((done) => setTimeout(done, 100));
  }
  throw new Error(`no mail with ${start}`);
}

walk(base, folder, async (_, somebody) => {
  const [anne, guest] = [await somebody(), await somebody()];
  const { page, look, type, press } = anne;
  const at = () => new URL(page.url()).pathname;

  await page.goto(`${base}/account/${code}`);
  await type(['#password', password], ['#again', password]);
  await page.waitForSelector('.qr');
  const key = (await page.textContent('.key')).replaceAll(' ', '');
  await type(['#code', codeOf(key, step())]);
  await page.waitForSelector('.codes');
  const recovery = (await page.locator('.codes li').allTextContents()).map((text) => text.trim());
  const signIn = async (shown) => {
    await page.goto(`${base}/sign-in`);
    await type(['#email', email], ['#password', password]);
    await page.waitForSelector('#code');
    await type(['#code', shown]);
  };
  await signIn(codeOf(key, step() + 1));
  await page.waitForURL('**/start');
  await page.goto(`${base}/deliveries`);
  const delivery = await page.locator('table a').first().getAttribute('href');
  await page.goto(base + delivery);
  const file = await page.locator('a[download]').first().getAttribute('href');

  // from the publication on nothing is open before she accepts
  await guest.page.goto(`${base}/terms`);
  await guest.look('terms-none');
  publish('1.0', '2098-12-01');
  await guest.page.goto(`${base}/`);
  await guest.look('terms-banner');
  await guest.page.goto(`${base}/terms`);
  await guest.look('terms');
  seen.gated = [];
  for (const path of ['/start', '/deliveries', delivery, '/access', '/terms/machines']) {
    await page.goto(base + path);
    seen.gated.push(at());
  }
  const fetched = await page.request.get(base + file);
  seen.mayFetch = fetched.ok() && (fetched.headers()['content-type'] || '').includes('octet-stream');
  await look('terms-accept');
  await page.goto(`${base}/terms/accept?lang=en`);
  await look('terms-accept-english');
  seen.english = (await page.locator('.document p').first().textContent()).trim();
  await page.goto(`${base}/terms/accept`);
  await press('main form button[type=submit]');
  seen.accepted = at();

  // a change applies without a click
  publish('2.0', '2099-01-01');
  await page.goto(`${base}/start`);
  seen.changed = at();
  await look('terms-start');
  await page.goto(`${base}/terms/2.0`);
  await look('terms-change');
  await page.goto(`${base}/terms/1.0`);
  await look('terms-old');
  seen.agreed = (await page.textContent('main')).includes('U ging akkoord op');
  await page.goto(`${base}/glossary`);
  await look('glossary');

  // robots: an administrator accepts for one, the owner for the other
  robot('night-robot');
  robot('day-robot');
  await page.goto(`${base}/access`);
  await look('access-with-terms');
  await press('a[href="/terms/machines"]');
  await look('terms-machines');
  await press('form[action^="/terms/machines/night-robot"] button');
  seen.machineDone = (await page.locator('[role=status]').count()) > 0 && (await page.locator('form[action^="/terms/machines/night-robot"]').count()) === 0;
  await look('terms-machines-done');
  robot('dusk-robot');
  const refused = await mailed('/terms/for/dusk-robot/');
  await guest.page.goto(refused);
  await guest.press('main a[href$="/refuse"]');
  await guest.look('terms-owner-refuse');
  await guest.press('main a.button--secondary');
  seen.ownerNot = guest.page.url() === refused;
  await guest.page.goto(`${refused}/refuse`);
  await guest.press('main form button[type=submit]');
  await guest.look('terms-owner-refused');
  seen.ownerRefused = (await guest.page.textContent('main')).includes('dusk-robot');
  const link = await mailed('/terms/for/day-robot/');
  await guest.page.goto(link);
  await guest.look('terms-owner');
  await guest.press('main form button[type=submit]');
  seen.ownerDone = (await guest.page.textContent('main')).includes('day-robot');
  await guest.look('terms-owner-done');
  await guest.page.goto(link);
  await guest.look('terms-owner-closed');
  await page.goto(`${base}/terms/machines`);
  await look('terms-machines-none');

  // she refuses: asked whether she is sure, first no, then yes
  await page.goto(`${base}/terms/2.0`);
  await press('a[href="/terms/refuse"]');
  await look('terms-refuse');
  await press('main a.button--secondary');
  seen.afterNo = at();
  await page.goto(`${base}/terms/refuse`);
  await press('main form button[type=submit]');
  await look('terms-refused');
  await page.goto(`${base}/start`);
  seen.afterwards = at();
  await signIn(recovery[0]);
  await page.waitForSelector('[role=alert]');
  seen.ended = (await page.textContent('[role=alert]')).includes('beëindigd');
});
