import { tuple } from '#lib/checkpoint/value.ts';
import source from './bert.py?raw';
import { Customs } from './customs.ts';
import { int, type Family, type Proposal, type Shapes } from './family.ts';

/** Kinds of model, by the configuration, that compute this; the latter count places otherwise. */
const KINDS = /^(bert|roberta|xlm-roberta|camembert)$/;
const ROBERTA = /^(roberta|xlm-roberta|camembert)$/;

/** BERT, MiniLM (BERT of 384) and RoBERTa's encoder, and what is built on BERT. */
export const bert: Family = {
  name: 'bert',
  source,
  propose(shapes, hints) {
    const prefix = shapes.begins('bert.embeddings.') ? 'bert.' : '';
    const first = `${prefix}encoder.layer.0.`;
    const segments = `${prefix}embeddings.token_type_embeddings.weight`;
    const custom = new Customs(hints);
    const [vocabulary = 0, width = 0] = shapes.of(`${prefix}embeddings.word_embeddings.weight`);
    if (!shapes.has(segments, `${first}attention.self.query.weight`)) return [];
    custom.expect('model_type', KINDS, 'a model of type');
    if (custom.says('is_decoder', true)) custom.refuse('attention to earlier tokens alone');
    const [types = 0] = shapes.of(segments);
    const [context = 0] = shapes.of(`${prefix}embeddings.position_embeddings.weight`);
    // RoBERTa's table of places has two more rows than texts have tokens, and one kind of segment.
    const isRoberta = custom.kind ? ROBERTA.test(custom.kind) : types === 1 && context % 64 === 2;
    const depth = shapes.count(`${prefix}encoder.layer.`);
    // MiniLM keeps BERT's 12 heads in a width of 384.
    const heads = custom.heads(width, ['num_attention_heads'], width === 384 ? 32 : 64);
    const eps = isRoberta ? 1e-5 : 1e-12;
    const base = {
      pooled: shapes.has(`${prefix}pooler.dense.weight`),
      positions: shapes.has(`${prefix}embeddings.position_ids`),
      old: shapes.has(`${prefix}embeddings.LayerNorm.gamma`),
      act: custom.activation(['hidden_act'], 'gelu'),
      eps: custom.number('eps', ['layer_norm_eps'], eps, `eps ${eps} in LayerNorm`),
      ...int({
        vocabulary,
        context,
        types,
        width,
        depth,
        heads,
        hidden: shapes.size(`${first}intermediate.dense.weight`, 0),
      }),
    };
    const name = isRoberta ? 'RoBERTa' : width === 384 ? 'MiniLM' : 'BERT';
    const title = `${name}, ${depth} layers of ${width}`;
    if (prefix !== '') {
      const named = headed(shapes, base);
      return named.map((it) => ({ ...it, title: `${title}, ${it.title}`, ...custom.reading }));
    }
    if (!isRoberta) return [{ title, model: 'Bert', args: base, ...custom.reading }];
    const padding = custom.number('padding', ['pad_token_id'], 1, 'padding token 1');
    return [{ title, model: 'Bert', args: { ...base, ...int({ padding }) }, ...custom.reading }];
  },
};

/** With a head; the title is what it is for. */
function headed(shapes: Shapes, base: Proposal['args']): Proposal[] {
  if (shapes.has('cls.predictions.transform.dense.weight')) {
    const kept = ['weight', 'bias'].filter((name) => shapes.has(`cls.predictions.decoder.${name}`));
    const table = 'bert.embeddings.word_embeddings.weight';
    const tied = shapes.areOne(table, 'cls.predictions.decoder.weight');
    const args = { ...base, kept: tuple(...kept), tied };
    return [{ title: 'for masked words', model: 'BertForMaskedLM', args }];
  }
  const answers = shapes.has('qa_outputs.weight');
  const classes = shapes.size(`${answers ? 'qa_outputs' : 'classifier'}.weight`, 0);
  if (classes === 0) return [];
  const each = base.pooled ? '' : ' of tokens';
  const title = answers ? 'for answers' : `for ${classes} classes${each}`;
  return [{ title, model: 'BertClassifier', args: { ...base, ...int({ classes }), answers } }];
}
