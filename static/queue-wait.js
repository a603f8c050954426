// Whether the wait has become longer than it was said to be, and why, as far as the numbers tell.

const NOTICED_MS = 60_000, NOTICED_PART = 0.25;

export class Forecast {
  #dueAt = Infinity;
  #aheadLeast = Infinity;

  // '', 'slower' (numbers are called more slowly) or 'returned' (more of those ahead are here).
  hear({ eta, ahead }) {
    if (!eta) {
      // A pause explains itself, and what was said before it no longer holds.
      this.#dueAt = Infinity;
      return '';
    }
    const now = Date.now(), dueAt = now + eta.high_s * 1000;
    const noticed = Math.max(NOTICED_MS, NOTICED_PART * (this.#dueAt - now));
    const grew = dueAt - this.#dueAt > noticed;
    const why = ahead > this.#aheadLeast ? 'returned' : 'slower';
    this.#dueAt = Math.min(this.#dueAt, dueAt);
    this.#aheadLeast = Math.min(this.#aheadLeast, ahead);
    return grew ? why : '';
  }
}
