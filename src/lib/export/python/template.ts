/**
 * Exported files are Python files with marks. Each is valid Python as it stands, with everything that
 * any run may need; what a run does not use is left out.
 *
 *     #: if FLAG, #: if not FLAG … #: else … #: end     keep the lines between them
 *     line  #: if FLAG                                  keeps this line
 *     _PLACE_                                           is replaced by an expression or a statement
 */

export interface Filling {
  readonly flags: Readonly<Record<string, boolean>>;
  readonly places: Readonly<Record<string, string>>;
}

/** Throws for a mark that the filling does not know: a template and its writer belong together. */
export function fillTemplate(template: string, filling: Filling): string {
  const lines: string[] = [];
  /** For each open block, whether its lines are kept. */
  const open: boolean[] = [];
  const isKept = () => open.every((kept) => kept);
  for (const line of template.split('\n')) {
    const mark = /^(.*?)\s*#: (if not|if|else|end)(?: (\w+))?$/.exec(line);
    if (!mark) {
      if (isKept()) lines.push(...placed(line, filling));
      continue;
    }
    const [, before = '', word, name = ''] = mark;
    const isInline = before.trim() !== '';
    if (word === 'else') open.push(!open.pop()!);
    else if (word === 'end') open.pop();
    else if (isInline) {
      if (isKept() && holds(word!, name, filling)) lines.push(...placed(before, filling));
    } else open.push(holds(word!, name, filling));
  }
  if (open.length > 0) throw new Error('export: a block of the template has no end');
  // What is left out leaves its blank lines behind.
  return `${lines
    .join('\n')
    .replace(/\n{4,}/g, '\n\n\n')
    .trim()}\n`;
}

function holds(word: string, name: string, { flags }: Filling): boolean {
  const flag = flags[name];
  if (flag === undefined) throw new Error(`export: the template asks for the flag ${name}`);
  return word === 'if' ? flag : !flag;
}

/** Lines of a place's text are indented as the line that it stands in; an empty one leaves it out. */
function placed(line: string, { places }: Filling): string[] {
  const indent = /^ */.exec(line)![0];
  const filled = line.replace(/\b_([A-Z][A-Z\d_]*)_\b/g, (_, name: string) => {
    const text = places[name];
    if (text === undefined) throw new Error(`export: the template asks for ${name}`);
    return text.replaceAll('\n', `\n${indent}`);
  });
  return filled === '' || filled.trim() !== '' ? filled.split('\n') : [];
}
