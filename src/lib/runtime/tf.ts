/**
 * The one door to tfjs: everybody else imports it from here, and only what they name ends up in
 * the bundle. The gradients register themselves by being imported.
 */
import '@tensorflow/tfjs-core/dist/register_all_gradients.js';
import './gradients.ts';

export * from '@tensorflow/tfjs-core';
