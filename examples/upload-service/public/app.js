/* global document, localStorage, location, tus, fetch, window */
'use strict';

const $ = (selector, within = document) => within.querySelector(selector);
const said = $('#said');
const CHUNK = Infinity;
const RETRY_DELAYS = [0, 500, 1000, 2000, 3000, 5000, 5000, 10000, 10000, 20000, 30000];
/** What this page remembers of unfinished uploads, to name them after the tab was closed. */
const REMEMBERED = 'moosefs-unfinished';

const remembered = () => JSON.parse(localStorage.getItem(REMEMBERED) ?? '{}');
function remember(key, entry) {
  const all = remembered();
  if (entry) all[key] = entry;
  else delete all[key];
  localStorage.setItem(REMEMBERED, JSON.stringify(all));
  showUnfinished();
}
const running = new Set();
const keyOf = (file) => `${file.name}-${file.size}-${file.lastModified}`;

function showUnfinished() {
  const waiting = Object.entries(remembered()).filter(([key]) => !running.has(key));
  $('#unfinished').hidden = waiting.length === 0;
  $('#unfinished-list').replaceChildren(
    ...waiting.map(([, { name, percent }]) => {
      const item = document.createElement('li');
      item.textContent = `${name} (${percent} % there)`;
      return item;
    }),
  );
}

function sizeText(bytes) {
  for (const unit of ['bytes', 'KB', 'MB', 'GB']) {
    if (bytes < 1000 || unit === 'GB') return `${unit === 'bytes' ? bytes : bytes.toFixed(1)} ${unit}`;
    bytes /= 1000;
  }
}

async function start(file) {
  const key = keyOf(file);
  if (running.has(key)) return;
  running.add(key);
  const item = $('#upload').content.firstElementChild.cloneNode(true);
  const bar = $('progress', item);
  const state = $('.state', item);
  const pause = $('.pause', item);
  const cancel = $('.cancel', item);
  $('.name', item).textContent = file.name;
  bar.setAttribute('aria-label', file.name);
  $('#uploads').prepend(item);

  const upload = new tus.Upload(file, {
    endpoint: new URL('files', location.href).href,
    chunkSize: CHUNK,
    retryDelays: RETRY_DELAYS,
    removeFingerprintOnSuccess: true,
    metadata: { filename: file.name, filetype: file.type || 'application/octet-stream' },
    onProgress(sent, total) {
      const percent = Math.floor((100 * sent) / (total || 1));
      bar.value = percent;
      state.textContent = `${percent} % of ${sizeText(total)}`;
    },
    onChunkComplete: () => undefined,
    onUploadUrlAvailable() {
      remember(key, { name: file.name, percent: Math.floor(bar.value) });
    },
    onError(error) {
      const status = error.originalResponse?.getStatus();
      const why =
        { 413: 'too large', 415: 'files of this type are not taken' }[status] ?? 'the server cannot be reached';
      state.textContent = `Failed: ${why}`;
      state.className = 'state bad';
      said.textContent = `${file.name} failed: ${why}`;
      pause.textContent = 'Try again';
      paused = true;
      if (status === 413 || status === 415) {
        pause.hidden = true;
        remember(key);
        running.delete(key);
      }
    },
    onSuccess: () => void done(),
  });

  let paused = false;
  pause.onclick = () => {
    paused = !paused;
    state.className = 'state';
    pause.textContent = paused ? 'Resume' : 'Pause';
    if (paused) {
      void upload.abort();
      state.textContent = `Paused at ${Math.floor(bar.value)} %`;
      said.textContent = `${file.name} paused`;
      remember(key, { name: file.name, percent: Math.floor(bar.value) });
    } else {
      state.textContent = 'Going on';
      upload.start();
    }
  };
  cancel.onclick = async () => {
    await upload.abort(true).catch(() => undefined);
    running.delete(key);
    remember(key);
    item.remove();
    said.textContent = `${file.name} cancelled`;
    $('#pick').focus();
  };

  async function done() {
    bar.value = 100;
    state.textContent = `Done, ${sizeText(file.size)}`;
    said.textContent = `${file.name} is uploaded`;
    running.delete(key);
    remember(key);
    pause.hidden = true;
    cancel.hidden = true;
    const id = upload.url.split('/').at(-1);
    const found = await (await fetch(`api/uploads/${encodeURIComponent(id)}`)).json();
    const link = $('.link', item);
    link.href = found.link;
    link.hidden = false;
    $('.md5', item).hidden = false;
    $('.md5 code', item).textContent = found.md5;
    const verify = $('.verify', item);
    verify.hidden = false;
    verify.onclick = () => void proof(item, verify, found);
  }

  const [previous] = await upload.findPreviousUploads();
  if (previous) upload.resumeFromPreviousUpload(previous);
  showUnfinished();
  upload.start();
}

/** Reads every replica anew and shows what each one holds. */
async function proof(item, button, { name, md5 }) {
  const place = $('.proof', item);
  button.disabled = true;
  button.textContent = 'Reading every replica …';
  try {
    const response = await fetch(`api/verify/${encodeURIComponent(name)}`);
    if (!response.ok) throw new Error(`the server answered ${response.status}`);
    place.replaceChildren(table(await response.json(), md5));
  } catch (error) {
    place.textContent = `That did not work: ${error.message}`;
  }
  place.hidden = false;
  button.disabled = false;
  button.textContent = 'Read replicas again';
}

function table({ ok, chunks }, md5) {
  const made = document.createElement('table');
  const caption = made.createCaption();
  caption.textContent = ok ? `All replicas agree: ${md5}` : 'Replicas differ or could not be read';
  caption.className = ok ? 'good' : 'bad';
  const head = made.createTHead().insertRow();
  for (const title of ['Chunk', 'Replica at', 'md5', 'Equal']) {
    const cell = document.createElement('th');
    cell.scope = 'col';
    cell.textContent = title;
    head.append(cell);
  }
  const body = made.createTBody();
  for (const { index, replicas } of chunks)
    for (const replica of replicas) {
      const row = body.insertRow();
      row.insertCell().textContent = index;
      row.insertCell().textContent = `${replica.host}:${replica.port}`;
      row.insertCell().textContent = replica.digest ?? replica.state;
      const mark = row.insertCell();
      // Not by colour alone.
      mark.textContent = replica.ok ? '✔ yes' : '✘ no';
      mark.className = replica.ok ? 'good' : 'bad';
    }
  return made;
}

const drop = $('#drop');
for (const type of ['dragenter', 'dragover', 'dragleave', 'drop'])
  drop.addEventListener(type, (event) => {
    event.preventDefault();
    drop.classList.toggle('over', type === 'dragenter' || type === 'dragover');
    if (type === 'drop') for (const file of event.dataTransfer.files) void start(file);
  });
$('#pick').onchange = (event) => {
  for (const file of event.target.files) void start(file);
  event.target.value = '';
};
// Dropped beside the field, a file would replace the page.
for (const type of ['dragover', 'drop']) window.addEventListener(type, (event) => event.preventDefault());
showUnfinished();
