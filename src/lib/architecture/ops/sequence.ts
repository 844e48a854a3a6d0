/** Ops over tokens: embeddings, attention, recurrent layers; randomness and constants. */
import type { NodeId } from '../graph.ts';

/** What the three kinds of recurrent layers have in common. */
interface RecurrentAttrs {
  num_layers: number;
  bidirectional: boolean;
  batch_first: boolean;
  /** Between layers, in training. */
  dropout: number;
  training: boolean;
  hidden_size: number;
  has_bias: boolean;
}

/**
 * [x, initial states…, weights…]. x is (L, N, in), (N, L, in) with batch_first, or (L, in) without a
 * batch; a state that is null starts with zeros. Weights are for each layer, and within it each
 * direction: weight_ih, weight_hh, bias_ih, bias_hh (no biases without has_bias; weight_hr of an LSTM
 * with proj_size last).
 */
interface Recurrent<Attrs extends object = object> {
  inputs: readonly (NodeId | null)[];
  attrs: RecurrentAttrs & Attrs;
}

/** [x (N, in) or (in), states… or nulls, weight_ih, weight_hh, bias_ih or null, bias_hh or null] */
interface Cell<Attrs extends object = object> {
  inputs: readonly (NodeId | null)[];
  attrs: Attrs;
}

export interface SequenceOps {
  /** [indices (int64), weight (V, D)]; rows at padding_idx get no gradient. */
  embedding: {
    inputs: readonly [NodeId, NodeId];
    attrs: { padding_idx: number | null; max_norm: null };
  };
  /** [indices (int64), weight, offsets or null, per_sample_weights or null (with `sum`)] */
  embedding_bag: {
    inputs: readonly [NodeId, NodeId, NodeId | null, NodeId | null];
    attrs: { mode: 'sum' | 'mean' | 'max'; padding_idx: number | null };
  };
  one_hot: { inputs: readonly [NodeId]; attrs: { num_classes: number } };
  /** Identity unless `training`. Each dropout node draws its own mask. */
  dropout: { inputs: readonly [NodeId]; attrs: { p: number; training: boolean } };
  /** Drops whole channels: Dropout1d, 2d, 3d. The first `lead` axes are kept apart. */
  feature_dropout: {
    inputs: readonly [NodeId];
    attrs: { p: number; training: boolean; lead: number };
  };
  /** Keeps mean and variance of what SELU gives; `lead` as above, null for single elements. */
  alpha_dropout: {
    inputs: readonly [NodeId];
    attrs: { p: number; training: boolean; lead: number | null };
  };
  /** [q (…, L, E), k (…, S, E), v (…, S, Ev), mask (bool or float, broadcast to (…, L, S)) or null] */
  scaled_dot_product_attention: {
    inputs: readonly [NodeId, NodeId, NodeId, NodeId | null];
    attrs: {
      is_causal: boolean;
      /** null is 1 / √E. */
      scale: number | null;
      dropout_p: number;
      enable_gqa: boolean;
    };
  };
  /**
   * nn.MultiheadAttention: [q (L, N, E), (N, L, E) with batch_first, or (L, E), k, v, in_proj_weight
   * or null, q_proj, k_proj, v_proj (each null with in_proj_weight), in_proj_bias, bias_k, bias_v,
   * out_proj.weight, out_proj.bias, key_padding_mask, attn_mask]; bool masks are true where nothing
   * is looked at. Outputs: q's shape, and with need_weights the attention's weights (N, L, S),
   * (N, heads, L, S) if not averaged. A row that is masked out completely gives zeros, and NaN with
   * need_weights: PyTorch takes another way there.
   */
  multi_head_attention: {
    inputs: readonly (NodeId | null)[];
    attrs: {
      embed_dim: number;
      num_heads: number;
      dropout_p: number;
      add_zero_attn: boolean;
      batch_first: boolean;
      /** A mask that hides what follows, where no attn_mask is given. */
      is_causal: boolean;
      need_weights: boolean;
      average_attn_weights: boolean;
      training: boolean;
    };
  };
  /** Three outputs: y, h_n, c_n. States: h_0, c_0. */
  lstm: Recurrent<{ proj_size: number }>;
  /** Two outputs: y, h_n. State: h_0. */
  gru: Recurrent;
  /** Two outputs: y, h_n. State: h_0. */
  rnn: Recurrent<{ nonlinearity: 'tanh' | 'relu' }>;
  /** Two outputs: h, c. */
  lstm_cell: Cell;
  gru_cell: Cell;
  rnn_cell: Cell<{ nonlinearity: 'tanh' | 'relu' }>;

  /** Numbers that the source itself makes. int64 values fit 32 bits. */
  constant: {
    inputs: readonly [];
    attrs: { values: Float32Array | Int32Array | Uint8Array };
  };
  /** Drawn anew in each pass, from the run's seed: randn, rand, randn_like, bernoulli, randint… */
  random: {
    inputs: readonly [];
    attrs: { distribution: 'normal' | 'uniform'; low: number; high: number };
  };
}
