/** Letters typed within this time belong together. */
const TOGETHER_MILLISECONDS = 700;
/** Are commands where they come first. */
const SIGNS = '/?';

/** What is typed letter by letter to go to a row whose name begins so. */
export class Typed {
  #text = '';
  #at = 0;

  /** The letters so far, in lower case; null for keys that are no letters, or begin no name. */
  take(event: KeyboardEvent): string | null {
    if (event.key.length !== 1) return null;
    const goesOn = this.#text !== '' && event.timeStamp - this.#at < TOGETHER_MILLISECONDS;
    if (!goesOn && SIGNS.includes(event.key)) return null;
    this.#text = (goesOn ? this.#text : '') + event.key.toLowerCase();
    this.#at = event.timeStamp;
    return this.#text;
  }

  end(): void {
    this.#text = '';
  }
}
