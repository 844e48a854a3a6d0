import { describe, expect, it } from 'vitest';
import { findOptimizer } from '#lib/checkpoint/optimizer.ts';
import { tensorFromBytes } from '#lib/checkpoint/tensor.ts';
import { dict, list, type Value } from '#lib/checkpoint/value.ts';
import type { SafetyReport } from '../safety/report.ts';
import type { TensorSummary } from '../tensor_statistics.ts';
import { pythonLines } from './python_lines.ts';
import { reportHtml, type ReportSubject, type ReportTensor } from './report.ts';
import { totalsByDtype, totalsByPrefix } from './totals.ts';

const float32 = (...shape: number[]) =>
  tensorFromBytes(new Uint8Array(4 * shape.reduce((a, b) => a * b, 1)), 'float32', shape);

function tensor(name: string, ...shape: number[]): ReportTensor {
  const elements = shape.reduce((a, b) => a * b, 1);
  return {
    ...{ name, tensor: float32(...shape), stored: 4 * elements },
    ...{ remarks: [], statistics: null },
  };
}

const loads: SafetyReport = {
  ...{ name: 'a.pt', size: 4096, format: 'PyTorch checkpoint (zip)', verdict: 'loads' },
  ...{ summary: 'torch.load takes it', findings: [], pickles: [], sources: [], records: 3 },
};

function subject(more: Partial<ReportSubject> = {}, root: Value = dict()): ReportSubject {
  return {
    checkpoint: {
      ...{ name: 'a.pt', format: 'torch', root, size: 4096 },
      ...{ metadata: new Map(), findings: [], calls: [] },
    },
    safety: loads,
    facts: [],
    stateDicts: [],
    optimizer: findOptimizer(root),
    totals: { tensors: 0, elements: 0 },
    tensors: [],
    version: '0.1.0',
    made: new Date(0),
    ...more,
  };
}

/** Texts between tags, as one line. */
function textOf(html: string): string {
  const body = html.slice(html.indexOf('<body>'));
  return body.replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ');
}

describe('reportHtml', () => {
  it('leaves hostile names text', () => {
    const bad = `</td><script>alert(1)</script><img src=x onerror="alert(2)">'&\u202E`;
    const html = reportHtml(
      subject({
        checkpoint: {
          ...subject().checkpoint,
          name: bad,
          metadata: new Map([[bad, bad]]),
          findings: [{ code: 'x', severity: 'error', message: bad, where: bad, advice: bad }],
        },
        safety: {
          ...{ ...loads, name: bad, summary: bad },
          pickles: [
            {
              ...{ id: 0, where: bad, bytes: 1, protocol: 2, opcodes: 1, complete: true, calls: 1 },
              names: [{ name: bad, standing: 'dangerous', calls: 1, offset: 0 }],
            },
          ],
        },
        facts: [{ label: bad, value: bad }],
        stateDicts: [{ label: `['${bad}']`, tensors: 1 }],
        tensors: [{ ...tensor(bad, 1), remarks: [bad] }],
      }),
    );
    const tags = new Set([...html.matchAll(/<\/?([a-z0-9]+)/gi)].map((match) => match[1]));
    expect(tags.has('script') || tags.has('img')).toBe(false);
    expect(html.match(/&lt;script&gt;/g)!.length).toBeGreaterThanOrEqual(12);
    expect(html).not.toContain('\u202E');
    expect(html).toContain('\\u202e');
    expect(html).toContain(`default-src 'none'`);
  });

  it('says what there is, with what was counted', () => {
    const counted: TensorSummary = {
      ...{ of: 'elements', count: 6, zeros: 1, nans: 2, denormals: 0 },
      ...{ positiveInfinities: 1, negativeInfinities: 0, norm: 3, magnitudes: null },
      ...{ min: -0.123456789, max: 2n ** 60n, mean: 1e-9, std: null },
    };
    const text = textOf(
      reportHtml(
        subject({
          totals: { tensors: 2, elements: 1006 },
          facts: [{ label: 'epoch', value: '7' }],
          tensors: [
            { ...tensor('model.fc.weight', 2, 3), statistics: counted, remarks: ['tied'] },
            tensor('model.fc.bias', 1000),
          ],
        }),
      ),
    );
    expect(text).toContain('epoch 7');
    expect(text).toContain('Tensors 2 Elements 1,006');
    expect(text).toContain('PyTorch loads this file');
    expect(text).toContain('The numbers of 1 of 2 have been computed.');
    expect(text).toContain(
      'model.fc.weight tied float32 [2, 3] 24 B -0.123457 1152921504606846976 1e-9 1 2 1',
    );
    expect(text).toContain('float32 2 1,006 4.02 kB 100.0 %');
  });

  it('sums the optimizer up', () => {
    const group = { lr: 0.1, momentum: 0.9, dampening: 0, nesterov: false, params: list(0n, 1n) };
    const optimizer = dict({ state: dict(), param_groups: list(dict(group)) });
    const text = textOf(reportHtml(subject({}, dict({ optimizer }))));
    expect(text).toContain('Key [&#39;optimizer&#39;] Class SGD States 0');
    expect(text).toContain('param_groups[0], 2 parameters lr 0.1 momentum 0.9');
  });

  it('lists as many tensors as a browser prints, and says so', () => {
    const tensors = Array.from({ length: 20_001 }, (_, number) => tensor(`t${number}`, 1));
    const html = reportHtml(subject({ tensors }));
    expect(html).toContain('t19999<');
    expect(html).not.toContain('t20000<');
    expect(textOf(html)).toContain('The first 20,000 of 20,001 are listed.');
  });
});

describe('totals', () => {
  const tensors = [
    ...[0, 1, 2].flatMap((at) => [
      tensor(`model.layers.${at}.weight`, 10, 10),
      tensor(`model.layers.${at}.bias`, 10),
    ]),
    tensor('model.head.weight', 5),
    tensor('ema.head.weight', 5),
  ];
  const names = (most: number) =>
    totalsByPrefix(tensors, most).map(({ name, tensors }) => `${name} ${tensors}`);

  it('divides the largest first, down to modules', () => {
    expect(names(1)).toEqual(['all tensors 8']);
    expect(names(2)).toEqual(['model 7', 'ema 1']);
    expect(names(10)).toEqual([
      ...['model.layers.0 2', 'model.layers.1 2', 'model.layers.2 2'],
      ...['model.head 1', 'ema 1'],
    ]);
  });

  it('ends where names are the same', () => {
    const twice = [tensor('a.b', 1), tensor('a.b', 1), tensor('a.b.c', 1)];
    expect(totalsByPrefix(twice, 10).map(({ tensors }) => tensors)).toEqual([3]);
  });

  it('gives the same sums by dtype', () => {
    expect(totalsByDtype(tensors)).toEqual([
      { name: 'float32', tensors: 8, elements: 340, stored: 1360 },
    ]);
  });
});

describe('pythonLines', () => {
  it('quotes names as Python does', () => {
    const lines = pythonLines({ format: 'torch', name: `a'b\n.pt`, stateDict: "['model']" });
    expect(lines).toContain(`torch.load("a'b\\n.pt", map_location='cpu', weights_only=True)`);
    expect(lines).toContain("model.load_state_dict(checkpoint['model'])");
  });
});
