// What somebody signs in with, by keyboard: forgotten password by mail, changing it, replacing the app, new recovery
// codes, ending another session. Arguments: link, e-mail address, folder for screenshots, folder of e-mails.
const [link, email, folder, mails] = process.argv.slice(1);
const base = new URL(link).origin;
const newest = 'een tweede zin die niemand raadt';
const third = 'een derde zin die niemand raadt';

walk(base, folder, async (_, somebody) => {
  const [one, two] = [await somebody(), await somebody()];
  await one.page.goto(link);
  await one.type(['#password', password], ['#again', password]);
  await one.page.waitForSelector('.qr');
  let key = (await one.page.textContent('.key')).replaceAll(' ', '');
  await one.type(['#code', await fresh(key)]);
  await one.page.waitForSelector('.codes');

  // forgotten: the page, the same answer, the link, and then the second factor at once
  await one.page.goto(`${base}/sign-in`);
  await one.press('a[href="/forgotten-password"]');
  await one.look('forgotten');
  await one.type(['#email', email]);
  await one.page.waitForURL('**/forgotten-password/sent');
  await one.look('forgotten-sent');
  await one.page.goto(await passwordLink(base, mails, ''));
  await one.look('forgotten-choose');
  await one.type(['#password', newest], ['#again', newest]);
  await one.page.waitForURL('**/sign-in/code');
  seen.beforeTheCode = new URL((await one.page.goto(`${base}/start`)).url()).pathname;
  await one.page.goto(`${base}/sign-in`);
  await one.type(['#email', email], ['#password', newest]);
  await one.page.waitForSelector('#code');
  await one.type(['#code', await fresh(key)]);
  await one.page.waitForURL('**/start');

  await two.page.goto(`${base}/sign-in`);
  await two.type(['#email', email], ['#password', newest]);
  await two.page.waitForSelector('#code');
  await two.type(['#code', await fresh(key)]);
  await two.page.waitForURL('**/start');

  await one.press('nav a[href="/security"]');
  await one.look('security');
  seen.openSessions = await one.page.locator('section .card').count();
  await one.press('form[action$="/end"] button');
  await one.look('security-ended');
  seen.otherAfterEnd = new URL((await two.page.goto(`${base}/start`)).url()).pathname;

  await one.press('a[href="/security/password"]');
  await one.look('security-password');
  await one.type(['#current', 'dit is het niet'], ['#password', third], ['#again', third]);
  await one.look('security-password-wrong');
  await one.type(['#current', newest], ['#password', third], ['#again', third]);
  await one.page.waitForURL('**/security?done=password');
  seen.notice = await one.page.textContent('.notice');

  await one.press('a[href="/security/app"]');
  await one.look('security-app-ask');
  await one.type(['#current', third]);
  await one.page.waitForSelector('.qr');
  await one.look('security-app');
  key = (await one.page.textContent('.key')).replaceAll(' ', '');
  used = 0;
  await one.type(['#code', '000000']);
  await one.look('security-app-wrong');
  await one.type(['#code', await fresh(key)]);
  await one.page.waitForURL('**/security?done=app');

  await one.press('a[href="/security/recovery-codes"]');
  await one.look('security-codes-ask');
  await one.type(['#current', third]);
  await one.page.waitForSelector('.codes');
  await one.look('security-codes');
  seen.codes = await one.page.locator('.codes li').count();

  await one.page.goto(`${base}/security/sign-ins`);
  await one.look('sign-ins');
  seen.signIns = (await one.page.locator('tbody tr').allTextContents()).map((row) => row.replace(/\s+/g, ' ').trim());
  await one.page.goto(`${base}/security?lang=en`);
  await one.look('security-english');
});
