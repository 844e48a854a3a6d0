/** Many short ranges, as a batch asks for them: those that lie near to one another are one read. */

/** Ranges that lie this near to one another are read with what is between them. */
const GAP = 2 ** 16;
/** Bytes that are read together. */
const TOGETHER = 2 ** 23;
/** Reads under way. */
const AT_ONCE = 16;

interface Range {
  readonly start: number;
  readonly end: number;
}

/** Ranges that are read together, by their places among all. */
interface Run {
  readonly start: number;
  end: number;
  readonly places: number[];
}

/** The bytes of each range, in the order of the ranges; `read` gives those of one. */
export async function readTogether(
  ranges: readonly Range[],
  read: (start: number, end: number) => Promise<Uint8Array>,
): Promise<Uint8Array[]> {
  const out = new Array<Uint8Array>(ranges.length);
  const runs = runsOf(ranges);
  for (let first = 0; first < runs.length; first += AT_ONCE) {
    const reading = runs.slice(first, first + AT_ONCE).map(async (run) => {
      const bytes = await read(run.start, run.end);
      for (const place of run.places) {
        const { start, end } = ranges[place]!;
        out[place] = bytes.subarray(start - run.start, end - run.start);
      }
    });
    await Promise.all(reading);
  }
  return out;
}

function runsOf(ranges: readonly Range[]): Run[] {
  const order = [...ranges.keys()].sort((a, b) => ranges[a]!.start - ranges[b]!.start);
  const runs: Run[] = [];
  for (const place of order) {
    const { start, end } = ranges[place]!;
    const run = runs.at(-1);
    if (run && start - run.end <= GAP && end - run.start <= TOGETHER) {
      run.end = Math.max(run.end, end);
      run.places.push(place);
    } else runs.push({ start, end, places: [place] });
  }
  return runs;
}
