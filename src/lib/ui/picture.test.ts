import { describe, expect, it } from 'vitest';
import { picture } from './picture.ts';

const grey = (drawn: ReturnType<typeof picture>) =>
  Array.from({ length: drawn.width * drawn.height }, (_, index) => drawn.pixels[index * 4]);

describe('picture', () => {
  it('keeps a picture of 0 to 1 as dark as it is', () => {
    const drawn = picture(new Float32Array([0, 0.2, 0.4, 0.5]), [1, 2, 2]);
    expect([drawn.width, drawn.height]).toEqual([2, 2]);
    expect(grey(drawn)).toEqual([0, 51, 102, 128]);
  });

  it('takes colours from three planes', () => {
    const drawn = picture(new Float32Array([1, 0, 0.6]), [3, 1, 1]);
    expect([...drawn.pixels]).toEqual([255, 0, 153, 255]);
  });

  it('stretches other ranges from black to white, as one strip', () => {
    const drawn = picture(new Float32Array([-2, 0, 2]), [3]);
    expect([drawn.width, drawn.height, drawn.lowest, drawn.highest]).toEqual([3, 1, '-2', '2']);
    expect(grey(drawn)).toEqual([0, 128, 255]);
  });

  it('folds long vectors, the rest transparent', () => {
    const drawn = picture(new Float32Array(65), [65]);
    expect([drawn.width, drawn.height]).toEqual([64, 2]);
    expect(drawn.pixels.at(-1)).toBe(0);
  });
});
