/** Milliseconds between two reports: more often is not seen, and each one is a message. */
const REPORT_EVERY = 50;

/** `report` for work in many short steps: leaves out what comes too soon, unless it is the last. */
export function paced<T>(report: (progress: T) => void): (progress: T, isLast?: boolean) => void {
  let reported = -Infinity;
  return (progress, isLast = false) => {
    if (!isLast && performance.now() - reported < REPORT_EVERY) return;
    reported = performance.now();
    report(progress);
  };
}
