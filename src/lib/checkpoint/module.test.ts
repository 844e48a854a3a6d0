import { describe, expect, it } from 'vitest';
import { isModule, moduleStateDict } from './module.ts';
import { tensorFromBytes } from './tensor.ts';
import { dict, Dict, tuple, type Call, type Value } from './value.ts';

const weight = { ...tensorFromBytes(new Uint8Array(4), 'float32', [1]), parameter: true };

function moduleOf(parameters: Record<string, Value>, modules: Record<string, Value> = {}): Call {
  return {
    kind: 'call',
    callable: { kind: 'global', module: 'm', name: 'Net' },
    args: tuple(),
    how: 'new',
    state: dict({
      _parameters: dict(parameters),
      _buffers: dict(),
      _modules: dict(modules),
    }),
  };
}

const keys = (value: Value) => [...(moduleStateDict(value)?.keys() ?? [])];

describe('moduleStateDict', () => {
  it('names what stands in two places twice, detached and as one tensor', () => {
    const inner = moduleOf({ w: weight, none: null });
    const made = moduleStateDict(moduleOf({ own: weight }, { a: inner, b: inner, c: null }))!;
    expect([...made.keys()]).toEqual(['own', 'a.w', 'b.w']);
    expect(made.get('a.w')).toBe(made.get('own'));
    expect(made.get('a.w')).toMatchObject({ parameter: false, storage: weight.storage });
  });

  it('is null for what is no module', () => {
    expect(isModule(new Dict())).toBe(false);
    expect(moduleStateDict(dict({ _parameters: dict() }))).toBeNull();
    expect(moduleStateDict(moduleOf({}, { child: 'no module' }))).toBeNull();
  });

  it('is null for a module that contains itself', () => {
    const module = moduleOf({ w: weight });
    ((module.state as Dict).get('_modules') as Dict).set('again', module);
    expect(moduleStateDict(module)).toBeNull();
  });

  it('is null, soon, for modules that share their parts to name 2⁶⁰ weights', () => {
    let module = moduleOf({ w: weight });
    for (let depth = 0; depth < 60; depth++) module = moduleOf({}, { a: module, b: module });
    const started = performance.now();
    expect(moduleStateDict(module)).toBeNull();
    expect(performance.now() - started).toBeLessThan(2000);
  });

  it('holds keys that are names of Object.prototype', () => {
    expect(keys(moduleOf({ constructor: weight }))).toEqual(['constructor']);
  });
});
