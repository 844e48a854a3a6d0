import { describe, expect, it } from 'vitest';
import { safeName } from './safe_name.ts';

describe('safeName', () => {
  it.each([
    ['digits_epoch3.pt', 'digits_epoch3.pt'],
    ['../../etc/passwd', '_.._etc_passwd'],
    ['a\u202egpj.pt', 'agpj.pt'],
    ['a\u0000b\n.pt', 'ab.pt'],
    ['con<script>.pt', 'con_script_.pt'],
    ['...', 'checkpoint'],
    ['', 'checkpoint'],
  ])('%j becomes %j', (name, safe) => expect(safeName(name)).toBe(safe));

  it('shortens long names and keeps the extension', () => {
    const safe = safeName(`${'x'.repeat(500)}.safetensors`);
    expect(safe).toHaveLength(200);
    expect(safe.endsWith('.safetensors')).toBe(true);
  });
});
