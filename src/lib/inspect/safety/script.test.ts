import { expect, it } from 'vitest';
import { bytesSource } from '#lib/file/source.ts';
import { zipOf } from '../../../../tests/fixtures/zip.ts';
import { scan } from './scan.ts';

const bytes = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));

async function findingsOf(code: string) {
  const archive = zipOf([
    { name: 'model/data.pkl', bytes: bytes('\x80\x02}.') },
    { name: 'model/code/__torch__.py', bytes: bytes(code) },
    { name: 'model/constants.pkl', bytes: bytes('\x80\x02).') },
    { name: 'model/version', bytes: bytes('3\n') },
  ]);
  const { report } = await scan(bytesSource(archive, 'model.pt'));
  expect(report).toMatchObject({ verdict: 'refused', format: 'TorchScript archive' });
  return report.findings.filter(({ code: it }) => it.startsWith('script-'));
}

const harmless = `class M(Module):
  __parameters__ = ["weight", ]
  def forward(self: __torch__.M,
    x: Tensor) -> Tensor:
    y = ops.quantized.relu6(torch.relu(x))
    return y
`;

it('says that there is code, and how much', async () => {
  expect(await findingsOf(harmless)).toMatchObject([
    {
      code: 'script-code',
      severity: 'info',
      message: expect.stringContaining('1 files of code') as unknown,
    },
  ]);
});

it.each([
  ['torch.save(x, "/home/user/.bashrc")', 'script-reaches-out', 'error'],
  ['y = torch.from_file("/etc/passwd", False, 3, dtype=0)', 'script-reaches-out', 'error'],
  ['y = ops.aten.from_file("/etc/passwd")', 'script-reaches-out', 'error'],
  ['y = ops.mylib.run(x)', 'script-unknown-operator', 'warning'],
])('tells of %s by its byte', async (line, code, severity) => {
  const text = `${harmless}    ${line}\n`;
  const [, ...told] = await findingsOf(text);
  const call = /torch\.|ops\./.exec(line)!.index;
  const where = `byte ${harmless.length + 4 + call} of model/code/__torch__.py`;
  expect(told).toMatchObject([{ code, severity, where }]);
});

it('finds an unknown operator behind many known ones', async () => {
  const text = `${harmless}${'    y = ops.aten.relu(x)\n'.repeat(100)}    y = ops.mylib.run(x)\n`;
  expect((await findingsOf(text)).map(({ code }) => code)).toContain('script-unknown-operator');
});

it('tells of code that runs on loading', async () => {
  const text = `${harmless}  def __setstate__(self: __torch__.M, state: int) -> NoneType:\n`;
  expect((await findingsOf(text)).map(({ code }) => code)).toEqual([
    'script-code',
    'script-on-loading',
  ]);
});
