/** Sums over the rows of the table, as a tree of the parts of their names, by dtype or by kind. */
import { escaped } from '#lib/checkpoint/glob.ts';
import type { TableRows } from './table_rows.ts';
import { words } from './words.ts';

export interface Total {
  /** Of all groups, unlike the others. */
  readonly key: string;
  readonly label: string;
  /** What the table shows the rows of the group by. */
  readonly filter: string;
  tensors: number;
  elements: number;
  /** What the group takes of all storages. */
  stored: number;
  /** By their labels; none for a group of rows. */
  readonly parts: Map<string, Total>;
}

export type TotalsBy = 'name' | 'dtype' | 'kind';

export function totalsOf(rows: TableRows, by: TotalsBy): Total {
  const root = newTotal('', words.totals.whole, '');
  for (let row = 0; row < rows.count; row++) {
    add(root, rows, row);
    let group = root;
    for (const part of partsOf(rows, row, by)) {
      let next = group.parts.get(part);
      if (!next) {
        const key = group === root ? part : `${group.key}.${part}`;
        next = newTotal(key, part, filterOf(by, key));
        group.parts.set(part, next);
      }
      add(next, rows, row);
      group = next;
    }
  }
  return root;
}

/** Modules that a name goes through; the tensor itself has a row of its own. */
function partsOf(rows: TableRows, row: number, by: TotalsBy): readonly string[] {
  switch (by) {
    case 'name': {
      const modules = rows.names[row]!.split('.').slice(0, -1);
      return modules.length > 0 ? modules : [words.totals.noModule];
    }
    case 'dtype':
      return [rows.dtype(row)];
    case 'kind':
      return [rows.kind(row)];
    default:
      return by satisfies never;
  }
}

function filterOf(by: TotalsBy, key: string): string {
  if (by === 'name' && key === words.totals.noModule) return '/^[^.]*$/';
  if (by === 'name') {
    const name = escaped(key).replace(/\s/gu, '\\s');
    return `/^${name}\\./`;
  }
  return by === 'dtype' ? `dtype:${key}` : `kind:"${key}"`;
}

function newTotal(key: string, label: string, filter: string): Total {
  return { key, label, filter, tensors: 0, elements: 0, stored: 0, parts: new Map() };
}

function add(total: Total, { table }: TableRows, row: number): void {
  total.tensors++;
  total.elements += table.elements[row]!;
  total.stored += table.stored[row]!;
}
