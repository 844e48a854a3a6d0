/** First values of parameters. */
import { PyTensor } from './tensor.ts';

/**
 * The effect of an initialiser: none on a parameter, whose numbers come from the checkpoint. Any
 * other tensor has unknown numbers from then on: it may still become a parameter or buffer.
 */
export function initialize(tensor: PyTensor, name: string): PyTensor {
  tensor.session.buildOnly(name);
  if (!tensor.isParameter) {
    tensor.become(new PyTensor(tensor, tensor.shape, tensor.dtype, { madeBy: name }));
  }
  return tensor;
}
