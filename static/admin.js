// Keeps the numbers of the throttle console fresh: one small question a second, none while the
// page is out of sight. What is being typed is never touched.
const EVERY_MS = 1000;
const ANSWER_WITHIN_MS = 4000;
const page = document.querySelector('[data-live-from]');
const note = page.querySelector('[data-live-note]');
const calm = note?.textContent;

function tell(words) {
  if (!note || note.textContent === words) return;
  note.textContent = words;
  note.classList.toggle('is-lost', words !== calm);
}

function counted(value) {
  if (value === null) return '—';
  if (typeof value !== 'number') return value;
  return String(value).replace(/\B(?=(\d{3})+$)/g, '\u00a0');
}

function show(place, room) {
  for (const spot of place.querySelectorAll('[data-live]')) {
    const name = spot.dataset.live;
    if (name === 'state') {
      spot.textContent = room.state_word;
      spot.className = room.state_tone ? `badge badge-${room.state_tone}` : 'badge';
    } else if (name === 'age') {
      spot.hidden = room.age_s === 0;
    } else if (spot instanceof HTMLProgressElement) {
      spot.max = room[spot.dataset.liveMax];
      spot.value = room[name];
    } else {
      spot.textContent = room[name] === null && spot.dataset.none ? spot.dataset.none : counted(room[name]);
    }
  }
  // What there was nothing of when the page was made.
  for (const word of place.querySelectorAll('[data-live-when]')) word.hidden = !room[word.dataset.liveWhen];
  for (const choice of place.querySelectorAll('[data-live-state]')) {
    const isNow = choice.dataset.liveState === room.state;
    choice.classList.toggle('choice-now', isNow);
    const button = choice.querySelector('button');
    if (isNow) button.setAttribute('aria-current', 'true');
    else button.removeAttribute('aria-current');
  }
}

async function look() {
  const answer = await fetch(page.dataset.liveFrom, {
    headers: { accept: 'application/json' },
    signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
  });
  if (answer.status === 401 || answer.status === 403) {
    tell(note?.dataset.out);
    return false;
  }
  if (!answer.ok) throw new Error(answer.status);
  const told = await answer.json();
  for (const room of told.rooms ?? [told]) {
    const place = document.querySelector(`[data-live-room="${room.event}"]`);
    if (place) show(place, room);
  }
  tell(calm);
  return true;
}

async function run() {
  let goOn = true;
  while (goOn) {
    await new Promise((resume) => setTimeout(resume, EVERY_MS));
    if (document.hidden) continue;
    try {
      goOn = await look();
    } catch {
      tell(note?.dataset.lost);
    }
  }
}

run();
