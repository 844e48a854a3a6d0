/** `str.format`: `'layer{}.{name:>3}'.format(…)`. */
import { getAttribute } from './attributes.ts';
import { raised, unsupported } from './errors.ts';
import { formatValue } from './format.ts';
import type { Interpreter } from './interpreter.ts';
import type { PyValue } from './object.ts';
import { getItem, repr, str } from './operators.ts';
import type { Bound } from './signature.ts';

export function formatTemplate(interpreter: Interpreter, template: string, bound: Bound): string {
  let next = 0;
  const text = template.replace(
    /\{\{|\}\}|\{([^{}!:]*)(?:!([rs]))?(?::([^{}]*))?\}|[{}]/g,
    (
      match,
      field: string | undefined,
      conversion: string | undefined,
      spec: string | undefined,
    ) => {
      if (match === '{{' || match === '}}') return match[0]!;
      if (field === undefined) throw unsupported(`the format string "${template.slice(0, 40)}"`);
      const [, name, path] = /^([^.[]*)([^]*)$/.exec(field)!;
      let value: PyValue | undefined = /^\d*$/.test(name!)
        ? bound.rest[name === '' ? next++ : Number(name)]
        : bound.keywords.get(name!);
      if (value === undefined) throw raised('IndexError', `nothing is given for {${field}}`);
      for (const [, attribute, key] of path!.matchAll(/\.(\w+)|\[([^\]]*)\]/g)) {
        value = attribute
          ? getAttribute(interpreter, value, attribute)
          : getItem(interpreter, value, /^\d+$/.test(key!) ? BigInt(key!) : key!);
      }
      const shown =
        conversion === 'r'
          ? repr(interpreter, value)
          : conversion === 's'
            ? str(interpreter, value)
            : value;
      return formatValue(interpreter, shown, spec ?? '');
    },
  );
  interpreter.allocate(text.length);
  return text;
}
