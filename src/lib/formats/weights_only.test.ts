import { describe, expect, it } from 'vitest';
import { judgePickle } from './weights_only.ts';
import { judgeLegacy, judgeZipPickle } from './weights_only.load.ts';

const bytesOf = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));
const judge = (text: string) => judgePickle(bytesOf(text));

/** `_rebuild_tensor_v2` of two floats in the record `data/0`. */
const tensor =
  'ctorch._utils\n_rebuild_tensor_v2\n((X\x07\0\0\0storagectorch\nFloatStorage\nU\x010U\x03cpuK\x02tQ' +
  'K\0K\x02\x85K\x01\x85\x89ccollections\nOrderedDict\n)RtR.';

describe('the model of weights_only', () => {
  it('takes plain values', () => {
    expect(judge('\x80\x02}X\x01\0\0\0aK\x01s.')).toMatchObject({ verdict: 'loads', end: 13 });
  });

  it.each([
    ['\x80\x04\x8c\x01a.', 2, 'SHORT_BINUNICODE', 'it uses the opcode SHORT_BINUNICODE'],
    ['\x80\x02cos\nsystem\n.', 2, 'GLOBAL', 'it names os.system, of a module that'],
    ['\x80\x02ccollections\ndeque\n.', 2, 'GLOBAL', 'it names collections.deque'],
    ['\x80\x02)Na.', 4, 'APPEND', 'it appends to a tuple'],
    ['\x80\x02](K\x01K\x02u.', 8, 'SETITEMS', 'it sets items of a list'],
    ['\x80\x02}]Ns.', 5, 'SETITEM', 'a list cannot be a key'],
    ['\x80\x02}}b.', 4, 'BUILD', 'it sets the state of a dict'],
    ['\x80\x02K\x05)R.', 5, 'REDUCE', 'it would call an int'],
    ['\x80\x02ctorch\nfloat32\n)R.', 18, 'REDUCE', 'torch.float32, which is no function'],
    ['\x80\x02h\x07.', 2, 'BINGET', 'memo 7 was never set'],
    ['\x80\x02a.', 2, 'APPEND', 'more from the stack than is there'],
    ['\x80\x02K\x05Q.', 4, 'BINPERSID', 'an int in the place of a persistent id'],
    ['\x80\x02N', 3, 'NONE', 'the pickle is broken'],
  ])('says where and why it refuses %j', (text, offset, opcode, message) => {
    const { verdict, reason } = judge(text);
    expect(verdict).toBe('refused');
    // Where bytes are missing, the opcode before them is the last that is known.
    expect(reason).toMatchObject({ offset, opcode });
    expect(reason!.message).toContain(message);
  });

  it('goes on behind what it does not know, and never takes it for harmless', () => {
    expect(judge('ctorch\nTensor\n)R.')).toMatchObject({
      verdict: 'unknown',
      reason: { offset: 15, message: 'what a call of torch.Tensor gives' },
    });
    expect(judge('ctorch\nTensor\n)Rcos\nsystem\n.')).toMatchObject({
      verdict: 'refused',
      reason: { offset: 16, opcode: 'GLOBAL' },
    });
  });

  it.each([
    [8, 'loads', undefined],
    [12, 'refused', 'the record "data/0" holds 12 bytes, and its storage 8'],
    [null, 'refused', 'the record "data/0" is missing'],
  ])('holds a record of %s bytes against its storage', (size, verdict, message) => {
    const judged = judgeZipPickle(bytesOf(tensor), { size: () => size });
    expect(judged.verdict).toBe(verdict);
    expect(judged.reason?.message).toBe(message);
  });

  it('takes no pickle but that of torch.save for a file from before 1.6', async () => {
    const judged = await judgeLegacy(bytesOf('\x80\x02N.'), 4, () =>
      Promise.resolve(new Uint8Array()),
    );
    expect(judged.reason?.message).toBe('it does not begin with the number of torch.save');
  });
});
