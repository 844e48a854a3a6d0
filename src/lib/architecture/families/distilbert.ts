import { Customs } from './customs.ts';
import source from './distilbert.py?raw';
import { int, type Family } from './family.ts';

/** DistilBertModel of transformers, and what is built on it. */
export const distilbert: Family = {
  name: 'distilbert',
  source,
  propose(shapes, hints) {
    const hasHead = shapes.has('distilbert.embeddings.word_embeddings.weight');
    const prefix = hasHead ? 'distilbert.' : '';
    const first = `${prefix}transformer.layer.0.`;
    const words = `${prefix}embeddings.word_embeddings.weight`;
    const custom = new Customs(hints);
    if (!shapes.has(words, `${first}attention.q_lin.weight`)) return [];
    custom.expect('model_type', /^distilbert$/, 'a model of type');
    const [vocabulary = 0, width = 0] = shapes.of(words);
    const depth = shapes.count(`${prefix}transformer.layer.`);
    const heads = custom.heads(width, ['n_heads', 'num_attention_heads'], 64);
    const base = {
      positions: shapes.has(`${prefix}embeddings.position_ids`),
      act: custom.activation(['activation'], 'gelu'),
      ...int({
        vocabulary,
        context: shapes.size(`${prefix}embeddings.position_embeddings.weight`, 0),
        width,
        depth,
        heads,
        hidden: shapes.size(`${first}ffn.lin1.weight`, 0),
      }),
    };
    const title = `DistilBERT, ${depth} layers of ${width}`;
    if (!hasHead) return [{ title, model: 'DistilBert', args: base, ...custom.reading }];
    if (shapes.has('vocab_transform.weight')) {
      const head = 'vocab_projector.weight';
      const args = { ...base, tied: shapes.areOne(words, head), kept: shapes.has(head) };
      const model = 'DistilBertForMaskedLM';
      return [{ title: `${title}, for masked words`, model, args, ...custom.reading }];
    }
    const answers = shapes.has('qa_outputs.weight');
    const each = !answers && !shapes.has('pre_classifier.weight');
    const classes = shapes.size(`${answers ? 'qa_outputs' : 'classifier'}.weight`, 0);
    const args = { ...base, ...int({ classes }), each, answers };
    const purpose = answers ? 'for answers' : `for ${classes} classes${each ? ' of tokens' : ''}`;
    return [
      { title: `${title}, ${purpose}`, model: 'DistilBertClassifier', args, ...custom.reading },
    ];
  },
};
