/** Counts the bytes of every slice of a Blob that is read, and tells them when asked. */
const slice = Reflect.get(Blob.prototype, 'slice') as Blob['slice'];
let bytes = 0;

Blob.prototype.slice = function (this: Blob, start, end, type) {
  const part = slice.call(this, start, end, type);
  bytes += part.size;
  return part;
};

new BroadcastChannel('bench-count').onmessage = ({ target, data }) => {
  if (data === 'ask') (target as BroadcastChannel).postMessage(bytes);
};

export {};
