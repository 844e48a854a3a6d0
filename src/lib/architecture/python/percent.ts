/** The old formatting of strings: `'conv%d' % index`. */
import { PyTuple } from './collections.ts';
import { raised, unsupported } from './errors.ts';
import { formatValue } from './format.ts';
import type { Interpreter } from './interpreter.ts';
import type { PyValue } from './object.ts';
import { repr, str } from './operators.ts';

export function formatPercent(interpreter: Interpreter, template: string, args: PyValue): string {
  const values = args instanceof PyTuple ? [...args.items] : [args];
  const text = template.replace(
    /%(?:%|([-+ 0]*)(\d*)(?:\.(\d+))?([a-zA-Z(]))/g,
    (match, flags: string | undefined, width: string, precision: string | undefined, type) => {
      if (match === '%%') return '%';
      const value = values.shift();
      if (value === undefined) throw raised('TypeError', 'too few arguments for the format string');
      return convert(interpreter, value, type as string, {
        flags: flags ?? '',
        width,
        precision,
        match,
      });
    },
  );
  if (values.length > 0) throw raised('TypeError', 'not all arguments went into the format string');
  interpreter.allocate(text.length);
  return text;
}

function convert(
  interpreter: Interpreter,
  value: PyValue,
  type: string,
  spec: { flags: string; width: string; precision: string | undefined; match: string },
): string {
  const sign = /[+ ]/.exec(spec.flags)?.[0] ?? '';
  const align = spec.flags.includes('-') ? '<' : spec.flags.includes('0') ? '0=' : '>';
  const precision = spec.precision === undefined ? '' : `.${spec.precision}`;
  const format = (shown: PyValue, kind: string, signs = sign): string =>
    formatValue(interpreter, shown, `${align}${signs}${spec.width}${precision}${kind}`);
  switch (type) {
    case 's':
      return format(str(interpreter, value), 's', '');
    case 'r':
      return format(repr(interpreter, value), 's', '');
    case 'd':
    case 'i':
    case 'u':
      if (typeof value === 'number') return format(BigInt(Math.trunc(value)), 'd');
      if (typeof value !== 'bigint' && typeof value !== 'boolean') {
        throw raised('TypeError', '%d needs a number');
      }
      return format(BigInt(value), 'd');
    case 'f':
    case 'F':
    case 'e':
    case 'g':
    case 'x':
      return format(value, type);
    default:
      throw unsupported(`the format "${spec.match}" is not supported`);
  }
}
