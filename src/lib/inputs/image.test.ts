/**
 * Judged by Pillow 9.4 and torchvision 0.14: each number below is the CRC-32 of their result on
 * the picture that `picture` makes, so every byte and every bit of every float is the same.
 */
import { describe, expect, it } from 'vitest';
import { crc32 } from '#lib/file/crc32.ts';
import { plainRecipe, prepareImage, recipes, type ImageRecipe } from './image.ts';
import { resize, type Interpolation, type Pixels } from './resample.ts';

/** Noise that numpy makes as well: `(x * 73856093 ^ y * 19349663 ^ c * 83492791) >> 5`, a byte. */
function picture(width: number, height: number): Pixels {
  const data = new Uint8ClampedArray(width * height * 3);
  let at = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < 3; c++) {
        const mixed = Math.imul(x, 73856093) ^ Math.imul(y, 19349663) ^ Math.imul(c, 83492791);
        data[at++] = (mixed >>> 5) & 255;
      }
    }
  }
  return { width, height, channels: 3, data };
}

const crc = ({ buffer, byteOffset, byteLength }: Pixels['data'] | Float32Array) =>
  crc32(new Uint8Array(buffer, byteOffset, byteLength));

const methods: Interpolation[] = ['nearest', 'bilinear', 'bicubic'];

describe('resize is Pillow’s', () => {
  it.each<[number, number, number, number, number[]]>([
    [37, 23, 8, 8, [3803584966, 3451452815, 1607917207]],
    [37, 23, 37, 11, [1840251404, 2698639238, 1373549405]],
    [37, 23, 100, 64, [96966252, 2388372452, 744143045]],
    [37, 23, 1, 1, [1572813283, 2109671719, 2109671719]],
    [37, 23, 23, 23, [4181875726, 4218148031, 2427758940]],
    [5, 9, 8, 8, [1279246680, 384702099, 2273953707]],
    [5, 9, 37, 11, [3250188402, 1495226000, 1640127713]],
    [5, 9, 100, 64, [3002580409, 2873936240, 64475969]],
    [5, 9, 1, 1, [1927557479, 1701204561, 3453859079]],
    [5, 9, 23, 23, [3528357823, 4158339469, 3802670192]],
    [64, 64, 8, 8, [2406203546, 180863363, 4096559123]],
    [64, 64, 37, 11, [3620200012, 609203789, 2291065870]],
    [64, 64, 100, 64, [3169087116, 3844149458, 502034890]],
    [64, 64, 1, 1, [1789999368, 1986644742, 1986644742]],
    [64, 64, 23, 23, [3265710555, 3397465896, 1841239782]],
    [301, 7, 8, 8, [1005336894, 52125287, 4062124713]],
    [301, 7, 37, 11, [3533143672, 1434329234, 1353700302]],
    [301, 7, 100, 64, [388217146, 1249659240, 3546658684]],
    [301, 7, 1, 1, [2620431439, 1640255300, 1640255300]],
    [301, 7, 23, 23, [2858319286, 1523696461, 304500046]],
  ])('%i × %i to %i × %i', async (fromWidth, fromHeight, width, height, expected) => {
    const pixels = picture(fromWidth, fromHeight);
    const found = methods.map((method) => crc(resize(pixels, { width, height }, method).data));
    expect(await Promise.all(found)).toEqual(expected);
  });
});

const padded: ImageRecipe = {
  ...recipes.inception,
  resize: { side: 'shorter', size: 300 },
  crop: { height: 320, width: 320 },
};
const stretched: ImageRecipe = {
  ...plainRecipe([3, 20, 30]),
  channels: 'BGR',
};
const cases: [string, ImageRecipe, number[]][] = [
  ['imagenet', recipes.imagenet, [2356753241, 252017957, 2029794495, 1999461685]],
  ['imagenetV2', recipes.imagenetV2, [1005606301, 2766273429, 2406141133, 1680357430]],
  ['clip', recipes.clip, [1026223640, 4254000031, 2911513005, 3324713971]],
  ['grey digits', plainRecipe([1, 28, 28]), [2526290092, 2433623556, 1439180445, 1987932670]],
  ['mtcnn', recipes.mtcnn, [801983861, 384102309, 1911283704, 369750226]],
  ['a crop beyond the picture', padded, [3579980251, 1796417326, 2178960766, 2808492577]],
  ['stretched, BGR', stretched, [2074234712, 1456438019, 4045057696, 1446696078]],
];

describe('recipes are torchvision’s', () => {
  it.each(cases)('%s', async (_, recipe, expected) => {
    const sizes: [number, number][] = [
      [400, 300],
      [300, 401],
      [200, 180],
      [301, 257],
    ];
    const found = sizes.map(([width, height]) =>
      crc(prepareImage(picture(width, height), recipe).values),
    );
    expect(await Promise.all(found)).toEqual(expected);
  });
});

describe('recipes', () => {
  const dots: Pixels = {
    width: 2,
    height: 1,
    channels: 3,
    data: Uint8ClampedArray.of(0, 51, 255, 255, 0, 102),
  };
  const asStored = recipes.mtcnn;
  const values = (change: Partial<ImageRecipe>) => [
    ...prepareImage(dots, { ...asStored, mean: [0], std: [1], ...change }).values,
  ];

  it('give channels, ranges and their inverse', () => {
    expect(values({})).toEqual([0, 255, 51, 0, 255, 102]);
    expect(values({ channels: 'BGR' })).toEqual([255, 102, 51, 0, 0, 255]);
    expect(values({ channels: 'L' })).toEqual([59, 88]);
    expect(values({ invert: true })).toEqual([255, 0, 204, 255, 0, 153]);
    expect(values({ range: '-1..1' })).toEqual([-1, 1, -0.6, -1, 1, -0.19999999].map(Math.fround));
    expect(values({ mean: [0, 51, 0], std: [1, 2, 5] })).toEqual(
      [0, 255, 0, -25.5, 51, 20.4].map(Math.fround),
    );
  });

  it('fit a picture into a size', () => {
    const { shape } = prepareImage(picture(40, 30), {
      ...asStored,
      resize: { side: 'longer', size: 20 },
    });
    expect(shape).toEqual([3, 15, 20]);
  });

  it.each<[string, Partial<ImageRecipe>, string]>([
    ['two means', { mean: [1, 2] }, 'image: mean has 2 numbers, one or 3 are needed for RGB'],
    ['no number', { mean: [NaN] }, 'image: mean is no number'],
    ['a zero', { std: [0] }, 'image: std is 0'],
    ['no side', { crop: { width: 0, height: 3 } }, 'image: a side of 0 pixels'],
    ['half a pixel', { resize: { side: 'shorter', size: 1.5 } }, 'image: a side of 1.5 pixels'],
    ['too large', { resize: { side: 'shorter', size: 9000 } }, 'image: 18000 × 9000 pixels'],
  ])('refuse %s', (_, change, message) => {
    expect(() => values(change)).toThrow(message);
  });
});
