import { int, type Family, type Hints, type Proposal, type Shapes } from './family.ts';
import source from './bert.py?raw';
import { headsOf } from './heads.ts';

/** BERT, MiniLM (BERT of 384) and DistilBERT without a head; `bert.` before the names is taken off. */
export const bert: Family = {
  name: 'bert',
  source,
  propose: (shapes, hints) => [...full(shapes, hints), ...distilled(shapes, hints)],
};

function full(shapes: Shapes, hints: Hints): Proposal[] {
  const first = 'encoder.layer.0.';
  if (!shapes.has('embeddings.token_type_embeddings.weight', `${first}attention.self.query.weight`))
    return [];
  const [vocabulary = 0, width = 0] = shapes.of('embeddings.word_embeddings.weight');
  // MiniLM keeps BERT's 12 heads in a width of 384.
  const heads = headsOf(width, hints, ['num_attention_heads'], width === 384 ? 32 : 64);
  const depth = shapes.count('encoder.layer.');
  return [
    {
      title: `${width === 384 ? 'MiniLM' : 'BERT'}, ${depth} layers of ${width}`,
      model: 'Bert',
      args: {
        pooled: shapes.has('pooler.dense.weight'),
        positions: shapes.has('embeddings.position_ids'),
        ...int({
          vocabulary,
          context: shapes.size('embeddings.position_embeddings.weight', 0),
          types: shapes.size('embeddings.token_type_embeddings.weight', 0),
          width,
          depth,
          heads: heads.count,
          hidden: shapes.size(`${first}intermediate.dense.weight`, 0),
        }),
      },
      assumed: heads.assumed,
    },
  ];
}

function distilled(shapes: Shapes, hints: Hints): Proposal[] {
  const first = 'transformer.layer.0.';
  if (!shapes.has('embeddings.word_embeddings.weight', `${first}attention.q_lin.weight`)) return [];
  const [vocabulary = 0, width = 0] = shapes.of('embeddings.word_embeddings.weight');
  const heads = headsOf(width, hints, ['n_heads', 'num_attention_heads'], 64);
  const depth = shapes.count('transformer.layer.');
  return [
    {
      title: `DistilBERT, ${depth} layers of ${width}`,
      model: 'DistilBert',
      args: int({
        vocabulary,
        context: shapes.size('embeddings.position_embeddings.weight', 0),
        width,
        depth,
        heads: heads.count,
        hidden: shapes.size(`${first}ffn.lin1.weight`, 0),
      }),
      assumed: heads.assumed,
    },
  ];
}
