/** Where Debian's torchvision lies: the folder above `torchvision/`, or null where there is none. */
import { existsSync } from 'node:fs';

export function torchvisionRoot(): string | null {
  const root = '/usr/lib/python3/dist-packages';
  return existsSync(`${root}/torchvision/models/resnet.py`) ? root : null;
}
