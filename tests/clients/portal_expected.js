// What is expected in the portal: Anne sees on the start page and among her files what is late, what is due soon and
// what came; Iris sees it for each client. Arguments: base address, folder for screenshots, command line of the operator.
const [base, folder, ...operator] = process.argv.slice(1);
const office = (...words) => JSON.parse(execFileSync(operator[0], [...operator.slice(1), ...words, '--json'], { encoding: 'utf8' }));
const tasks = (page) => page.locator('section[aria-labelledby=tasks] li').allInnerTexts();
const rows = (page) => page.locator('section[aria-labelledby=expected] tbody tr').allInnerTexts();

walk(base, folder, async (_, somebody) => {
  const [anne, rob, iris] = [await somebody(), await somebody(), await somebody()];
  await activateAccount(anne, base, 'anne@alpha.example', office('account', 'link', 'anne@alpha.example'));
  // the day of one of them goes by
  for (let tries = 0; office('upload', 'expected', '--state', 'missing').length === 0; tries += 1) {
    if (tries > 300) throw new Error('nothing is missing');
    await new Promise((done) => setTimeout(done, 500));
  }
  await anne.page.goto(`${base}/start`);
  await anne.look('expected-start');
  seen.tasks = await tasks(anne.page);
  await anne.page.goto(`${base}/participant-files`);
  await anne.look('expected-files');
  seen.rows = await rows(anne.page);
  // from the row to the form, with its product chosen
  await anne.press('section[aria-labelledby=expected] tbody a');
  seen.chosen = await anne.page.locator('input[name=product]:checked').inputValue();
  await anne.page.setInputFiles('#file', { name: 'late.csv', mimeType: 'text/csv', buffer: Buffer.from('a;b\n') });
  await anne.page.locator('main form button[type=submit]').focus();
  await anne.page.keyboard.press('Enter');
  await anne.page.waitForSelector('.upload .badge--done');
  await anne.page.goto(`${base}/participant-files?lang=en`);
  await anne.look('expected-came-english');
  seen.came = await rows(anne.page);
  await anne.press('section[aria-labelledby=expected] tbody a:has-text("To the file")');
  seen.file = await anne.page.locator('h1').innerText();
  await anne.page.goto(`${base}/start`);
  seen.tasksAfter = await tasks(anne.page);

  // a colleague without a right for it is told nothing
  await activateAccount(rob, base, 'rob@alpha.example', office('account', 'link', 'rob@alpha.example'));
  seen.robs = [(await tasks(rob.page)).length, await rob.page.goto(`${base}/participant-files`).then(() => rows(rob.page)).then((all) => all.length)];

  // for a client
  await activateAccount(iris, base, 'iris@bureau.example', office('account', 'link', 'iris@bureau.example'));
  seen.irisTasks = (await tasks(iris.page)).length;
  await iris.page.goto(`${base}/clients`);
  await iris.look('expected-clients');
  seen.clients = await iris.page.locator('tbody tr').allInnerTexts();
  await iris.page.goto(`${base}/clients/gamma/participant-files`);
  await iris.look('expected-client-files');
  seen.client = [await iris.page.locator('#expected').innerText(), await rows(iris.page)];
});
