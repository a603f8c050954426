// An order's page comes alive: the clock runs, and what the worker or another tab changed is
// shown without a reload by hand. The clock follows the server's time, not the device's.
const page = document.querySelector('[data-state]');
const clock = document.querySelector('.countdown');
const heard = document.getElementById('heard');
const ahead = Date.now() - Number(page?.dataset.now);

const EVERY_MS = { opening: 1500, silent: 3000, asking: 1000, ending: 1500, issuing: 1000, paying: 3000, choosing: 10000, again: 10000 };
// After this long somebody has left the page open: ask seldom.
const PATIENCE_MS = 10 * 60 * 1000;
const SELDOM_MS = 15000;
const opened = performance.now();

function show(text) {
  if (heard && heard.textContent !== text) heard.textContent = text;
}

function tick() {
  const left = Math.max(0, Math.ceil((Number(clock.dataset.until) - (Date.now() - ahead)) / 1000));
  clock.textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, '0')}`;
  clock.classList.toggle('is-late', left <= 60);
  if (left === 120) show(heard.dataset.two);
  if (left === 30) show(heard.dataset.half);
  if (left > 0) setTimeout(tick, 1000 - ((Date.now() - ahead) % 1000) + 5);
  else setTimeout(look, 1500);
}

let looking;
async function look() {
  clearTimeout(looking);
  try {
    const answer = await fetch(page.dataset.state, { headers: { accept: 'application/json' } });
    if (answer.status === 401 || answer.status === 403) return;
    if (answer.ok && (await answer.json()).mark !== page.dataset.mark) {
      // A form being sent must not be interrupted.
      if (!document.querySelector('form[data-sent]')) location.reload();
      return;
    }
  } catch {
    // The network is away for a moment: the next look will tell.
  }
  const usual = EVERY_MS[page.dataset.stage] ?? SELDOM_MS;
  const seldom = document.hidden || performance.now() - opened > PATIENCE_MS;
  looking = setTimeout(look, seldom ? Math.max(usual, SELDOM_MS) : usual);
}

if (clock) tick();
if (page) {
  looking = setTimeout(look, EVERY_MS[page.dataset.stage] ?? SELDOM_MS);
  document.addEventListener('visibilitychange', () => document.hidden || look());
  window.addEventListener('pageshow', (shown) => shown.persisted && look());
}
