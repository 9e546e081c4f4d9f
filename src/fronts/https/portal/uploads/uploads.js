// Uploads participant files piece by piece (tus 1.0), so that a break costs one piece and not the file: with progress,
// pausing, and going on after a lost connection or in another visit. The server alone remembers what came; nothing is
// kept in the browser, and nobody else is asked anything. Without this script the form is sent as a whole.
const section = document.querySelector('#uploads');
const form = document.querySelector('form[data-uploads]');

// A piece is so large that it takes about this long, between these bounds, which are what is held in memory.
const AIM_SECONDS = 6;
const LEAST_BYTES = 256 * 1024;
const MOST_BYTES = 16 * 1024 * 1024;
const FIRST_BYTES = 4 * 1024 * 1024;
// After a lost connection: 1, 2, 4 … seconds, and it is left to the person after so long without any progress.
const MOST_WAIT_SECONDS = 30;
const MOST_LOST_SECONDS = 30 * 60;
// Nothing moved for so long: the connection is lost, whatever the browser believes.
const STILL_SECONDS = 90;
const MOST_FILES = 100;

const sleep = (seconds, item) =>
  new Promise((done) => {
    item.wake = done;
    setTimeout(done, seconds * 1000);
  });

function start() {
  const texts = JSON.parse(section.dataset.texts);
  const { address, files, keep, replaces } = section.dataset;
  const language = document.documentElement.lang;
  const [list, said, input] = [section.querySelector('ul'), document.querySelector('[data-said]'), form.elements.file];
  const mistake = form.querySelector('[data-mistake]');
  const items = [];
  let running;

  // ---- words ----
  const filled = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
  const unit = (value, name, digits = 0) =>
    new Intl.NumberFormat(language, { style: 'unit', unit: name, unitDisplay: name === 'minute' || name === 'hour' ? 'long' : 'short', minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value);
  const size = (bytes) => {
    if (bytes < 1e3) return `${bytes} bytes`;
    if (bytes < 1e6) return unit(Math.floor(bytes / 1e2) / 10, 'kilobyte', 1);
    return bytes < 1e9 ? unit(Math.floor(bytes / 1e5) / 10, 'megabyte', 1) : unit(Math.floor(bytes / 1e8) / 10, 'gigabyte', 1);
  };
  const time = (seconds) => {
    if (seconds < 60) return texts.soon;
    const minutes = Math.ceil(seconds / 60);
    return filled(texts.left, { time: minutes < 90 ? unit(minutes, 'minute') : unit(Math.round(minutes / 60), 'hour') });
  };
  const tell = (text, item) => {
    said.textContent = item ? `${item.file.name}: ${text}` : text;
    if (item) item.told = performance.now();
  };

  // ---- what is shown of one file ----
  function show(item, state, why = '') {
    const was = item.state;
    [item.state, item.why] = [state, why];
    const part = (name) => item.row.querySelector(`[data-${name}]`);
    const badge = part('state');
    badge.textContent = texts[state];
    badge.className = `badge badge--${{ done: 'done', failed: 'wrong', waiting: 'new' }[state] ?? 'busy'}`;
    part('why').textContent = why;
    part('why').hidden = !why;
    const toggle = part('toggle');
    const text = { running: texts.pause, lost: texts.pause, paused: texts.resume, failed: item.retry ? texts.again : '' }[state];
    toggle.hidden = !text;
    toggle.firstChild.data = `${text ?? ''} `;
    part('cancel').hidden = state === 'done';
    part('cancel').firstChild.data = `${state === 'failed' ? texts.remove : texts.cancel} `;
    part('sign-in').hidden = !item.isSignedOut;
    if (state === 'done') {
      const receipt = part('receipt');
      receipt.href = `${files}/${item.id}${keep}`;
      receipt.hidden = false;
      // what had the focus is gone
      if (item.row.contains(document.activeElement) || document.activeElement === document.body) receipt.focus();
    }
    progress(item, item.sent);
    if (was !== state && state !== 'waiting') tell(why || texts[state], item);
  }

  function progress(item, sent) {
    const whole = item.file.size;
    const percent = item.state === 'done' ? 100 : whole ? Math.min(99, Math.floor((sent / whole) * 100)) : 0;
    const bar = item.row.querySelector('progress');
    bar.value = percent;
    bar.textContent = `${percent} %`;
    const now = performance.now();
    // over the last twenty seconds: what was fast once says nothing of now
    if (item.state === 'running') {
      item.marks = item.marks.filter(([at]) => now - at < 20_000);
      item.marks.push([now, sent]);
    } else item.marks = [];
    const [[at, from]] = item.marks.length ? item.marks : [[now, sent]];
    const rate = now - at > 1_500 ? ((sent - from) / (now - at)) * 1000 : 0;
    const words = [filled(texts.far, { done: size(item.state === 'done' ? whole : sent), whole: size(whole), percent })];
    if (item.state === 'running' && rate > 0) words.push(time((whole - sent) / rate));
    item.row.querySelector('[data-far]').textContent = words.join(', ');
    // not each step is told: each quarter, and then not more often than people can hear
    const quarter = Math.floor(percent / 25);
    if (item.state === 'running' && quarter > item.quarter && now - item.told > 8_000) {
      item.quarter = quarter;
      tell(words.join(', '), item);
    }
  }

  // ---- one request ----
  // The answer, with status 0 when none came.
  function ask(item, method, path, headers = {}, body = null) {
    return new Promise((done) => {
      const request = new XMLHttpRequest();
      let moved = performance.now();
      const watch = setInterval(() => performance.now() - moved > STILL_SECONDS * 1000 && request.abort(), 1_000);
      let last = 0;
      request.upload.onprogress = (event) => {
        moved = performance.now();
        if (moved - last < 250) return;
        last = moved;
        if (item.state === 'running') progress(item, item.sent + event.loaded);
      };
      request.onloadend = () => {
        clearInterval(watch);
        item.request = undefined;
        done({ status: request.status, header: (name) => request.getResponseHeader(name), text: request.responseText });
      };
      request.open(method, path);
      request.setRequestHeader('Tus-Resumable', '1.0.0');
      for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
      item.request = request;
      request.send(body);
    });
  }

  // ---- one file ----
  const base64 = (bytes) => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
  const coded = (text) => base64(new TextEncoder().encode(text));
  // whether a file is the one of which a part came before: browsers say no more of it without reading all of it
  const mark = (file) => String(file.lastModified);

  class Refused extends Error {}
  const refused = (text, retry) => Object.assign(new Refused(text), { retry });

  // What an answer that is no good means; lost ones are tried again.
  function judge(answer, isFirst) {
    const { status } = answer;
    if (status === 401) return Object.assign(refused(texts.signedOut), { isSignedOut: true });
    if (status === 404 || status === 410) return refused(isFirst ? texts.noRight : texts.gone, isFirst ? undefined : 'anew');
    // an answer that says where to go on is none that ends it
    if (status === 409 && answer.header('Upload-Offset') === null) return refused(answer.text.includes(':exists"') ? texts.taken : texts.late);
    if (status === 413) return refused(texts.tooLarge);
    if (status === 429) return refused(texts.tooFull, 'again');
    if (status === 507) return refused(texts.noSpace, 'again');
    if (status >= 400 && status < 500 && ![408, 409, 460].includes(status)) return status === 400 && isFirst ? refused(texts.wrongName) : refused(texts.refused, 'again');
    return undefined;
  }

  // Finds what came of the file before, or begins it. False when no answer came.
  async function begin(item) {
    const there = await ask(item, 'GET', address);
    if (there.status !== 200) return failed(judge(there, true));
    const name = item.file.name.toLowerCase();
    const known = JSON.parse(there.text).resumableUploads.find((one) => one.product === item.product && one.fileName.toLowerCase() === name);
    if (known) {
      const head = await ask(item, 'HEAD', `${address}/${known.id}`);
      if (head.status !== 200) return failed(head.status === 404 ? undefined : judge(head, true));
      const marked = (head.header('Upload-Metadata') ?? '').split(',').map((pair) => pair.trim().split(' ')).find(([key]) => key === 'modified');
      const isSame = head.header('Upload-Length') === String(item.file.size) && (!marked || marked[1] === coded(mark(item.file)));
      if (isSame) {
        item.id = known.id;
        item.sent = Number(head.header('Upload-Offset'));
        if (item.sent) tell(filled(texts.found, { done: size(item.sent) }), item);
        return true;
      }
      if (!item.isAnew) throw refused(texts.other, 'anew');
      const gone = await ask(item, 'DELETE', `${address}/${known.id}`);
      if (gone.status !== 204 && gone.status !== 404) return failed(judge(gone, true));
    }
    const said = { filename: item.file.name, product: item.product, modified: mark(item.file) };
    if (replaces) said.replace = 'true';
    const metadata = Object.entries(said).map(([key, value]) => `${key} ${coded(value)}`).join(',');
    const made = await ask(item, 'POST', address, { 'Upload-Length': String(item.file.size), 'Upload-Metadata': metadata });
    if (made.status !== 201) return failed(judge(made, true));
    item.id = made.header('Location').split('/').pop();
    item.sent = 0;
    item.isWhole = item.file.size === 0;
    return true;
  }

  function failed(refusal) {
    if (refusal) throw refusal;
    return false;
  }

  // Where the server is with it. False when no answer came.
  async function look(item) {
    const head = await ask(item, 'HEAD', `${address}/${item.id}`);
    if (head.status !== 200) return failed(judge(head));
    item.sent = Number(head.header('Upload-Offset'));
    item.isWhole = item.sent === item.file.size && !head.header('Upload-Expires');
    return true;
  }

  // Sends the next piece. False when it did not arrive.
  async function sendPiece(item) {
    const bytes = await item.file.slice(item.sent, item.sent + item.step).arrayBuffer();
    const sum = base64(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)));
    if (item.state !== 'running') return true;
    const began = performance.now();
    const headers = { 'Content-Type': 'application/offset+octet-stream', 'Upload-Offset': String(item.sent), 'Upload-Checksum': `sha256 ${sum}` };
    const answer = await ask(item, 'PATCH', `${address}/${item.id}`, headers, bytes);
    if (answer.status !== 204) {
      item.step = Math.max(LEAST_BYTES, item.step / 2);
      return failed(judge(answer));
    }
    item.sent = Number(answer.header('Upload-Offset'));
    item.isWhole = item.sent === item.file.size;
    const seconds = Math.max(0.05, (performance.now() - began) / 1000);
    item.step = Math.round(Math.min(MOST_BYTES, item.step * 2, Math.max(LEAST_BYTES, (bytes.byteLength / seconds) * AIM_SECONDS)));
    progress(item, item.sent);
    return true;
  }

  async function upload(item) {
    let [lost, since, isLooked] = [0, performance.now(), false];
    while (item.state === 'running' || item.state === 'lost') {
      const step = !item.id ? begin : isLooked ? sendPiece : look;
      const arrived = await step(item);
      if (item.state !== 'running' && item.state !== 'lost') return;
      if (item.isWhole) return show(item, 'done');
      if (arrived) {
        isLooked = true;
        [lost, since] = [0, performance.now()];
        if (item.state === 'lost') show(item, 'running');
        continue;
      }
      isLooked = false;
      if (performance.now() - since > MOST_LOST_SECONDS * 1000) return show(item, 'paused', texts.noConnection);
      if (item.state === 'running') show(item, 'lost', texts.lostWhy);
      await sleep(Math.min(MOST_WAIT_SECONDS, 2 ** lost), item);
      lost += 1;
    }
  }

  async function run() {
    if (running) return;
    for (;;) {
      running = items.find((item) => item.state === 'waiting');
      if (!running) return;
      const item = running;
      item.retry = undefined;
      item.isSignedOut = false;
      show(item, 'running');
      try {
        await upload(item);
      } catch (error) {
        if (item.state === 'cancelled') continue;
        item.retry = error instanceof Refused ? error.retry : 'again';
        item.isSignedOut = Boolean(error.isSignedOut);
        const why = error instanceof Refused ? error.message : texts.unreadable;
        show(item, item.isSignedOut ? 'paused' : 'failed', why);
      }
    }
  }

  // ---- what people do ----
  function toggle(item) {
    if (item.state === 'running' || item.state === 'lost') {
      show(item, 'paused');
      item.request?.abort();
      item.wake?.();
      return;
    }
    item.isAnew = item.retry === 'anew';
    if (item.isAnew) item.id = undefined;
    show(item, 'waiting');
    run();
  }

  async function cancel(item) {
    if (item.id && item.sent && !confirm(filled(texts.sure, { name: item.file.name }))) return;
    const isBegun = Boolean(item.id);
    item.state = 'cancelled';
    item.request?.abort();
    item.wake?.();
    items.splice(items.indexOf(item), 1);
    item.row.remove();
    section.querySelector('h2').focus();
    if (isBegun) {
      const gone = await ask(item, 'DELETE', `${address}/${item.id}`);
      if (gone.status !== 204 && gone.status !== 404) return tell(texts.notRemoved, item);
    }
    tell(texts.removed, item);
  }

  function add(file, product) {
    const row = section.querySelector('template').content.firstElementChild.cloneNode(true);
    const item = { file, product, row, sent: 0, step: FIRST_BYTES, marks: [], quarter: 0, told: 0 };
    row.querySelectorAll('[data-name]').forEach((place) => (place.textContent = file.name));
    row.querySelector('progress').setAttribute('aria-label', filled(texts.progress, { name: file.name }));
    row.querySelector('[data-toggle]').addEventListener('click', () => toggle(item));
    row.querySelector('[data-cancel]').addEventListener('click', () => cancel(item));
    items.push(item);
    list.append(row);
    show(item, 'waiting');
    if (replaces && file.name !== replaces) show(item, 'failed', texts.otherName);
  }

  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const chosen = [...input.files];
    const rest = items.filter((item) => !['done', 'failed'].includes(item.state)).length;
    mistake.hidden = chosen.length + rest <= MOST_FILES;
    if (!mistake.hidden) return;
    section.hidden = false;
    for (const file of chosen) add(file, new FormData(form).get('product'));
    input.value = '';
    section.querySelector('h2').focus();
    run();
  });

  // files that are let go anywhere on the page are chosen as by the field; sending them is said for itself
  const zone = input.closest('.field');
  const hasFiles = (event) => event.dataTransfer?.types.includes('Files');
  addEventListener('dragover', (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    zone.classList.add('drop--over');
  });
  addEventListener('dragleave', (event) => event.relatedTarget === null && zone.classList.remove('drop--over'));
  addEventListener('drop', (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    zone.classList.remove('drop--over');
    const dropped = new DataTransfer();
    [...event.dataTransfer.files].slice(0, input.multiple ? MOST_FILES : 1).forEach((file) => dropped.items.add(file));
    input.files = dropped.files;
    tell(filled(texts.chosen, { count: input.files.length }));
    input.focus();
  });
  addEventListener('online', () => running?.wake?.());
  addEventListener('beforeunload', (event) => items.some((item) => ['running', 'lost', 'waiting'].includes(item.state)) && event.preventDefault());

  zone.classList.add('drop');
  document.querySelectorAll('[data-with-script]').forEach((part) => (part.hidden = false));
  document.querySelectorAll('[data-without-script]').forEach((part) => (part.hidden = true));
}

if (section && form && globalThis.crypto?.subtle) start();
