// The seat map comes alive: states every two seconds, a bar that counts, blocks without reload,
// arrow keys in the grid. The form underneath posts just the same without all this.
const POLL_MS = 2000;
const POLL_SLOW_MS = 15000;
const FREE = 0;
const STATE_CLASSES = ['', 'is-held', 'is-sold'];

const language = document.documentElement.lang;
const plural = new Intl.PluralRules(language);
const heard = document.getElementById('heard');
let form = document.getElementById('block');
const zone = readZone(form.dataset);
const mine = new Set(numbers(form.dataset.mine));
const chosen = new Set();
let version = form.dataset.version;
let states = null;

function numbers(text) {
  return text ? text.split(',').map(Number) : [];
}

// "100x150" is 150 rows of 100 seats; starts[i] is where row i begins in the zone.
function readZone(data) {
  const sizes = data.rows.split(',').flatMap((run) => {
    const [size, count] = run.split('x').map(Number);
    return Array(count).fill(size);
  });
  let at = 0;
  const starts = sizes.map((size) => (at += size) - size);
  return {
    sizes, starts, first: Number(data.first), count: Number(data.count), firstRow: Number(data.firstRow),
    price: Number(data.price), limit: Number(data.limit),
  };
}

function placeOf(seat) {
  const at = seat - zone.first;
  if (at < 0 || at >= zone.count) return null;
  let low = 0;
  let high = zone.starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (zone.starts[middle] <= at) low = middle;
    else high = middle - 1;
  }
  return { row: zone.firstRow + low, number: at - zone.starts[low] + 1 };
}

function named(seat) {
  const place = placeOf(seat);
  return place ? form.dataset.sayPlace.replace('{row}', place.row).replace('{number}', place.number) : '…';
}

function say(text) {
  heard.textContent = '';
  requestAnimationFrame(() => (heard.textContent = text));
}

// Two bits a seat: seat i in byte i >> 2 at bit 2 * (i & 3).
function unpack(base64) {
  const bytes = atob(base64);
  const found = new Uint8Array(zone.count);
  for (let i = 0; i < zone.count; i += 1) found[i] = (bytes.charCodeAt(i >> 2) >> (2 * (i & 3))) & 3;
  return found;
}

function inputs() {
  return [...form.querySelectorAll('.seat input')];
}

function paintSeats() {
  if (!states) return;
  for (const input of inputs()) {
    const seat = Number(input.value);
    const state = mine.has(seat) ? -1 : states[seat - zone.first];
    const label = input.parentElement;
    const wanted = state < 0 ? 'seat is-mine' : `seat ${STATE_CLASSES[state]}`.trim();
    if (label.className.replace(' is-just', '') === wanted) continue;
    label.className = `${wanted} is-just`;
    input.disabled = state !== FREE || form.dataset.open !== '1';
  }
}

function loseTaken() {
  const lost = [...chosen].filter((seat) => {
    const at = seat - zone.first;
    return at >= 0 && at < zone.count && states[at] !== FREE && !mine.has(seat);
  });
  for (const seat of lost) chosen.delete(seat);
  showChoice();
  if (lost.length) tell(form.dataset.sayLost + lost.map(named).join('; '));
}

function paintHeat() {
  for (const link of document.querySelectorAll('#blocks [data-span]')) {
    const [top, bottom, left, right] = link.dataset.span.split(' ').map(Number);
    let free = 0;
    let total = 0;
    for (let row = top; row < bottom; row += 1) {
      const end = zone.starts[row] + Math.min(right, zone.sizes[row]);
      for (let at = zone.starts[row] + left; at < end; at += 1, total += 1) if (states[at] === FREE) free += 1;
    }
    if (link.textContent === String(free)) continue;
    link.textContent = free;
    link.setAttribute('aria-label', link.getAttribute('aria-label').replace(/\d+$/, free));
    link.className = `block-link heat-${free ? 1 + Math.min(4, Math.floor((free * 5) / total)) : 0}`;
  }
}

// To the eye in the bar, and to the ear.
function tell(text) {
  const hint = document.getElementById('hint');
  if (hint) Object.assign(hint, { textContent: text, hidden: false });
  say(text);
}

function showChoice() {
  const here = new Set();
  for (const input of inputs()) {
    const seat = Number(input.value);
    here.add(seat);
    input.checked = chosen.has(seat);
  }
  for (const hidden of form.querySelectorAll('[data-elsewhere]')) hidden.remove();
  for (const seat of chosen) {
    if (here.has(seat)) continue;
    const hidden = Object.assign(document.createElement('input'), { type: 'hidden', name: 'seats', value: seat });
    hidden.dataset.elsewhere = '';
    form.append(hidden);
  }
  for (const link of document.querySelectorAll(`a[href^="${form.dataset.zones}"]`)) {
    const address = new URL(link.href);
    if (chosen.size) address.searchParams.set('seats', [...chosen].join(','));
    else address.searchParams.delete('seats');
    link.href = address.href.replaceAll('%2C', ',');
  }
  showBar();
}

function showBar() {
  const take = document.getElementById('take');
  if (!take) return;
  take.toggleAttribute('disabled', chosen.size === 0);
  const [one, few, many] = form.dataset.places.split('|');
  const words = { one, few }[plural.select(chosen.size)] ?? many;
  const inZone = [...chosen].every((seat) => placeOf(seat));
  const sum = new Intl.NumberFormat(language).format((zone.price * chosen.size) / 100);
  const count = words.replace(/\d+/, chosen.size);
  document.getElementById('sum').textContent = !chosen.size ? '' : inZone ? `${count} · ${sum} ₸` : count;
  document.getElementById('hint').hidden = chosen.size > 0;
  document.getElementById('picks').replaceChildren(...[...chosen].map(pickOf));
}

function pickOf(seat) {
  const item = document.createElement('li');
  const button = Object.assign(document.createElement('button'), { type: 'button', textContent: named(seat) });
  button.addEventListener('click', () => {
    chosen.delete(seat);
    showChoice();
  });
  item.append(button);
  return item;
}

function onChange(changed) {
  const input = changed.target;
  if (input.name !== 'seats') return;
  const seat = Number(input.value);
  if (!input.checked) chosen.delete(seat);
  else if (chosen.size >= zone.limit) {
    input.checked = false;
    tell(form.dataset.sayLimit);
    return;
  } else chosen.add(seat);
  showChoice();
}

// One seat of the grid is in the tab order; arrows move to the next free one that way.
function onKey(pressed) {
  const input = pressed.target;
  if (!input.matches?.('.seat input')) return;
  if (pressed.key === 'Enter') {
    pressed.preventDefault();
    input.click();
    return;
  }
  const target = neighbour(input, pressed.key);
  if (!target) return;
  pressed.preventDefault();
  rove(target);
  target.focus();
  target.parentElement.scrollIntoView({ block: 'nearest', inline: 'nearest' });
}

function neighbour(input, key) {
  const row = input.closest('.seat-row');
  const usable = (of) => [...of.querySelectorAll('input:enabled')];
  const line = usable(row);
  const at = line.indexOf(input);
  if (key === 'ArrowLeft') return line[at - 1];
  if (key === 'ArrowRight') return line[at + 1];
  if (key === 'Home') return line[0];
  if (key === 'End') return line.at(-1);
  if (key !== 'ArrowUp' && key !== 'ArrowDown') return null;
  const x = input.getBoundingClientRect().left;
  let other = row;
  while ((other = key === 'ArrowUp' ? other.previousElementSibling : other.nextElementSibling)) {
    const found = other.matches('.seat-row') ? usable(other) : [];
    const away = (one) => Math.abs(one.getBoundingClientRect().left - x);
    if (found.length) return found.reduce((best, one) => (away(one) < away(best) ? one : best));
  }
  return null;
}

function rove(target) {
  for (const input of inputs()) input.tabIndex = -1;
  if (target) target.tabIndex = 0;
}

function settle() {
  rove(form.querySelector('.seat input:checked') ?? form.querySelector('.seat input:enabled'));
  const scroll = form.querySelector('.seats-scroll');
  const first = form.querySelector('.seat input:checked');
  if (first) first.parentElement.scrollIntoView({ block: 'nearest', inline: 'center' });
  else scroll.scrollLeft = (scroll.scrollWidth - scroll.clientWidth) / 2;
}

async function openBlock(href, number, { push }) {
  form.setAttribute('aria-busy', 'true');
  const answer = await fetch(href, { headers: { accept: 'text/html' } });
  if (!answer.ok) throw new Error(`${answer.status}`);
  const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html').getElementById('block');
  form.replaceWith(document.adoptNode(fresh));
  form = fresh;
  for (const link of document.querySelectorAll('#blocks [data-block]')) {
    link.toggleAttribute('aria-current', false);
    if (link.dataset.block === String(number)) link.setAttribute('aria-current', 'true');
  }
  if (push) history.pushState({ block: number }, '', href);
  paintSeats();
  showChoice();
  settle();
  form.scrollIntoView({ block: 'start' });
  form.querySelector('.seats-scroll').focus({ preventScroll: true });
}

document.addEventListener('click', (clicked) => {
  const link = clicked.target.closest?.('a[data-block]');
  if (!link || clicked.ctrlKey || clicked.metaKey || clicked.shiftKey) return;
  clicked.preventDefault();
  openBlock(link.href, link.dataset.block, { push: true }).catch(() => location.assign(link.href));
});
window.addEventListener('popstate', () => location.reload());
document.addEventListener('change', onChange);
document.addEventListener('keydown', onKey);

let polling;
async function poll() {
  clearTimeout(polling);
  let next = POLL_MS;
  try {
    if (!document.hidden) {
      const answer = await fetch(`${form.dataset.status}?since=${version}`);
      if (answer.status === 200) {
        const body = await answer.json();
        states = unpack(body.seats);
        version = body.version;
        paintSeats();
        paintHeat();
        loseTaken();
      } else if (answer.status !== 204) next = POLL_SLOW_MS;
    }
  } catch {
    next = POLL_SLOW_MS;
  }
  polling = setTimeout(poll, next * (0.9 + Math.random() * 0.2));
}
document.addEventListener('visibilitychange', () => document.hidden || poll());

for (const input of form.querySelectorAll('[name="seats"]')) {
  if (input.checked || input.type === 'hidden') chosen.add(Number(input.value));
}
showChoice();
settle();
polling = setTimeout(poll, POLL_MS);
