/** One function per op of the graph: checks what PyTorch checks, works out the shape, and emits. */
export * from './attention.ts';
export * from './convolution.ts';
export * from './einsum.ts';
export * from './elementwise.ts';
export * from './embedding.ts';
export * from './joining.ts';
export * from './loss.ts';
export * from './matrix.ts';
export * from './norm.ts';
export * from './picking.ts';
export * from './pool.ts';
export * from './recurrent.ts';
export * from './reduce.ts';
export * from './resize.ts';
export * from './sequence.ts';
export * from './shape.ts';
export * from './windows.ts';
