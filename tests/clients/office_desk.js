// What walks through the operator's office have in common: activating and signing in at either door, filling fields in
// and sending forms by keyboard. Laid between browser.js and a walk, which names `base`.
async function activate({ page, type, look }, link, name) {
  await page.goto(link);
  if (name) await look(`${name}-activate`);
  await type(['#password', password], ['#again', password]);
  await page.waitForSelector('.qr');
  const key = (await page.textContent('.key')).replaceAll(' ', '');
  await type(['#code', codeOf(key, step())]);
  await page.waitForSelector('.codes');
  return key;
}

async function signIn({ page, type, look }, at, email, key, name) {
  await page.goto(`${at}/sign-in`);
  if (name) await look(`${name}-sign-in`);
  await type(['#email', email], ['#password', password]);
  await page.waitForSelector('#code');
  if (name) await look(`${name}-code`);
  await type(['#code', codeOf(key, step() + 1)]);
  await page.waitForURL(at === base ? '**/office' : '**/start');
}

const fill = async ({ page }, ...fields) => {
  for (const [id, text] of fields) {
    await page.focus(id);
    await page.keyboard.press('Control+A');
    await page.keyboard.type(text);
  }
};
const notice = async ({ page }) => {
  if (await page.locator('.alert').count()) throw new Error(await page.locator('.alert').textContent());
  return page.locator('.notice--done').textContent();
};
const send = (who, form) => who.press(`form[method=post][action$="${form}"] button[type=submit]`);

