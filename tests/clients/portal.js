// Walks through the portal in Chromium as a person does, by keyboard where it can, and writes one JSON document:
// what was found wrong on any page, and what was fetched. Arguments: link, e-mail address, folder for screenshots.
const { createHash, createHmac } = require('node:crypto');
const { readFileSync } = require('node:fs');
const { chromium } = require('playwright-core');

const [link, email, folder] = process.argv.slice(1);
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
const base = new URL(link).origin;
const password = 'een lange zin die niemand raadt';
const seen = { pages: [], violations: [], tooWide: [], console: [], elsewhere: [], scripts: 0 };

// RFC 6238 with SHA-1, six digits, 30 seconds
function codeOf(key, step) {
  const bits = [...key].map((c) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(c).toString(2).padStart(5, '0')).join('');
  const secret = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const mac = createHmac('sha1', secret).update(counter).digest();
  const number = mac.readUInt32BE(mac[19] & 15) & 0x7fffffff;
  return String(number % 1_000_000).padStart(6, '0');
}

(async () => {
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-dev-shm-usage'] });
  // the checks of axe are laid into the page, which its own policy would not let in
  const context = await browser.newContext({ ignoreHTTPSErrors: true, bypassCSP: true, locale: 'nl-NL', viewport: { width: 1100, height: 800 } });
  const page = await context.newPage();
  page.on('console', (message) => message.type() === 'error' && seen.console.push(message.text()));
  page.on('request', (request) => new URL(request.url()).origin !== base && seen.elsewhere.push(request.url()));

  async function look(name) {
    seen.pages.push(name);
    seen.scripts += await page.locator('script').count();
    await page.screenshot({ path: `${folder}/${name}.png`, fullPage: true });
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() => globalThis.axe.run());
    seen.violations.push(...violations.map((found) => `${name}: ${found.id}: ${found.nodes.map((node) => node.html).join(' ')}`));
    await page.setViewportSize({ width: 320, height: 640 });
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    if (width > 320) seen.tooWide.push(`${name}: ${width}`);
    await page.screenshot({ path: `${folder}/${name}-320.png`, fullPage: true });
    await page.setViewportSize({ width: 1100, height: 800 });
  }
  async function type(...fields) {
    for (const [id, text] of fields) {
      await page.focus(id);
      await page.keyboard.type(text);
    }
    await page.keyboard.press('Enter');
    await page.waitForLoadState();
  }

  await page.goto(`${base}/`);
  await look('welcome');
  await page.goto(link);
  await look('activate');
  await type(['#password', password], ['#again', 'iets heel anders']);
  await look('not-the-same');
  await type(['#password', password], ['#again', password]);
  await page.waitForSelector('.qr');
  await look('app');
  const key = (await page.textContent('.key')).replaceAll(' ', '');
  const step = () => Math.floor(Date.now() / 30_000);
  await type(['#code', '000000']);
  await look('wrong-code');
  await type(['#code', codeOf(key, step())]);
  await page.waitForSelector('.codes');
  await look('recovery');
  seen.recoveryCodes = (await page.locator('.codes li').allTextContents()).map((text) => text.trim());

  await page.goto(`${base}/start`);
  seen.withoutSession = new URL(page.url()).pathname;
  await look('sign-in');
  await type(['#email', email], ['#password', 'verkeerd wachtwoord']);
  await look('wrong-password');
  await type(['#password', password]);
  await page.waitForSelector('#code');
  await look('code');
  seen.cookieBefore = (await context.cookies()).map((cookie) => cookie.value);
  // the code after the one that confirmed the app: no code counts twice, and one step ahead is taken
  await type(['#code', codeOf(key, step() + 1)]);
  await page.waitForURL('**/start');
  await look('start');
  seen.cookies = await context.cookies();
  await page.locator('nav a').nth(1).focus();
  await page.keyboard.press('Enter');
  await page.waitForURL('**/deliveries');
  await look('deliveries');
  await page.locator('table a').first().focus();
  await page.keyboard.press('Enter');
  await page.waitForSelector('dl.facts');
  await look('delivery');
  const fetching = page.waitForEvent('download');
  await page.locator('a[download]').first().focus();
  await page.keyboard.press('Enter');
  const fetched = await fetching;
  seen.fetched = { name: fetched.suggestedFilename(), sha256: createHash('sha256').update(readFileSync(await fetched.path())).digest('hex') };
  seen.digestShown = (await page.textContent('.digest')).trim();
  await page.goto(`${base}/start?lang=en`);
  await look('start-english');
  seen.english = await page.getAttribute('html', 'lang');
  await page.locator('nav button').focus();
  await page.keyboard.press('Enter');
  await page.waitForLoadState();
  await look('signed-out');
  seen.cookiesAfter = await context.cookies();
  await page.goBack();
  await page.goto(`${base}/deliveries`);
  seen.afterwards = new URL(page.url()).pathname;
  await browser.close();
  console.log(JSON.stringify(seen));
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
