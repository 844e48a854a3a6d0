/**
 * Python that makes a file for the check: six lines behind the model. Hooks keep what each module
 * gave (of tuples the first tensor), cloned, since later layers may change it in place.
 */
export function checkSnippet(
  inputs: readonly { name: string; shape: readonly number[]; dtype: string }[],
  vocabulary: number | null,
): string {
  const made = inputs.map(({ shape, dtype }) => {
    const sizes = shape.join(', ') || '1';
    if (dtype === 'float32') return `torch.randn(${sizes})`;
    return `torch.randint(0, ${dtype === 'bool' ? 2 : (vocabulary ?? 100)}, (${sizes},))${dtype === 'bool' ? '.bool()' : ''}`;
  });
  return [
    `inputs = [${made.join(', ')}]  # or your own; model is yours`,
    'seen = {}',
    'for name, module in model.eval().named_modules():',
    '    module.register_forward_hook(lambda m, i, o, n=name: seen.update({n: (o if torch.is_tensor(o) else o[0]).clone()}))',
    'with torch.no_grad(): output = model(*inputs)',
    "torch.save({'inputs': inputs, 'output': output, 'activations': seen}, 'check.pt')",
  ].join('\n');
}
