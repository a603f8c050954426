// Calls the visitor by sound and by a notification, if the visitor asked for it with the button.
// The choice stays in this browser. After a reload the sound waits for a touch of the page, as
// browsers want it; the notification doesn't.

const KEPT_AS = 'biletter-queue-alert';
const TONES_HZ = [660, 880, 660, 880];
const TONE_S = 0.22, LOUDNESS = 0.25;

export class Alert {
  #button = document.getElementById('queue-alert');
  #note = document.getElementById('queue-alert-note');
  #audio = null;

  constructor() {
    this.on = kept();
    this.#button.addEventListener('click', () => this.#toggle());
    for (const touch of ['pointerdown', 'keydown']) document.addEventListener(touch, () => this.#wake(), { passive: true });
    this.#show();
  }

  // While there is something to wait for.
  offer(isWaiting) { this.#button.parentElement.hidden = !isWaiting; }

  call(words) {
    if (!this.on) return;
    this.#play(TONES_HZ);
    try {
      if (Notification.permission !== 'granted') return;
      const notification = new Notification(words, { tag: KEPT_AS, requireInteraction: true });
      notification.onclick = () => { window.focus(); notification.close(); };
    } catch { /* no notifications in this browser: the sound must do */ }
  }

  async #toggle() {
    this.on = !this.on;
    try { localStorage.setItem(KEPT_AS, this.on ? 'on' : 'off'); } catch { /* for this page only */ }
    this.#show();
    if (!this.on) return;
    this.#wake();
    this.#play(TONES_HZ.slice(0, 1));
    try { await Notification.requestPermission(); } catch { /* see call() */ }
    this.#show();
  }

  #show() {
    const words = this.#button.dataset;
    this.#button.setAttribute('aria-pressed', String(this.on));
    const allowed = 'Notification' in window && Notification.permission === 'granted';
    this.#note.textContent = !this.on ? '' : allowed ? words.both : words.sound;
  }

  #wake() {
    if (!this.on || this.#audio?.state === 'running') return;
    try {
      this.#audio ??= new AudioContext();
      this.#audio.resume();
    } catch { /* no sound in this browser */ }
  }

  #play(tones) {
    if (!this.#audio) return;
    tones.forEach((hz, i) => {
      const from = this.#audio.currentTime + i * TONE_S, until = from + TONE_S;
      const tone = new OscillatorNode(this.#audio, { frequency: hz });
      const volume = new GainNode(this.#audio, { gain: LOUDNESS });
      volume.gain.setValueAtTime(LOUDNESS, from);
      volume.gain.exponentialRampToValueAtTime(0.001, until);
      tone.connect(volume).connect(this.#audio.destination);
      tone.start(from);
      tone.stop(until);
    });
  }
}

function kept() {
  try { return localStorage.getItem(KEPT_AS) === 'on'; } catch { return false; }
}
