import { describe, expect, it } from 'vitest';
import type { Finding } from '#lib/checkpoint/finding.ts';
import type { NameRow, PickleReport, SafetyReport } from './report.ts';
import { titleOf, toneOf } from './tone.ts';

const verdicts = ['loads', 'plain', 'refused', 'unreadable', 'unscanned'] as const;

function report(
  verdict: SafetyReport['verdict'],
  severity?: Finding['severity'],
  standing: NameRow['standing'] = 'allowed',
) {
  const findings: Finding[] = severity ? [{ code: 'x', severity, message: 'x' }] : [];
  const names = [{ name: 'x', standing, calls: 1, offset: 0 }];
  return { verdict, findings, pickles: [{ names } as PickleReport] };
}

describe('toneOf', () => {
  it('is green only where PyTorch takes the file or there is no code', () => {
    expect(verdicts.map((verdict) => toneOf(report(verdict)))).toEqual([
      'good',
      'good',
      'bad',
      'doubt',
      'doubt',
    ]);
  });

  it('is never green with an error, and not spoiled by less', () => {
    for (const verdict of verdicts) expect(toneOf(report(verdict, 'error'))).not.toBe('good');
    expect(toneOf(report('loads', 'warning'))).toBe('good');
  });

  it('is red where a call runs code, whatever else is so', () => {
    for (const verdict of verdicts) {
      expect(toneOf(report(verdict, undefined, 'dangerous'))).toBe('bad');
      expect(titleOf(report(verdict, undefined, 'dangerous'))).toContain('run code');
    }
  });
});
