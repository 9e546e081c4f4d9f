// One person, from the link to a fetched file, by keyboard where it can. Arguments: link, e-mail address, folder
// for screenshots.
const [link, email, folder] = process.argv.slice(1);
const base = new URL(link).origin;

walk(base, folder, async (_, somebody) => {
  const { context, page, look, type } = await somebody();
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
  await page.locator('.nav-bar a').nth(1).focus();
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
});
