/**
 * Files from before 1.6 carry the source of each class that they name, one by one and without the
 * imports above it. Put together they make a file again: the usual imports, then the classes, each
 * after those that it inherits from.
 */
import type { ClassSource } from '#lib/checkpoint/checkpoint.ts';
import type { SourceFile } from '../source.ts';

const imports = `import math
from collections import OrderedDict
from functools import partial
from typing import Any, Callable, Dict, List, Optional, Tuple, Union
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor
`;

/** One file for each module whose classes the checkpoint carries; torch's own are left out. */
export function carriedSources(sources: readonly ClassSource[]): SourceFile[] {
  const modules = new Map<string, ClassSource[]>();
  for (const source of sources) {
    if (/^torch(\.|$)/.test(source.name)) continue;
    const module = source.name.slice(0, source.name.lastIndexOf('.'));
    modules.set(module, [...(modules.get(module) ?? []), source]);
  }
  return [...modules].map(([module, classes]) => ({
    name: `in the file/${module.split('.').at(-1)!}.py`,
    text: [imports, ...inOrder(classes).map(({ text }) => text.trimEnd())].join('\n\n') + '\n',
  }));
}

/** Bases before what is derived from them; otherwise in the order of the file. */
function inOrder(classes: readonly ClassSource[]): ClassSource[] {
  const byName = new Map(classes.map((source) => [lastName(source.name), source]));
  const ordered = new Set<ClassSource>();
  const open = new Set<ClassSource>();
  const place = (source: ClassSource): void => {
    if (ordered.has(source) || open.has(source)) return;
    open.add(source);
    const bases = /^\s*class\s+\w+\s*\(([^)]*)\)/m.exec(source.text)?.[1] ?? '';
    for (const base of bases.split(',')) {
      const found = byName.get(lastName(base.trim()));
      if (found) place(found);
    }
    ordered.add(source);
  };
  for (const source of classes) place(source);
  return [...ordered];
}

function lastName(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1);
}
