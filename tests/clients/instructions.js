// An administrator of the office gives an instruction; a guest and somebody of an organisation read it; it is withdrawn.
// Arguments: address of the office, folder for screenshots, address of the portal, the links of the three, and the
// command line.
const [base, folder, portal, headLink, bertLink, anneLink] = process.argv.slice(1);

walk(base, folder, async (browser, somebody) => {
  const [head, bert] = [await somebody(), await somebody()];
  const [anne, guest] = [await person(browser, portal, folder), await person(browser, portal, folder)];
  for (const [who, link, name] of [[head, headLink, 'head'], [bert, bertLink, 'bert']]) {
    const key = await activate(who, link);
    await signIn(who, base, `${name}@operator.example`, key);
  }
  const anneKey = await activate(anne, anneLink);
  await signIn(anne, portal, 'anne@alpha.example', anneKey);

  await bert.press('nav a[href="/office/instructions"]');
  seen.bertForms = await bert.page.locator('main form[method=post]').count();
  await head.press('nav a[href="/office/instructions"]');
  await fill(head, ['#give-title', 'Vervang uw sleutel'], ['#give-english-title', 'Replace your key']);
  await head.page.fill('#give-text', 'Gebruik vanaf 1 december een nieuwe sleutel.\n\n- Maak een sleutel\n- <script>alert(1)</script>');
  await send(head, '/office/instructions');
  seen.half = [await head.page.locator('.alert').count(), await head.page.inputValue('#give-title')];
  await head.look('office-instructions-mistake');
  await head.page.fill('#give-english', 'Use a new key from 1 December on.');
  await head.page.fill('#give-until', '2099-12-31');
  await send(head, '/office/instructions');
  seen.given = await notice(head);
  await head.look('office-instructions');

  await anne.page.goto(`${portal}/start`);
  seen.onStart = await anne.page.locator('section[aria-labelledby=board] a').allTextContents();
  await anne.look('start-instructions');
  await anne.press('section[aria-labelledby=board] a');
  seen.text = await anne.page.locator('.document p').first().textContent();
  seen.script = await anne.page.locator('.document script').count();
  await anne.look('instructions');
  await guest.page.goto(`${portal}/instructions?lang=en`);
  seen.english = await guest.page.locator('h2').first().textContent();
  await guest.look('instructions-english');

  await head.press('tbody a[href^="/office/instructions/"]');
  await head.look('office-instruction');
  await head.page.focus('#withdraw-sure');
  await head.page.keyboard.press('Space');
  await send(head, '/withdraw');
  seen.withdrawn = await notice(head);
  await anne.page.goto(`${portal}/start`);
  seen.afterwards = await anne.page.locator('section[aria-labelledby=board]').count();
});
