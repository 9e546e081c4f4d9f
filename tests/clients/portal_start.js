// An administrator: pages that help, start, the own organisation, and the warning before the session ends; by
// keyboard. Arguments: link, e-mail address, folder for screenshots, and the command line of the operator.
const [link, email, folder, ...operator] = process.argv.slice(1);
const base = new URL(link).origin;
const office = (...words) => JSON.parse(execFileSync(operator[0], [...operator.slice(1), ...words, '--json'], { encoding: 'utf8' }));
Object.assign(seen, { clipped: [], small: [] });

walk(base, folder, async (_, somebody) => {
  const { page, look, type, press } = await somebody();
  const footers = new Set();
  async function see(name) {
    await look(name);
    footers.add(await page.locator('footer').innerText());
    // nothing to press is smaller than 24 by 24 CSS pixels, but for links within a sentence (WCAG 2.5.8)
    const small = await page.evaluate(() => [...document.querySelectorAll('a, button, input, select, summary')]
      .filter((one) => one.type !== 'hidden' && !(one.matches('a') && one.closest('p, dd, li, h3, td')) && !one.matches('.skip-link'))
      .map((one) => [one.outerHTML, one.getBoundingClientRect()])
      .filter(([, box]) => box.width > 0 && (box.width < 24 || box.height < 24)).map(([html]) => html));
    seen.small.push(...small.map((html) => `${name}: ${html}`));
    // what the frame says is seen whole, also on a narrow screen
    for (const width of [320, 1100]) {
      await page.setViewportSize({ width, height: 640 });
      for (const frame of page.frames().slice(1)) {
        const fits = await frame.evaluate(() => document.documentElement.scrollHeight <= window.innerHeight && document.documentElement.scrollWidth <= window.innerWidth);
        if (!fits) seen.clipped.push(`${name} at ${width}`);
      }
    }
  }
  await page.goto(`${base}/`);
  await see('welcome');
  seen.employer = await page.getAttribute('section.notice a', 'href');
  for (const name of ['contact', 'maintenance', 'misuse']) {
    await press(`footer a[href="/${name}"]`);
    await see(name);
  }
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
  await see('start');
  await page.emulateMedia({ media: 'print' });
  await page.screenshot({ path: `${folder}/start-print.png`, fullPage: true });
  await page.emulateMedia({ media: 'screen' });
  seen.tasks = await page.locator('.tasks li').count();
  seen.newUntil = /tot en met \d+ \w+ \d{4}/.test(await page.locator('#new ~ .cards').innerText());
  seen.told = (await page.locator('section[aria-labelledby=how]').innerText()).split('\n').slice(1, -1).join(' ').replaceAll(/\s+/g, ' ').replace(/ Ziet u een product.*/, '').trim();

  await press('.card h3 a[href="/organisation"]');
  await see('organisation');
  await page.fill('#phone', '030 1234567');
  await page.fill('#security-name', 'Bea Bos');
  await press('form[action="/organisation/card"] button');
  await see('organisation-wrong');
  seen.kept = await page.inputValue('#phone');
  await page.fill('#security-email', 'bea@alpha.example');
  await press('form[action="/organisation/card"] button');
  await see('organisation-saved');
  seen.cardPhone = (await page.locator('dl.facts').first().innerText()).match(/030 1234567/)?.[0];
  await page.fill('#name', 'Organisatie Alfa');
  await page.fill('#kvk', '12345678');
  await press('form[action="/organisation/identity"] button');
  await see('organisation-waits');
  seen.waits = (await page.locator('#name').count()) === 0;
  office('organisation', 'change-request', 'approve', 'alpha');
  await page.goto(`${base}/organisation`);
  seen.nameAfter = await page.innerText('h1');

  // a form is being filled in while the session nears its end
  await page.fill('#address', 'Plein 1, half ingevuld');
  const strip = page.frameLocator('.session-frame');
  await strip.locator('.session__inner p[role=alert]').waitFor({ timeout: 60_000 });
  seen.warned = await strip.locator('.session--warning, body.session--warning').count() === 1;
  await page.screenshot({ path: `${folder}/session-warning.png` });
  const warnedUntil = await strip.locator('p').innerText();
  const frame = page.frames()[1];
  await strip.locator('button').focus();
  await Promise.all([frame.waitForNavigation(), page.keyboard.press('Enter')]);
  seen.stayed = (await strip.locator('p[role=alert]').count()) === 0 && warnedUntil !== '';
  seen.typed = await page.inputValue('#address');
  // past the end that was warned of
  await new Promise((done) => setTimeout(done, 25_000));
  await press('form[action="/organisation/card"] button');
  seen.sentAfter = await page.inputValue('#address').catch(() => page.url());
  seen.footers = footers.size;
});
