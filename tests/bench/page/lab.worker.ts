/** The lab's own worker, with a count of the bytes of the file that it reads. */
import './count.ts';
import '../../../src/lib/worker/lab.worker.ts';
