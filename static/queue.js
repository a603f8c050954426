// The queue page by itself: asks when it was told to, says what changed, walks in when called.
// What a state looks like is drawn by the server; only the numbers are written here.

const queue = document.getElementById('queue');
const HEARTBEAT_MS = 20_000, HEARTBEAT_HIDDEN_MS = 45_000;
const SAY_EVERY_MS = 30_000, ANSWER_WITHIN_MS = 10_000;
// Near the front the server tells by itself; polls go on slowly, should the stream be silent.
const FRONT_S = 30, STREAM_POLL_MS = 12_000;
// Asked for so long and nothing heard: the visitor is told that we don't hear each other.
const LOST_MS = 10_000;
// The sound of the call is heard to its end before the page leads on.
const SOUND_MS = 1_000;
const NOWHERE_MS = 20_000;
const RETRY_FIRST_MS = 2_000, RETRY_MAX_MS = 60_000;
const WAITING = new Set(['waiting', 'paused', 'prequeue']);
const JOINABLE = new Set(['before', 'left', 'restarted']);
const CALLED = new Set(['called', 'full']);

const enterForm = document.querySelector('form[data-enter]');
if (enterForm) enterForm.submit();
// By addresses that carry the content's hash, as browsers keep the files for a year.
if (queue) start(...await Promise.all([import(queue.dataset.alert), import(queue.dataset.forecast)]));

function start({ Alert }, { Forecast }) {
  const event = queue.dataset.event;
  const { invite } = queue.dataset;
  const back = new URLSearchParams({ return_to: queue.dataset.return, ...(invite && { invite }) });
  let failures = 0, saidAt = 0, timer = 0, soundUntil = 0, stream = null, refusesStreams = false;
  const alert = new Alert(), forecast = new Forecast();

  const place = () => document.getElementById('place');
  const shows = () => place().dataset.shows;
  const call = async (path, method = 'GET', body = undefined) => heard(await fetch(`/rooms/${event}/${path}`, {
    method, body: body && JSON.stringify(body), signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
    headers: { accept: 'application/json', ...(body && { 'content-type': 'application/json' }) },
  }));

  // Whether the line and we hear each other; below 500 it was the line that answered.
  let missedAt = 0;
  const lost = document.getElementById('queue-lost');
  function heard(answer) {
    if (answer.status >= 500) return answer;
    missedAt = 0;
    lost.hidden = true;
    return answer;
  }
  function missed(atOnce = false) {
    missedAt ||= performance.now();
    if (!lost.hidden || !(atOnce || performance.now() - missedAt > LOST_MS)) return;
    if (!WAITING.has(shows()) && !CALLED.has(shows())) return;
    lost.hidden = false;
    say(lost.textContent, true);
  }

  // One step at a time; a step that fails is repeated after a random pause that grows.
  function next(ms) {
    clearTimeout(timer);
    timer = setTimeout(step, ms);
  }
  function retry(answer) {
    const told = Number(answer?.headers.get('retry-after') ?? 0) * 1000;
    const spread = Math.min(RETRY_MAX_MS, RETRY_FIRST_MS * 2 ** failures);
    failures += 1;
    if (answer?.status !== 429) missed();
    next(told + 300 + Math.random() * spread);
  }
  async function step() {
    try {
      if (JOINABLE.has(shows()) && 'joins' in queue.dataset) await join();
      else if (WAITING.has(shows())) await look();
      else if (CALLED.has(shows())) await claim();
      else if (place().dataset.reload) await redraw();
    } catch {
      retry();
    }
  }

  // A room may want to see a little work first (waitingroom/proof.py): of this page, unseen.
  async function join() {
    delete queue.dataset.joins;
    const { challenge, bits, wait } = place().dataset;
    const proof = challenge && await prove({ challenge, bits: Number(bits), wait_s: Number(wait) });
    let answer = await call('entries', 'POST', proof && { proof });
    if (answer.status === 403 && !proof) {
      const asked = await answer.json();
      if (asked.code === 'proof-required') answer = await call('entries', 'POST', { proof: await prove(asked) });
    }
    if (answer.status === 429 || answer.status === 503) {
      queue.dataset.joins = '';
      return retry(answer);
    }
    const isFull = answer.status === 409 && (await answer.json()).code === 'room-full';
    await redraw(isFull ? { crowded: 1 } : {});
  }

  async function look() {
    const answer = await call('entries/me');
    if (answer.status === 429 || answer.status >= 500) return retry(answer);
    if (!answer.ok) return redraw();
    failures = 0;
    const told = await answer.json();
    if (!isSame(told)) return redraw();
    write(told);
    if (isNear(told)) listen();
    next(stream ? STREAM_POLL_MS : told.poll_after_ms);
  }
  // Whether the page shows the right state, and only its numbers may be old.
  function isSame(told) {
    const { state } = place().dataset, stale = 'stale' in place().dataset;
    return WAITING.has(shows()) && told.stage === 'waiting' && told.state === state && (told.age_s > 0) === stale;
  }
  const isNear = ({ eta }) => eta !== null && eta.high_s <= FRONT_S;

  function listen() {
    if (stream || refusesStreams) return;
    stream = new EventSource(`/rooms/${event}/live`);
    stream.addEventListener('place', ({ data }) => {
      const told = JSON.parse(data);
      if (!isSame(told)) return hush(), next(0);
      write(told);
      if (!isNear(told)) hush();
    });
    stream.addEventListener('end', () => { hush(); next(0); });
    // A stream that ends is opened again by the browser; one that was refused is not.
    stream.addEventListener('error', () => {
      if (stream?.readyState === EventSource.CLOSED) { refusesStreams = true; hush(); }
      next(500 + Math.random() * 1_000);
    });
  }
  function hush() {
    stream?.close();
    stream = null;
  }

  async function claim() {
    // Nowhere to walk in to: the turn is not used up.
    if (!document.getElementById('enter')) return void setTimeout(() => location.reload(), NOWHERE_MS);
    const answer = await call('claims', 'POST');
    if (answer.status === 201) return walkIn(await answer.json());
    if (answer.status === 409 && (await answer.json()).code === 'gate-full') {
      const seconds = Number(answer.headers.get('retry-after') ?? 3);
      if (shows() !== 'full') await redraw({ full: 1 });
      return next(seconds * 1000 * (0.7 + Math.random() * 0.6));
    }
    if (answer.status === 429 || answer.status >= 500) return retry(answer);
    await redraw();
  }

  // Work in a worker of its own, or patience, whichever is there first.
  function prove({ challenge, bits, wait_s: waitS }) {
    say(queue.dataset.proves, true);
    return new Promise((resolve) => {
      setTimeout(() => resolve(`${challenge}.wait`), (waitS + 1) * 1000);
      const worker = new Worker(queue.dataset.worker, { type: 'module' });
      worker.onmessage = ({ data }) => { worker.terminate(); resolve(data); };
      worker.postMessage({ challenge, bits });
    });
  }
  // The link for another device is shown here: leaving the page would lose the turn to it.
  async function handOver(form) {
    const answer = await fetch(form.action, { method: 'POST', body: new URLSearchParams(new FormData(form)), headers: { accept: 'text/html' } });
    if (!answer.ok) return redraw();
    delete form.dataset.sent;
    for (const button of form.querySelectorAll('button')) button.removeAttribute('aria-disabled');
    const drawn = new DOMParser().parseFromString(await answer.text(), 'text/html').getElementById('handover');
    document.getElementById('handover')?.remove();
    place().after(drawn);
    document.getElementById('handover-heading').focus();
  }
  document.addEventListener('submit', (submitted) => {
    if (submitted.target.dataset.verb === 'handovers') {
      submitted.preventDefault();
      handOver(submitted.target).catch(() => submitted.target.submit());
      return;
    }
    if (submitted.target.dataset.verb !== 'join' || !place().dataset.challenge) return;
    submitted.preventDefault();
    submitted.target.querySelector('button').disabled = true;
    join().catch(() => retry());
  });

  async function walkIn(admitted) {
    const rest = soundUntil - Date.now();
    if (rest > 0) await new Promise((done) => { setTimeout(done, rest); });
    const form = document.getElementById('enter');
    form.elements.pass.value = admitted.pass;
    form.submit();
  }

  // The server draws the state anew; who was reading or typing here keeps the focus on it.
  async function redraw(more = {}) {
    const asked = new URLSearchParams({ ...Object.fromEntries(back), ...more });
    const answer = heard(await fetch(`/queue/${event}/place?${asked}`, {
      headers: { accept: 'text/html' }, signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
    }));
    if (!answer.ok) return retry(answer);
    failures = 0;
    const had = shows(), focused = place().contains(document.activeElement);
    const drawn = new DOMParser().parseFromString(await answer.text(), 'text/html');
    place().replaceWith(drawn.getElementById('place'));
    if (focused) document.getElementById('queue-heading').focus();
    if (!WAITING.has(shows())) document.getElementById('handover')?.remove();
    settle();
    if (WAITING.has(had) && CALLED.has(shows())) {
      alert.call(document.getElementById('queue-heading').textContent);
      if (alert.on) soundUntil = Date.now() + SOUND_MS;
    }
    if (had !== shows()) say(document.getElementById('queue-heading').textContent, true);
    if (CALLED.has(shows())) return next(shows() === 'full' ? 3_000 : 0);
    next(Number(place().dataset.poll ?? (place().dataset.reload ?? 10) * 1000));
  }

  function settle() {
    document.title = place().dataset.tab;
    alert.offer(WAITING.has(shows()));
    if (!WAITING.has(shows())) hush();
  }

  function write(told) {
    if (told.number === null) return;
    const words = (id, text) => { document.getElementById(id).textContent = text; };
    const still = told.eta === null;
    words('queue-ahead', grouped(told.ahead));
    words('queue-serving', grouped(told.serving));
    words('queue-eta', still ? '—' : wait(told.eta));
    document.getElementById('queue-progress').value = told.progress;
    const message = document.getElementById('queue-message');
    message.textContent = told.message;
    message.hidden = !told.message;
    const why = forecast.hear(told);
    const rise = document.getElementById('queue-rise');
    rise.hidden = !why;
    rise.textContent = why && (why === 'returned' ? queue.dataset.returned : queue.dataset.slower);
    const sentence = still ? queue.dataset.saysStill : queue.dataset.says;
    say(sentence.replace('{ahead}', grouped(told.ahead)).replace('{eta}', still ? '' : wait(told.eta)) + (why && ` ${rise.textContent}`));
  }
  function say(sentence, now = false) {
    if (!now && Date.now() - saidAt < SAY_EVERY_MS) return;
    saidAt = Date.now();
    document.getElementById('queue-says').textContent = sentence;
  }

  // Told by the server when it drew this; a clock of the visitor's own may be wrong.
  let clock = null, endsAt = 0;
  setInterval(() => {
    const drawn = document.querySelector('.queue-clock');
    if (!drawn) return;
    if (drawn !== clock) {
      clock = drawn;
      endsAt = performance.now() + Number(drawn.dataset.left) * 1000;
    }
    drawn.textContent = countdown(Math.max(0, Math.ceil((endsAt - performance.now()) / 1000)), drawn.dataset.days);
  }, 250);

  // Someone whose page is hidden still waits; the beat is slower, and late at most once a window.
  async function beat() {
    if (WAITING.has(shows())) {
      try { await call('heartbeats', 'POST'); } catch { missed(); }
    }
    setTimeout(beat, document.hidden ? HEARTBEAT_HIDDEN_MS : HEARTBEAT_MS);
  }
  settle();
  setTimeout(beat, HEARTBEAT_MS * (0.5 + Math.random() / 2));
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden && (WAITING.has(shows()) || CALLED.has(shows()))) next(Math.random() * 500);
  });
  window.addEventListener('offline', () => missed(true));
  window.addEventListener('online', () => next(Math.random() * 500));
  next('joins' in queue.dataset || CALLED.has(shows()) ? 0 : Number(place().dataset.poll ?? (place().dataset.reload ?? 0) * 1000));
}

function grouped(number) {
  return String(number).replace(/\B(?=(\d{3})+$)/g, '\u00a0');
}

function countdown(seconds, daysWord) {
  const two = (n) => String(n).padStart(2, '0');
  const days = Math.floor(seconds / 86_400), hours = Math.floor(seconds / 3600) % 24;
  const clock = `${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  if (days) return `${daysWord.replace('{days}', days)} ${two(hours)}:${clock}`;
  return hours ? `${hours}:${clock}` : clock;
}

// The same bands as the server writes (templates/_queue_parts.html).
function wait({ low_s: lowS, high_s: highS }) {
  const fill = (text, low, high) => text.replace('{low}', low).replace('{high}', high);
  const low = Math.floor(lowS / 60), high = Math.ceil(highS / 60), words = queue.dataset;
  if (high <= 1) return words.under;
  if (high >= 120) return fill(words.hours, Math.floor(lowS / 3600), Math.ceil(highS / 3600));
  if (low === 0) return fill(words.upto, low, high);
  return fill(low === high ? words.about : words.band, low, high);
}
