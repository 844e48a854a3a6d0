/** Squares of numbers beyond 2^±400 may leave the doubles: such numbers are scaled first. */
const LARGE = 2 ** 400;
const SCALE = 2 ** 600;

/**
 * Count, extremes, mean and sum of squared deviations of a stream of finite numbers, in doubles. Each
 * block gives its mean and the squares around it, which are joined to those of the blocks before it
 * (Chan, Golub and LeVeque 1979). From numbers that lie close together far from 0, one of them is taken
 * off first, which is exact, so that a small spread around a large mean keeps its digits.
 */
export class Moments {
  count = 0;
  min = Infinity;
  max = -Infinity;
  /** A power of two: all sums are of `number × scale − shift`. */
  #scale = SCALE;
  #shift = 0;
  #sum = 0;
  /** What the additions to the sum have rounded off. */
  #rest = 0;
  #squares = 0;

  /** Takes the first `length` numbers of a block. */
  add(values: Float64Array, length: number): void {
    if (length === 0) return;
    let low = Infinity;
    let high = -Infinity;
    for (let at = 0; at < length; at++) {
      const value = values[at]!;
      if (value < low) low = value;
      if (value > high) high = value;
    }
    this.#lowerScale(Math.max(-low, high));
    const scale = this.#scale;
    if (this.count === 0 && (low > 0 ? high <= 2 * low : low >= 2 * high && high < 0)) {
      this.#shift = low * scale;
    }
    const shift = this.#shift;
    let sum = 0;
    for (let at = 0; at < length; at++) sum += values[at]! * scale - shift;
    const mean = sum / length;
    let squares = 0;
    for (let at = 0; at < length; at++) {
      const apart = values[at]! * scale - shift - mean;
      squares += apart * apart;
    }
    this.#join(length, sum, squares);
    if (low < this.min) this.min = low;
    if (high > this.max) this.max = high;
  }

  /** Takes one number `count` times. It must be within the range in which squares are doubles. */
  addMany(value: number, count: number): void {
    this.#lowerScale(1);
    this.#join(count, value * count, 0);
    if (value < this.min) this.min = value;
    if (value > this.max) this.max = value;
  }

  get mean(): number | null {
    return this.count > 0 ? (this.#shift + this.#mean) / this.#scale : null;
  }

  /** With Bessel's correction. */
  get std(): number | null {
    return this.count > 1 ? Math.sqrt(this.#squares / (this.count - 1)) / this.#scale : null;
  }

  /** Square root of the sum of squares. */
  get norm(): number | null {
    if (this.count === 0) return null;
    const mean = this.#shift + this.#mean;
    return Math.sqrt(this.#squares + mean * mean * this.count) / this.#scale;
  }

  get #mean(): number {
    return (this.#sum + this.#rest) / this.count;
  }

  #join(count: number, sum: number, squares: number): void {
    if (this.count > 0) {
      const apart = sum / count - this.#mean;
      squares += apart * apart * ((this.count / (this.count + count)) * count);
    }
    this.#squares += squares;
    this.count += count;
    const whole = this.#sum + sum; // as Neumaier adds
    const larger = Math.abs(this.#sum) >= Math.abs(sum);
    this.#rest += larger ? this.#sum - whole + sum : sum - whole + this.#sum;
    this.#sum = whole;
  }

  /** Makes the scale fit for numbers of a magnitude; it starts with what fits the least. */
  #lowerScale(magnitude: number): void {
    const fitting = magnitude > LARGE ? 1 / SCALE : magnitude < 1 / LARGE ? SCALE : 1;
    while (this.#scale > fitting) {
      this.#scale /= SCALE;
      this.#shift /= SCALE;
      this.#sum /= SCALE;
      this.#rest /= SCALE;
      this.#squares = this.#squares / SCALE / SCALE;
    }
  }
}
