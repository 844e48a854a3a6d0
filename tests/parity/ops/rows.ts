/**
 * Rows of the table of ops. A row is a line of Python that PyTorch and the lab both run: PyTorch as
 * Python, the lab through its evaluator, its graph and a backend. So a row holds from the signature
 * of the function to the last digit of its gradient.
 */
export interface InputSpec {
  readonly shape: readonly number[];
  /** float32 unless given; numbers are drawn from a normal distribution unless `low` is given. */
  readonly dtype?: 'float32' | 'int64' | 'bool';
  /** Uniform between low and high; integers from low to high − 1. */
  readonly low?: number;
  readonly high?: number;
  /** The numbers themselves. */
  readonly values?: readonly number[];
}

export interface Row {
  /** The expression that forward returns: `torch.exp(x)`. Several lines end with `return …`. */
  readonly code: string;
  /** Inputs by name; a plain list is the shape of a float32. */
  readonly inputs: Readonly<Record<string, readonly number[] | InputSpec>>;
  /** Lines of `__init__`: `self.m = nn.LSTM(3, 4)`. */
  readonly init?: string;
  readonly training?: boolean;
  /** Where torch has no gradient that means something (ties, kinks), or the lab none on purpose: why. */
  readonly noGradient?: string;
  /** Where a backend's own function is coarser than the bound: the bound of this row, and why. */
  readonly bound?: { readonly cpu?: number; readonly webgpu?: number; readonly why: string };
}

/** A row in one line. */
export function row(
  code: string,
  inputs: Row['inputs'],
  options: Omit<Row, 'code' | 'inputs'> = {},
): Row {
  return { code, inputs, ...options };
}

/** What a row is called: its code, and the layer that it is about. */
export function titleOf({ code, init }: Row): string {
  return init ? `${code}, ${init}` : code;
}

export function specOf(
  input: readonly number[] | InputSpec,
): Required<Pick<InputSpec, 'shape' | 'dtype'>> & InputSpec {
  const spec = 'shape' in input ? input : { shape: input };
  return { ...spec, dtype: spec.dtype ?? 'float32' };
}

/** Class `CaseN` for every row, as both sides read it. */
export function sourceOf(rows: readonly Row[]): string {
  const classes = rows.map(({ code, init = '', inputs }, number) => {
    const lines = code.trim().split('\n');
    const body = lines.length === 1 ? [`return ${lines[0]}`] : lines;
    return [
      `class Case${number}(nn.Module):`,
      '    def __init__(self):',
      '        super().__init__()',
      ...init
        .trim()
        .split('\n')
        .filter(Boolean)
        .map((line) => `        ${line}`),
      `    def forward(self, ${Object.keys(inputs).join(', ')}):`,
      ...body.map((line) => `        ${line}`),
    ].join('\n');
  });
  const imports = [
    'import math',
    'import torch',
    'from torch import nn',
    'import torch.nn.functional as F',
  ];
  return [imports.join('\n'), ...classes].join('\n\n\n') + '\n';
}
