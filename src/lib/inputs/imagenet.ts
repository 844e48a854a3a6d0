/**
 * Names of ImageNet's 1,000 classes (ILSVRC 2012), in the order that published classifiers have: the
 * list that TensorFlow's MobileNet for browsers ships, under the Apache licence 2.0.
 */

export const imagenetSource = 'ImageNet’s list in @tensorflow-models/mobilenet';

/** Models of TensorFlow's descent count a class of no object first. */
const BACKGROUND = 'background';

/** The names for a head with so many outputs; null where it is none of ImageNet's. */
export async function imagenetNames(outputs: number): Promise<string[] | null> {
  if (outputs !== 1000 && outputs !== 1001) return null;
  const { IMAGENET_CLASSES } =
    await import('@tensorflow-models/mobilenet/dist/imagenet_classes.js');
  const names = Array.from({ length: 1000 }, (_, index) => IMAGENET_CLASSES[index]!);
  return outputs === 1000 ? names : [BACKGROUND, ...names];
}
