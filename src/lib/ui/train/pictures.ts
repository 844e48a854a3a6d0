import type { ImageRecipe } from '#lib/worker/protocol.ts';
import { shortNumber } from './options.ts';

/** `shorter side to 256, crop 224, RGB, normalised`. */
export function pictureWords({ resize, crop, channels, mean, std, range }: ImageRecipe): string {
  const isPlain = mean.every((it) => it === 0) && std.every((it) => it === 1);
  const parts = [
    resize?.side === 'stretch' && `${resize.height} × ${resize.width}`,
    resize && resize.side !== 'stretch' && `${resize.side} side to ${resize.size}`,
    crop && `crop ${crop.height === crop.width ? crop.height : `${crop.height} × ${crop.width}`}`,
    channels === 'L' ? 'grey' : channels,
    isPlain ? range.replace('..', ' to ') : `mean ${mean.map(shortNumber).join(', ')}`,
  ];
  return parts.filter(Boolean).join(', ');
}
