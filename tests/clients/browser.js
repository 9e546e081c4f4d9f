// What every walk through the portal in Chromium has: a browser, keys instead of clicks, and one JSON document of
// what was found wrong on any page. A walk is laid behind this file and calls `walk`.
const { createHash, createHmac } = require('node:crypto');
const { execFileSync } = require('node:child_process');
const { existsSync, readFileSync, readdirSync, writeFileSync } = require('node:fs');
const { chromium } = require('playwright-core');

const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
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

const step = () => Math.floor(Date.now() / 30_000);

// no code counts twice: the step after the one that was used last
let lastStep = 0;
async function fresh(key) {
  const next = Math.max(step(), lastStep + 1);
  // one step ahead is taken too
  await new Promise((done) => setTimeout(done, Math.max(0, (next - 1) * 30_000 - Date.now())));
  lastStep = next;
  return codeOf(key, next);
}

// The link for a new password in an e-mail that has these words.
async function passwordLink(base, mails, words) {
  for (let tries = 0; tries < 200; tries += 1) {
    const names = existsSync(mails) ? readdirSync(mails).filter((name) => name.endsWith('.eml')) : [];
    for (const name of names) {
      const plain = readFileSync(`${mails}/${name}`, 'latin1').replaceAll('=\r\n', '').replaceAll('=3D', '=');
      const found = plain.includes(words) && plain.match(/https:\/\/[^/\s]+(\/account\/[a-z0-9]{52})/);
      if (found) return base + found[1];
    }
    await new Promise((done) => setTimeout(done, 100));
  }
  throw new Error('no mail with a link');
}

async function signInWithCode({ page, type }, base, email, key, at) {
  await page.goto(`${base}/sign-in`);
  await type(['#email', email], ['#password', password]);
  await page.waitForSelector('#code');
  await type(['#code', codeOf(key, at)]);
  await page.waitForURL('**/start');
}

// Activates an account by the link that the operator made, and signs in; returns the key of its codes.
async function activateAccount({ page, type }, base, email, { link }) {
  await page.goto(base + new URL(link).pathname);
  await type(['#password', password], ['#again', password]);
  await page.waitForSelector('.qr');
  const key = (await page.textContent('.key')).replaceAll(' ', '');
  await type(['#code', codeOf(key, step())]);
  await page.waitForSelector('.codes');
  await signInWithCode({ page, type }, base, email, key, step() + 1);
  return key;
}

// A person with a browser of their own.
async function person(browser, base, folder) {
  // the checks of axe are laid into the page, which its own policy would not let in
  const context = await browser.newContext({ ignoreHTTPSErrors: true, bypassCSP: true, locale: 'nl-NL', viewport: { width: 1100, height: 800 } });
  const page = await context.newPage();
  page.on('console', (message) => message.type() === 'error' && seen.console.push(message.text()));
  page.on('request', (request) => new URL(request.url()).origin !== base && seen.elsewhere.push(request.url()));

  async function look(name) {
    seen.pages.push(name);
    seen.scripts += await page.locator('script').count();
    await page.screenshot({ path: `${folder}/${name}.png`, fullPage: true });
    // frames too: what they show is part of the page
    for (const frame of page.frames()) await frame.evaluate(axe);
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
  // presses what has the focus, and waits for the page that follows
  async function press(selector, key = 'Enter') {
    await page.locator(selector).first().focus();
    await Promise.all([page.waitForNavigation(), page.keyboard.press(key)]);
  }
  return { context, page, look, type, press };
}

function walk(base, folder, steps) {
  (async () => {
    const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-dev-shm-usage'] });
    await steps(browser, () => person(browser, base, folder));
    await browser.close();
    console.log(JSON.stringify(seen));
  })().catch((error) => {
    console.error(error);
    process.exit(1);
  });
}

